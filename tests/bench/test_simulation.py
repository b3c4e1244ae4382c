"""The simulation of whole studies: few of them, held against the promises with room for its own binomial error."""

import numpy as np
import pytest
from scipy.stats import binom

from bench.validity import simulation
from lib.evaluation import contrasts

STUDIES, LEVELS = 40, 5
SPREAD, NOISE = simulation.measured()


def at_most(share, n):
    """The most of n that a true share would exceed once in 2,000 times."""
    return binom.isf(5e-4, n, share)


@pytest.fixture(scope="module")
def rows():
    condition = {"seeds": 3, "noise": NOISE, "spread": SPREAD}
    return [simulation.contrasts(simulation.study(np.random.default_rng(k), **condition), 200) for k in range(STUDIES)]


def test_intervals_miss_the_truth_no_oftener_than_promised(rows):
    missed = sum(((one["ci_lo"] > simulation.MARGIN) | (one["ci_hi"] < simulation.MARGIN)).sum() for one in rows)
    assert missed <= at_most(0.07, STUDIES * LEVELS)


def test_h1_is_seldom_claimed_at_the_margin_unless_noise_is_ignored(rows):
    claimed = sum(simulation.shown(one).any() for one in rows)
    careless = sum(simulation.shown(one.assign(se=one["se_data"], df=99)).any() for one in rows)
    assert claimed <= at_most(0.06, STUDIES)
    assert careless > STUDIES / 2


def test_a_large_gain_is_found_at_every_level(rows):
    assert np.mean([simulation.shown(one, 0.40).all() for one in rows]) > 0.8


def test_the_short_way_through_the_rule_is_the_rule(rows):
    for gain in (0.10, 0.30):
        moved = [one.assign(theta=one["theta"] + np.log1p(gain) - simulation.MARGIN) for one in rows[:5]]
        assert all((simulation.found(after) == simulation.shown(one, gain)).all() for one, after in zip(rows, moved))


def test_a_stand_in_has_the_standard_error_of_the_level_it_stands_for():
    condition = {"seeds": 1, "noise": 0.0, "spread": SPREAD}
    drawn = [simulation.contrasts(simulation.study(np.random.default_rng(k), **condition), 200) for k in range(30)]
    theta = np.array([one["theta"] for one in drawn])
    expected = SPREAD / np.sqrt(list(simulation.LEARNERS.values()))
    assert theta.std(axis=0) == pytest.approx(expected, rel=4 / np.sqrt(2 * 30))
    assert np.mean([one["se_data"] for one in drawn], axis=0) == pytest.approx(expected, rel=0.15)


def test_texts_taken_for_learners_make_intervals_too_short():
    narrow, wide = (
        contrasts.estimate(simulation.study(np.random.default_rng(5), 1, 0.0, SPREAD, by_text=by_text),
                        [("general_vs_specialist", "general", "a1")], "A1", 400)["se_data"][0]
        for by_text in (True, False)
    )  # fmt: skip
    assert narrow < 0.75 * wide
