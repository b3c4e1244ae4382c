"""Claims about measures of identified levels: known confusion matrices, and scikit-learn, give the same numbers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from lib.design import LEVELS
from lib.identification import measures


def tabulate(levels, answers, learners, settings):
    identified = pd.DataFrame({"a": answers} if not isinstance(answers, dict) else answers)
    return measures.tabulate(pd.Series(levels), identified, learners, settings)


def test_perfect_answers_are_measured_as_perfect(balanced, settings):
    levels, learners = balanced
    row = tabulate(levels, levels, learners, settings)[0].iloc[0]
    assert row[measures.MEASURES].eq(1).all() and row["n_texts"] == 200 and row["n_learners"] == 100
    assert 0.95 < row["accuracy_lo"] < 1, "100 learners are no proof for all"


def test_chance_has_no_kappa_and_an_interval_that_says_so(balanced, settings):
    levels, learners = balanced
    answers = np.random.default_rng(1).choice(LEVELS, len(levels))
    row = tabulate(levels, answers, learners, settings)[0].iloc[0]
    assert row["accuracy_lo"] < 0.2 < row["accuracy_hi"] and row["kappa_lo"] < 0 < row["kappa_hi"]


@pytest.mark.parametrize("n_levels", [2, 4, 5])
def test_measures_are_those_of_scikit_learn(n_levels):
    rng = np.random.default_rng(n_levels)
    levels, answers = rng.choice(LEVELS[:n_levels], 60), rng.choice(LEVELS, 60)
    counts = measures.confusions_by_learner(levels, answers, np.arange(60)).sum(0)
    found = measures.measure(counts, np.isin(LEVELS, levels))
    assert found["accuracy"] == pytest.approx(accuracy_score(levels, answers))
    kappa = cohen_kappa_score(levels, answers, labels=LEVELS, weights="quadratic")
    assert found["kappa"] == pytest.approx(kappa)
    f1 = f1_score(levels, answers, labels=sorted(set(levels)), average="macro", zero_division=0)
    assert found["macro_f1"] == pytest.approx(f1)


def test_one_level_off_is_adjacent_and_two_are_not(settings):
    found = tabulate(["A1"] * 4, ["A1", "A2", "B1", "C1"], np.arange(4), settings)[0].iloc[0]
    assert found["accuracy"] == 0.25 and found["adjacent"] == 0.5


def test_learners_are_resampled_not_texts(balanced, settings):
    levels, _ = balanced
    answers = np.where(np.arange(200) % 40 < 20, levels, "A1")
    by_text = tabulate(levels, answers, np.arange(200), settings)[0].iloc[0]
    by_learner = tabulate(levels, answers, np.arange(200) // 20, settings)[0].iloc[0]  # each always right or never
    width = [row["accuracy_hi"] - row["accuracy_lo"] for row in (by_text, by_learner)]
    assert by_text["accuracy"] == by_learner["accuracy"] and width[1] > 3 * width[0]


def test_equal_systems_differ_by_nothing_in_every_resample(balanced, settings):
    levels, learners = balanced
    answers = np.random.default_rng(2).choice(LEVELS, len(levels))
    _, differences, _ = tabulate(levels, {"a": answers, "b": answers}, learners, settings)
    assert len(differences) == 1 and differences[measures.INTERVALS].eq(0).all(axis=None)


def test_few_learners_give_an_estimate_without_interval(settings):
    row = tabulate(["A1", "A2"], ["A1", "A1"], [0, 1], settings)[0].iloc[0]
    assert row["accuracy"] == 0.5 and np.isnan(row["accuracy_lo"]) and np.isnan(row["accuracy_hi"])


def test_a_system_without_answers_has_no_row(balanced, settings):
    levels, learners = balanced
    table, _, confusion = tabulate(levels, {"a": levels, "none": [None] * len(levels)}, learners, settings)
    assert table["system"].tolist() == ["a"] and set(confusion["system"]) == {"a"}


def test_kappa_of_a_single_level_is_not_defined(settings):
    row = tabulate(["A1"] * 6, ["A1"] * 6, np.arange(6), settings)[0].iloc[0]
    assert row["accuracy"] == 1 and np.isnan(row["kappa"])


def test_a_level_without_texts_is_in_no_matrix_or_mean(settings):
    levels, learners = np.repeat(["A1", "A2", "B2", "C1"], 10), np.arange(40)
    table, _, confusion = tabulate(levels, levels, learners, settings)
    assert table.loc[0, "macro_f1"] == 1 and "B1" not in set(confusion["level"])


def test_confusions_count_texts_and_learners(settings):
    _, _, confusion = tabulate(["A1", "A1", "A1", "B1"], ["A1", "A1", "A2", "B1"], [0, 0, 1, 1], settings)
    cells = confusion.set_index(["level", "identified"])[["n_texts", "n_learners", "n_learners_of_level"]]
    assert cells.loc[("A1", "A1")].tolist() == [2, 1, 2] and cells.loc[("A1", "A2")].tolist() == [1, 1, 2]
    assert cells["n_texts"].sum() == 4


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="none of A1"):
        measures.confusions_by_learner(["A1"], ["X9"], [0])
