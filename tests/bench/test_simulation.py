"""The simulation of whole studies: few of them, held against the promises with room for its own binomial error."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from bench.validity import simulation
from lib.evaluation import contrasts
from lib.hypotheses import decision_rules

STUDIES, FEW, LEVELS = 40, 20, 5
SPREAD, NOISE = simulation.measured()
CONDITION = {"seeds": 3, "noise": NOISE, "spread": SPREAD}
AT_H3_MARGIN = CONDITION | {"over_transfer": (simulation.H3_MARGIN,) * 3, "transfer_noise": 2.0}


def at_most(share, n):
    """The most of n that a true share would exceed once in 2,000 times."""
    return binom.isf(5e-4, n, share)


def of_h1(studies, condition=CONDITION, draws=200):
    """Estimates of general minus specialist in the first studies of a condition."""
    drawn = [simulation.study(np.random.default_rng(k), **condition) for k in range(studies)]
    return [simulation.estimates(study, draws)["general_vs_specialist"] for study in drawn]


@pytest.fixture(scope="module")
def rows():
    return of_h1(STUDIES)


def by_library(study):
    """The same contrasts as 06_compare makes them."""
    pairs = simulation.planned_pairs(study)
    return contrasts.estimate_all(simulation.as_sums(study), pairs, draws=simulation.DRAWS)


@pytest.mark.parametrize("condition", [CONDITION, AT_H3_MARGIN, CONDITION | {"seeds": 1}, CONDITION | {"noise": 0.0}])
def test_the_short_way_to_an_estimate_is_that_of_06(condition):
    study = simulation.study(np.random.default_rng(3), **condition)
    expected = by_library(study).set_index(["name", "level"])
    for name, found in simulation.estimates(study).items():
        columns = ["theta", "se", "df", "se_data", "n_learners"]
        pd.testing.assert_frame_equal(found, expected.loc[name][columns].astype(float), check_names=False)
        inside = expected.loc[name]["ci_lo"].le(0.1) & expected.loc[name]["ci_hi"].ge(0.1)
        assert (simulation.covered(found, 0.1) == inside).all()


@pytest.mark.parametrize("theta", [0.0, 0.05, simulation.MARGIN, 0.2, 0.3])
def test_the_short_way_through_h1_and_h2_is_the_rules(theta):
    study = simulation.study(np.random.default_rng(4), **CONDITION, theta=theta)
    gain = np.expm1(theta)
    claims = simulation.claims_of_h1(simulation.estimates(study)["general_vs_specialist"])
    h1, h2 = (simulation.outcomes(by_library(study), rule) for rule in (decision_rules.h1, decision_rules.h2))
    assert (claims["h1"] == (h1 == "supported")).all() and (claims["h2"] == (h1 == "not supported")).all()
    assert (claims["h2"] == h2.isin(decision_rules.HOLDS)).all()
    at_margin = simulation.estimates(simulation.study(np.random.default_rng(4), **CONDITION))["general_vs_specialist"]
    assert (simulation.claims_of_h1(at_margin, gain)["h1"] == claims["h1"]).all()


@pytest.mark.parametrize("over_transfer", [(0.5, 0.5, 0.5), (0.5, 0.5, -0.3), (-0.3, 0.5, 0.0), (0.1, 0.2, 0.1)])
def test_the_short_way_through_h3_is_the_rule(over_transfer):
    study = simulation.study(np.random.default_rng(5), **CONDITION, over_transfer=over_transfer)
    claims = simulation.claims_of_h3(simulation.estimates(study))
    h3 = simulation.outcomes(by_library(study), decision_rules.h3)
    for claim, verdict in (("h3", "supported"), ("h3_refuted", "not supported"), ("longer", "longer training")):
        assert (claims[claim] == (h3 == verdict)).all()


def test_intervals_miss_the_truth_no_oftener_than_promised(rows):
    missed = sum((~simulation.covered(one, simulation.MARGIN)).sum() for one in rows)
    assert missed <= at_most(0.07, STUDIES * LEVELS)


def test_claims_at_the_margin_are_rare_unless_noise_is_ignored(rows):
    claims = [simulation.claims_of_h1(one) for one in rows]
    careless = [simulation.claims_of_h1(one.assign(se=one["se_data"], df=99)) for one in rows]
    for claim in ("h1", "h2"):
        assert sum(found[claim].any() for found in claims) <= at_most(0.06, STUDIES)
    assert sum(found["h1"].any() for found in careless) > STUDIES / 2


def test_a_large_gain_is_found_at_every_level(rows):
    assert np.mean([simulation.claims_of_h1(one, 0.40)["h1"].all() for one in rows]) > 0.8


def test_h3_is_seldom_claimed_or_refuted_at_its_margin():
    judged = [simulation.judged_h3(AT_H3_MARGIN, (), seed) for seed in range(FEW)]
    for claim in ("h3", "h3_refuted", "longer"):
        assert sum(one[claim].any() for one in judged) <= at_most(0.06, FEW)
    missed = sum((~one[name]).sum() for one in judged for name in decision_rules.H3_TESTS)
    assert missed <= at_most(0.07, FEW * 3 * LEVELS)


def test_a_stand_in_has_the_standard_error_of_the_level_it_stands_for():
    drawn = of_h1(30, {"seeds": 1, "noise": 0.0, "spread": SPREAD})
    theta = np.array([one["theta"] for one in drawn])
    expected = SPREAD / np.sqrt(list(simulation.LEARNERS.values()))
    assert theta.std(axis=0) == pytest.approx(expected, rel=4 / np.sqrt(2 * 30))
    assert np.mean([one["se_data"] for one in drawn], axis=0) == pytest.approx(expected, rel=0.15)


def test_texts_taken_for_learners_make_intervals_too_short():
    condition = {"seeds": 1, "noise": 0.0, "spread": SPREAD}
    studies = [simulation.study(np.random.default_rng(5), **condition, by_text=by_text) for by_text in (True, False)]
    narrow, wide = (simulation.estimates(study)["general_vs_specialist"]["se_data"]["A1"] for study in studies)
    assert narrow < 0.75 * wide
