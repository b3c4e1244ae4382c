"""Claims about the recommendation: it is the simplest trained system that is shown to be close to the best."""

import itertools

import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.evaluation import comparisons
from lib.hypotheses import recommendation
from tests.helpers.contrasts import PARAMS, contrast


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
COST["examples_seen"] = 1000


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


def test_transfer_recommended_where_h3_is_open_says_so():
    said = advise(0.3, (0.01, 0.012), 0.3, [13.5, 10, 9.9])["A1"]
    assert said["model"] == "a1_transfer" and said["certain"]
    assert "a lead of over 2 % over each rival, which is open); gain" in said["sentence"]
    assert "H3" not in advise(0.3, 0.1, 0.3, [13.5, 10, 9])["A1"]["sentence"], "there it holds"
    assert "H3" not in advise(0.3, -0.1, 0.2, [13.5, 10, 11])["A1"]["sentence"], "there the specialist is recommended"


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


def test_a_recommendation_may_be_provisional():
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


ALL = ["general", "general_continued", "general_without_a1", "level_prompted", "a1_transfer", "a1", "initial"]


def of_many(ppl, without=()):
    """The recommendation at A1 from {model: PPL}, with all pairs but those of the models `without`."""
    cost = pd.DataFrame({"model": ALL, "hours": 1.0, "megabytes": 500, "examples_seen": [1000.0] * 6 + [0.0]})
    pairs = [(a, b) for i, a in enumerate(ppl) for b in list(ppl)[i + 1 :] if not {a, b} & set(without)]
    rows = [contrast(f"{a}_vs_{b}", "A1", np.log(ppl[a] / ppl[b]), a, b) for a, b in pairs]
    rows += [contrast(f"{a}_vs_transfer", "A1", None) for a in ("general", "specialist")]
    rows = pd.DataFrame(rows).drop_duplicates(["name", "level"])
    table = matrix(**{model: [value] + [np.nan] * 5 for model, value in ppl.items()})
    return recommendation.recommend(rows, table, cost, PARAMS)["A1"]


@pytest.mark.parametrize("best", ALL[1:-1])
def test_every_trained_system_may_be_recommended(best):
    found = of_many(dict.fromkeys(ALL, 20.0) | {best: 10.0})
    assert found["model"] == best and found["certain"] and found["left_out"] == []
    assert found["sentence"].startswith(f"A1: use {recommendation.systems('A1', ALL)[best]}, the simplest")


def test_initial_weights_are_never_recommended():
    found = of_many(dict.fromkeys(ALL, 20.0) | {"initial": 10.0})
    assert found["model"] == "general" and "initial" not in found["sentence"]


def test_a_system_that_was_not_compared_is_named():
    found = of_many(dict.fromkeys(ALL, 20.0) | {"level_prompted": 10.0}, without=["level_prompted"])
    assert found["model"] == "general"
    assert "not compared: the general model with a level token" in found["sentence"]


def test_every_pair_of_a_systems_contrasts_is_planned():
    models = [*ALL[:-1], "a2", "a2_transfer", "general_equal_text_a1", "general_equal_text_a2"]
    assert {"general_equal_text_a1", "general_equal_text_a2"} & set(recommendation.systems("A1", models)) == {
        "general_equal_text_a1"
    }
    wanted = {frozenset(pair) for pair in itertools.combinations(recommendation.systems("A1", models), 2)}
    pairs = comparisons.planned_pairs(models, {})["A1"]
    pairs += recommendation.pairs_with_controls(models, models)["A1"]
    planned = [frozenset(pair[1:]) for pair in pairs]
    assert wanted == set(planned) and len(planned) == len(wanted)
