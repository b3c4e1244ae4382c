"""Claims about the checks of known answers: each can fail, and none passes where nothing was learned."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bench.validity import known_answers as checks
from lib.synthetic import known_answers


def study(gains, learned=True):
    """What the checks ask of a study: gains of own models in %, known to .1 of a point."""
    rows = pd.DataFrame(
        {"name": "general_vs_specialist", "level": list(gains), "gain_pct": list(gains.values()), "reason": ""}
    )
    rows = rows.assign(theta=np.log1p(rows["gain_pct"] / 100), se=0.001, df=40, ci_lo=0.0, ci_hi=0.0, provisional=False)
    return SimpleNamespace(primary=lambda name: rows, learned=lambda level: learned)


@pytest.mark.parametrize("gains, learned, verdicts", [
    ({"A1": 3.9, "A2": -3.9}, True, ["holds", "holds"]),
    ({"A1": 4.1, "A2": 0.0}, True, ["FAILS", "holds"]),
    ({"A1": 0.0, "A2": -4.1}, True, ["FAILS", "holds"]),
    ({"A1": 25.0, "A2": 0.0}, True, ["FAILS", "FAILS"]),
    ({"A1": 0.0, "A2": 0.0}, False, ["VOID", "VOID"]),
])  # fmt: skip
def test_a_check_of_no_gain_fails_either_way_or_is_void(gains, learned, verdicts):
    assert [row["verdict"] for row in checks.identical_levels(study(gains, learned))] == verdicts


def test_every_corpus_has_its_checks():
    assert set(checks.CHECKS) == set(known_answers.CORPORA)


def amounts(all_text, equal_text, half_width=2.0):
    """A study of `amount_of_text` with these gains at A1, in %."""
    gains = {"general_vs_specialist": all_text, "general_equal_text_a1_vs_specialist": equal_text}

    def primary(name):
        low, high = gains[name] - half_width, gains[name] + half_width
        return pd.DataFrame([{"level": "A1", "gain_pct": gains[name], "gain_lo": low, "gain_hi": high}])

    return SimpleNamespace(primary=primary, learned=lambda level: True)


@pytest.mark.parametrize("all_text, equal_text, verdicts", [
    (-8.0, 1.0, ["holds", "holds"]),
    (-1.0, 1.0, ["FAILS", "holds"]),
    (8.0, 1.0, ["FAILS", "holds"]),
    (-8.0, -5.0, ["holds", "FAILS"]),
])  # fmt: skip
def test_more_text_must_help_and_equal_text_must_not(all_text, equal_text, verdicts):
    assert [row["verdict"] for row in checks.amount_of_text(amounts(all_text, equal_text))] == verdicts


@pytest.mark.parametrize("share, expected", [(0.5, 1.0), (0.14, 0.05)])
def test_the_power_of_h1_follows_from_what_masks_hide(share, expected):
    """At a share of .14 of words in conflict, theta is the margin of 10 %."""
    keys = pd.DataFrame({"text_id": range(400), "mask_type": "training_mix", "mask_set": 0})
    masks = keys.assign(level="A1", worth=np.arange(400) % 100 < 100 * share)
    scores = keys.assign(learner_id=[str(n) for n in range(400)], n_tokens=1, copied=False)
    study = SimpleNamespace(scores=lambda model: scores)
    assert checks.power_of_h1(study, masks, "A1") == pytest.approx(expected, abs=0.03)
