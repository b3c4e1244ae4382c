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
