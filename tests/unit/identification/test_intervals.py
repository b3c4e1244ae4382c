"""Claims about intervals: they stay within bounds, know no certainty, and cover as often as they say."""

import types

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.design import LEVELS
from lib.identification import intervals, measures


def test_learners_with_equal_texts_all_count():
    assert intervals.effective_learners([3, 3, 3, 3]) == pytest.approx(4)
    assert intervals.effective_learners([97, 1, 1, 1]) == pytest.approx(100**2 / (97**2 + 3))


def test_in_the_middle_the_interval_is_that_of_t():
    low, high = intervals.of_measure(0.5, 0.01, 30, alpha=0.05)
    half = stats.t.isf(0.025, 29) * 0.01
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-4)
    assert intervals.of_difference(0.1, 0.01, 30, 0.05) == pytest.approx((0.1 - half, 0.1 + half))


@pytest.mark.parametrize(("point", "lowest"), [(0.99, 0.0), (0.01, 0.0), (0.98, -1.0), (-0.97, -1.0)])
def test_no_end_lies_beyond_the_bounds(point, lowest):
    low, high = intervals.of_measure(point, 0.05, 10, 0.05, lowest)
    assert lowest <= low < point < high <= 1


def test_learners_who_all_agree_leave_room_for_others():
    low, high = intervals.of_measure(1.0, 0.0, 20, alpha=0.05)
    assert high == 1 and low == pytest.approx(stats.beta.ppf(0.025, 20, 1))  # Clopper and Pearson
    assert intervals.of_measure(0.0, 0.0, 20, alpha=0.05) == pytest.approx((0.0, 1 - low))


def test_resamples_without_a_measure_are_left_out():
    assert intervals.standard_error(np.array([1.0, 2.0, np.nan, 1.0, 2.0]), 5) == pytest.approx(0.5 * np.sqrt(5 / 4))
    assert np.isnan(intervals.standard_error(np.full(3, np.nan), 5))
    assert np.isnan(intervals.of_measure(0.5, np.nan, 5, 0.05)).all()


def answers_of_learners(rng, n_learners):
    """Levels, answers and learners: learners differ in how often their texts are identified."""
    n_texts = rng.integers(1, 7, n_learners)
    learners = np.repeat(np.arange(n_learners), n_texts)
    level = np.repeat(rng.integers(0, 5, n_learners), n_texts)
    right = rng.random(len(level)) < 1 / (1 + np.exp(-rng.normal(1, 1, n_learners)))[learners]
    found = np.where(right, level, np.clip(level + rng.choice([-2, -1, 1, 2], len(level)), 0, 4))
    return np.array(LEVELS)[level], pd.DataFrame({"a": np.array(LEVELS)[found]}), learners


def test_intervals_cover_as_often_as_they_say():
    levels, answers, learners = answers_of_learners(np.random.default_rng(0), 40_000)
    true = measures.measure(measures.confusions_by_learner(levels, answers["a"], 0 * learners)[0], np.ones(5, bool))
    settings = types.SimpleNamespace(resamples=200, alpha=0.05, min_learners=5, seed=1)
    covered = []
    for seed in range(1, 161):
        row = measures.tabulate(*answers_of_learners(np.random.default_rng(seed), 20), settings)[0].iloc[0]
        covered.append([row[f"{name}_lo"] <= true[name] <= row[f"{name}_hi"] for name in measures.MEASURES])
    assert (np.mean(covered, axis=0) > 0.90).all()  # .95 less three standard errors of 160 studies
