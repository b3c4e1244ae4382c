"""Claims about the plan's original criteria: the figures by hand, and whom each judges."""

import pandas as pd
import pytest

from lib.design import LEVELS
from lib.hypotheses import original_criteria


def matrix(**ppl):
    """Rows of ppl_matrix.csv from model=[A1, A2, B1, B2, C1, mixed]."""
    tests = [*LEVELS, "all_levels"]
    return pd.DataFrame(
        [
            {"model": model, "test": test, "mask_type": "training_mix", "ppl": value}
            for model, values in ppl.items()
            for test, value in zip(tests, values, strict=True)
        ]
    )


PPL = matrix(
    a1=[10, 40, 40, 40, 40, 30],
    a2=[40, 10, 40, 40, 40, 30],
    b1=[40, 40, 10, 40, 40, 30],
    b2=[40, 40, 40, 10, 40, 30],
    c1=[80, 80, 80, 80, 20, 30],
    general=[13, 11, 10.5, 9, 60, 12],
    a1_transfer=[9, 50, 50, 50, 50, 40],
)


@pytest.mark.parametrize(
    "criterion, level, value, passed",
    [
        ("Specialization Gain >= 25%", "A1", 30, "pass"),
        ("Specialization Gain >= 25%", "A2", 10, "fail"),
        ("Level Specificity >= 3x", "A1", 4, "pass"),
        ("PPL within 10% of best per-CEFR", "A1", 30, "fail"),
        ("PPL within 10% of best per-CEFR", "A2", 10, "pass"),
        ("3-8x better", "A1", 80**0.25 * 40**0.75 / 10, "pass"),
        ("3-8x better", "C1", 2, "fail"),
        ("Not worse than general model", "C1", 100 * (20 / 60 - 1), "pass"),
        ("Best on combined test set", "all_levels", 100 * (12 / 30 - 1), "pass"),
        ("If transfer > A1-only: valuable", "A1", 100 * (10 / 9 - 1), "pass"),
        ("Final validation perplexity < 50", "A1", 12, "pass"),
        ("Final validation perplexity < 50", "all_levels", 70, "fail"),
        ("A1 8–20", "A1", 10, "pass"),
        ("C1 20–40", "C1", 20, "pass"),
    ],
)
def test_the_plans_criteria_are_the_figures_by_hand(criterion, level, value, passed):
    rows = original_criteria.plan_criteria(PPL, {"a1": 12.0, "general": 70.0}).set_index(["criterion", "level"])
    row = rows.loc[(criterion, level)]
    assert (row["value"], row["passed"]) == (pytest.approx(value), passed)
    assert len(row["note"]) > 40


def test_a_criterion_names_the_model_that_it_judges():
    rows = original_criteria.plan_criteria(PPL, {"a1": 12.0, "general": 70.0, "a1_transfer": 60.0})
    named = rows.groupby("criterion")["model"].agg(list)
    assert named["Level Specificity >= 3x"] == ["a1", "a2", "b1", "b2", "c1"] and named["C1 20–40"] == ["c1"]
    assert named["Best on combined test set"] == ["general"]
    assert named["If transfer > A1-only: valuable"] == ["a1_transfer"]
    assert named["Final validation perplexity < 50"] == ["a1", "general", "a1_transfer"]


def test_a_general_model_passes_the_specificity_by_itself():
    rows = original_criteria.plan_criteria(PPL.assign(ppl=PPL["ppl"].where(PPL["model"] != "general", 10.0)), {})
    note = rows.set_index(["criterion", "level"]).loc[("Level Specificity >= 3x", "A1"), "note"]
    assert "the general model alone has 1.0, 1.0, 1.0, 1.0, 1.0" in note


def test_a_level_without_test_texts_is_na_in_the_note_too():
    untested = PPL["test"] == "C1"
    rows = original_criteria.plan_criteria(PPL.assign(ppl=PPL["ppl"].mask(untested)), {}).set_index(
        ["criterion", "level"]
    )
    assert "n/a from A1 to C1" in rows.loc[("Level Specificity >= 3x", "C1"), "note"]
    assert not rows["note"].str.contains("nan").any()


def test_criteria_without_a_model_are_not_available():
    rest = PPL[~PPL["model"].isin(["c1", "a1_transfer"])]
    rows = original_criteria.plan_criteria(rest, {}).set_index(["criterion", "level"])
    gone = [
        ("Specialization Gain >= 25%", "C1"),
        ("Not worse than general model", "C1"),
        ("C1 20–40", "C1"),
        ("If transfer > A1-only: valuable", "A1"),
    ]
    assert set(rows.loc[gone, "passed"]) == {"n/a"}
    assert rows.loc[("Specialization Gain >= 25%", "A1"), "passed"] == "pass"


def test_each_criterion_is_explained_once_and_small_levels_are_named():
    criteria = original_criteria.plan_criteria(PPL, {"a1": 12.0, "general": 70.0})
    sizes = PPL.assign(n_learners=PPL["test"].map({"A1": 3}).fillna(40))
    text = original_criteria.explanation(criteria, sizes, 5)
    assert text.count("\n- *") == criteria["criterion"].nunique() and "{" not in text
    assert "Levels with fewer than 5 test learners: A1." in text
    assert "each model on the validation set of its own levels" in text
