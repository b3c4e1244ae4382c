"""Claims about the advice: the plan's criteria are the hand figures, and the simplest good system is recommended."""

import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.hypotheses import recommendation
from tests.helpers.contrasts import PARAMS, contrast

pytestmark = pytest.mark.usefixtures("quick_garbage_collection")


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


COST = pd.DataFrame({"model": ["general", "a1", "a1_transfer"], "hours": [5.0, 1.0, 6.0], "megabytes": [500] * 3})


def advise(general_vs_specialist, specialist_vs_transfer, general_vs_transfer, ppl, **changes):
    rows = pd.DataFrame(
        [
            contrast("general_vs_specialist", "A1", general_vs_specialist, "general", "a1", **changes),
            contrast("specialist_vs_transfer", "A1", specialist_vs_transfer, "a1", "a1_transfer"),
            contrast("general_vs_transfer", "A1", general_vs_transfer, "general", "a1_transfer"),
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
            contrast("general_vs_specialist", "A1", 0.3, "general", "a1"),
            contrast("general_vs_specialist", "A1", 0.0, "general", "a1") | {"mask_type": "word"},
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
    rows = pd.DataFrame([contrast("general_vs_specialist", "A1", None)])
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
    rows = pd.DataFrame([contrast("general_vs_specialist", "A1", 0.3, "general", "a1")])
    ppl = matrix(general=[13] + [np.nan] * 5, a1=[10] + [np.nan] * 5)
    assert recommendation.recommend(rows, ppl, COST, PARAMS, checks)["A1"]["model"] is None
    assert recommendation.recommend(rows, ppl, COST, PARAMS, checks.assign(holds=True))["A1"]["model"] == "a1"


def test_training_time_is_told_in_a_unit_that_fits():
    rows = pd.DataFrame([contrast("general_vs_specialist", "A1", 0.3, "general", "a1")])
    ppl = matrix(general=[13] + [np.nan] * 5, a1=[10] + [np.nan] * 5)
    for hours, words in [(0.05, "3 minutes of training, 500 MB"), (250.0, "250.0 hours of training, 500 MB")]:
        found = recommendation.recommend(rows, ppl, COST.assign(hours=hours), PARAMS)
        assert words in found["A1"]["sentence"]
