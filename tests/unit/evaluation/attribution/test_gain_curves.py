"""Claims about the gain at equal numbers of examples: its estimates, and a sentence for each outcome."""

import numpy as np
import pandas as pd
import pytest

from lib.evaluation.attribution import gain_curves
from tests.unit.evaluation.test_comparisons import OPTIONS

TEXTS = pd.DataFrame({"text_id": range(30), "level": ["A1"] * 20 + ["C1"] * 10, "copied": False})
TEXTS["learner_id"] = TEXTS["text_id"].astype(str)


def scores(gains, model_level="A1"):
    """Scores of the general model and a specialist, which gains so many nats a token at 16, 32, ... examples."""
    tables = []
    for n, gain in enumerate(gains, 1):
        for model, nats in {"general": 2.0, model_level.lower(): 2.0 - gain}.items():
            texts = TEXTS if model == "general" else TEXTS[TEXTS["level"] == model_level]
            rows = texts[["text_id"]].assign(n_tokens=5, nll_text=5 * nats, examples=16 * n)
            tables.append(rows.assign(model=model, seed=0))
    return pd.concat(tables, ignore_index=True)


def test_a_curve_has_the_gain_after_each_number_of_examples():
    found = gain_curves.estimate(scores([0.5, 0.1, -0.2]), TEXTS, True, OPTIONS)
    assert found["level"].tolist() == ["A1"] * 3 and found["examples"].tolist() == [16, 32, 48]
    assert found["theta"].tolist() == pytest.approx([0.5, 0.1, -0.2])
    assert found["n_learners"].tolist() == [20] * 3, "texts of other levels are left out"


def test_a_point_that_one_model_did_not_reach_is_left_out():
    rows = scores([0.5, 0.1])
    stopped = rows[~((rows["model"] == "a1") & (rows["examples"] == 32))]
    assert gain_curves.estimate(stopped, TEXTS, True, OPTIONS)["examples"].tolist() == [16]


def test_without_scores_there_is_no_curve_and_a_sentence():
    none = gain_curves.estimate(None, TEXTS, True, OPTIONS)
    assert none.empty and gain_curves.sentences(none).startswith("The models were not scored")
    assert gain_curves.title(none) == "At the last equal number of examples: n/a"


def table(gains, half_width=1.0):
    gains = np.array(gains, float)
    low, high = gains - half_width, gains + half_width
    rows = pd.DataFrame({"level": "B1", "examples": 100 * np.arange(1, len(gains) + 1), "gain_pct": gains})
    return rows.assign(gain_lo=low, gain_hi=high, theta=gains / 100, ci_lo=low / 100, ci_hi=high / 100)


@pytest.mark.parametrize(
    "gains, words",
    [
        ([5, 4, 3], "the specialist is ahead at every point; at the last point the specialist is shown to be ahead."),
        ([-5, -4, -3], "the general model is ahead at every point; at the last point the general model is shown"),
        ([5, 0.5, -3], "the general model overtakes the specialist between 200 and 300 examples; at the last"),
        ([-5, 0.5, 0.6], "overtakes the general model between 100 and 200 examples; at the last point neither"),
        ([5, -5, 5], "the order changes more than once; at the last point the specialist is shown"),
    ],
)
def test_each_course_of_a_curve_has_its_sentence(gains, words):
    said = gain_curves.sentences(table(gains))
    assert said.startswith(f"- At B1 the specialist's gain is {gains[0]:+.1f} % (") and "after 100 examples" in said
    assert words in said


@pytest.mark.parametrize(
    "last, words", [(3, "the specialist is ahead"), (-3, "the general model is ahead"), (0.5, "open")]
)
def test_the_title_says_what_the_last_point_shows(last, words):
    assert gain_curves.title(table([0, last])) == f"At the last equal number of examples: {words} at B1"
