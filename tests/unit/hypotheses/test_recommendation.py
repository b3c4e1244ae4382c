"""Claims about the advice: the plan's criteria are the hand figures, and the simplest good system is recommended."""

import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.hypotheses import error_rates, original_criteria, recommendation
from tests.helpers.contrasts import PARAMS, contrast

pytestmark = pytest.mark.usefixtures("quick_garbage_collection")


def matrix(**ppl):
    """Rows of ppl_matrix.csv from model=[A1, A2, B1, B2, C1, mixed]."""
    tests = [*LEVELS, "mixed"]
    return pd.DataFrame(
        [
            {"model": model, "test": test, "mask_type": "mix", "ppl": value}
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
        ("Best on combined test set", "mixed", 100 * (12 / 30 - 1), "pass"),
        ("If transfer > A1-only: valuable", "A1", 100 * (10 / 9 - 1), "pass"),
        ("Final validation perplexity < 50", "A1", 12, "pass"),
        ("Final validation perplexity < 50", "mixed", 70, "fail"),
        ("A1 8–20", "A1", 10, "pass"),
        ("C1 20–40", "C1", 20, "pass"),
    ],
)
def test_the_plans_criteria_are_the_hand_figures(criterion, level, value, passed):
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
    assert "the general one alone has 1.0, 1.0, 1.0, 1.0, 1.0" in note


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


COST = pd.DataFrame({"model": ["general", "a1", "a1_transfer"], "hours": [5.0, 1.0, 6.0], "megabytes": [500] * 3})


def advise(general_own, own_transfer, general_transfer, ppl, **changes):
    rows = pd.DataFrame(
        [
            contrast("general-own", "A1", general_own, "general", "a1", **changes),
            contrast("own-transfer", "A1", own_transfer, "a1", "a1_transfer"),
            contrast("general-transfer", "A1", general_transfer, "general", "a1_transfer"),
        ]
    )
    models = dict(zip(["general", "a1", "a1_transfer"], ppl, strict=True))
    return recommendation.recommend(rows, matrix(**{m: [p] + [np.nan] * 5 for m, p in models.items()}), COST, PARAMS)


def test_the_simplest_system_within_two_percent_is_recommended():
    assert advise(0.0, 0.0, 0.0, [10, 10, 10])["A1"]["model"] == "general"
    found = advise(0.3, 0.0, 0.3, [13.5, 9.99, 10])["A1"]
    assert (found["model"], found["certain"], found["hours"]) == ("a1_transfer", True, 6)  # simpler than a1, as good
    assert found["gain_lo"] == pytest.approx(100 * np.expm1(0.29))
    assert "use the general model fine-tuned on A1" in found["sentence"]
    assert advise(0.3, -0.1, 0.2, [13.5, 10, 11])["A1"]["model"] == "a1"


def test_transfer_advised_where_h3_is_open_says_that_h3_asks_for_more():
    said = advise(0.3, (0.01, 0.012), 0.3, [13.5, 10, 9.9])["A1"]
    assert said["model"] == "a1_transfer" and said["certain"]
    assert "to be shown over 2 % ahead of each rival, which stays open); gain" in said["sentence"]
    assert "H3" not in advise(0.3, 0.1, 0.3, [13.5, 10, 9])["A1"]["sentence"], "there it holds"
    assert "H3" not in advise(0.3, -0.1, 0.2, [13.5, 10, 11])["A1"]["sentence"], "there the own model is advised"


def test_a_recommendation_reads_the_primary_contrasts_only():
    rows = pd.DataFrame(
        [
            contrast("general-own", "A1", 0.3, "general", "a1"),
            contrast("general-own", "A1", 0.0, "general", "a1") | {"mask_type": "word"},
        ]
    )
    ppl = matrix(general=[13] + [np.nan] * 5, a1=[10] + [np.nan] * 5)
    for order in (rows, rows[::-1]):
        assert recommendation.recommend(order, ppl, COST, PARAMS)["A1"]["model"] == "a1"


def test_a_best_that_is_not_shown_is_marked_uncertain():
    found = advise((0.05, 0.2), (0.0, 0.2), (0.05, 0.2), [10.5, 10, 10.1])["A1"]
    assert (found["model"], found["certain"]) == ("a1", False) and "uncertain" in found["sentence"]
    lucky = advise((-0.01, 0.2), (0.0, 0.2), (-0.01, 0.2), [10, 10.1, 10.1])["A1"]
    assert (lucky["model"], lucky["certain"], lucky["gain_lo"]) == ("general", False, None)


def test_one_system_alone_or_none_is_no_certain_choice():
    rows = pd.DataFrame([contrast("general-own", "A1", None)])
    found = recommendation.recommend(rows, matrix(general=[10] + [np.nan] * 5), COST, PARAMS)
    assert (found["A1"]["model"], found["A1"]["certain"]) == ("general", False)
    assert "the only system tested" in found["A1"]["sentence"]
    assert found["C1"]["model"] is None and "no recommendation" in found["C1"]["sentence"]


def test_too_few_learners_give_no_recommendation():
    found = advise(None, None, None, [12, 10, 11])["A1"]
    assert found["model"] is None and "no difference could be estimated" in found["sentence"]


def test_a_recommendation_carries_the_stamp():
    found = advise(0.3, 0.0, 0.3, [13.5, 9.99, 10], provisional=True)["A1"]
    assert found["provisional"] and "(provisional)" in found["sentence"]


def test_an_invalid_comparison_recommends_nothing():
    checks = pd.DataFrame({"check": ["weights differ"], "holds": [False], "detail": ["a1/0"]})
    rows = pd.DataFrame([contrast("general-own", "A1", 0.3, "general", "a1")])
    ppl = matrix(general=[13] + [np.nan] * 5, a1=[10] + [np.nan] * 5)
    assert recommendation.recommend(rows, ppl, COST, PARAMS, checks)["A1"]["model"] is None
    assert recommendation.recommend(rows, ppl, COST, PARAMS, checks.assign(holds=True))["A1"]["model"] == "a1"


def test_training_time_is_told_in_a_unit_that_fits():
    rows = pd.DataFrame([contrast("general-own", "A1", 0.3, "general", "a1")])
    ppl = matrix(general=[13] + [np.nan] * 5, a1=[10] + [np.nan] * 5)
    for hours, words in [(0.05, "3 minutes of training, 500 MB"), (250.0, "250.0 hours of training, 500 MB")]:
        found = recommendation.recommend(rows, ppl, COST.assign(hours=hours), PARAMS)
        assert words in found["A1"]["sentence"]


def test_promises_show_the_worst_and_the_best_level_of_each_condition():
    one = {"seeds": 3, "noise": 0.05, "spread": 0.2, "studies": 8, "coverage": {"A1": 0.96, "C1": 0.93},
           "false_h1_anywhere": 0.04, "false_h1_without_seed_noise": 0.8, "false_h1": {"A1": 0.01}}  # fmt: skip
    table = error_rates.promises({"conditions": {"three seeds": one, "two seeds": one | {"seeds": 2}}})
    assert table["condition"].tolist() == ["three seeds", "two seeds"] and table["seeds"].tolist() == [3, 2]
    assert table.loc[0, ["coverage_lowest", "coverage_highest"]].tolist() == [0.93, 0.96]
    assert table["false_h1_without_seed_noise"].tolist() == [0.8, 0.8]
