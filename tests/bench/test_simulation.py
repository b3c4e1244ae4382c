"""The simulation of whole studies: few of them, held against the promises with room for its own binomial error."""

import numpy as np
import pytest
from scipy.stats import binom

from bench.validity import simulation
from lib.evaluation import contrasts
from lib.hypotheses.decision_rules import HOLDS

STUDIES, FEW, LEVELS = 40, 8, 5
SPREAD, NOISE = simulation.measured()


def at_most(share, n):
    """The most of n that a true share would exceed once in 2,000 times."""
    return binom.isf(5e-4, n, share)


@pytest.fixture(scope="module")
def rows():
    condition = {"seeds": 3, "noise": NOISE, "spread": SPREAD}
    studies = [simulation.study(np.random.default_rng(k), **condition) for k in range(STUDIES)]
    return [simulation.contrasts(study, 200) for study in studies]


def of_h1(rows):
    return rows[rows["name"] == "general_vs_specialist"]


def test_intervals_miss_the_truth_no_oftener_than_promised(rows):
    missed = sum((~simulation.covered(of_h1(one), simulation.MARGIN)).sum() for one in rows)
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
        claimed = [simulation.outcomes(after).isin(HOLDS) for after in moved]
        assert all((found == simulation.shown(one, gain)).all() for one, found in zip(rows, claimed))


def test_a_stand_in_has_the_standard_error_of_the_level_it_stands_for():
    condition = {"seeds": 1, "noise": 0.0, "spread": SPREAD}
    drawn = [simulation.contrasts(simulation.study(np.random.default_rng(k), **condition), 200) for k in range(30)]
    drawn = [of_h1(one) for one in drawn]
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


def test_refutations_at_the_margin_are_rare_after_correction(rows):
    refuted = sum((simulation.outcomes(one) == "not supported").any() for one in rows)
    assert refuted <= at_most(0.06, STUDIES)


def test_h3_is_seldom_claimed_or_refuted_at_its_margin():
    truth = (simulation.H3_MARGIN,) * 3
    condition = {"seeds": 3, "noise": NOISE, "spread": SPREAD, "over_transfer": truth, "transfer_noise": 2.0}
    judged = [simulation.judged_h3(condition, (), seed) for seed in range(FEW)]
    for claim in ("h3", "h3_refuted", "longer"):
        assert sum(one[claim].any() for one in judged) <= at_most(0.06, FEW)
    missed = sum((~one[name]).sum() for one in judged for name in simulation.decision_rules.H3_TESTS)
    assert missed <= at_most(0.07, FEW * 3 * LEVELS)
