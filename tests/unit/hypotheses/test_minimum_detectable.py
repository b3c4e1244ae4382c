"""Claims about minimum detectable gains."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lib.design import LEVELS
from lib.hypotheses import minimum_detectable
from tests.helpers.contrasts import PARAMS, table


def gains(thetas):
    rows = table(general_vs_specialist=thetas)
    rows = rows.assign(se_data=rows["se"] / 2, seeds=2, n_learners=40, gain_pct=100 * np.expm1(rows["theta"]))
    return rows.assign(gain_lo=0.0, gain_hi=0.0)


def test_a_gain_that_is_detectable_is_shown_with_the_asked_power():
    found = minimum_detectable.mde_table(gains((0.2, 0.05)), PARAMS).set_index("level")
    excess = np.log1p(found.loc["A1", "mde_above_zero_pct"] / 100) / 0.05
    shown = stats.nct.sf(stats.t.isf(PARAMS.alpha, 40), 40, excess)
    assert shown == pytest.approx(PARAMS.power, abs=0.002)
    assert (found["mde_above_zero_pct"] < found["mde_above_margin_pct"]).all()
    assert found["seed_share"].tolist() == pytest.approx([0.75] * 5)


def test_the_correction_counts_only_levels_that_were_tested():
    all_levels = minimum_detectable.mde_table(gains((0.2, 0.05)), PARAMS)
    one_level = minimum_detectable.mde_table(gains([(0.2, 0.05), None, None, None, None]), PARAMS)
    assert one_level["level"].tolist() == LEVELS
    assert one_level.loc[0, "mde_above_margin_pct"] < all_levels.loc[0, "mde_above_margin_pct"]
    assert one_level.loc[1:, ["mde_above_zero_pct", "mde_above_margin_pct"]].isna().all(axis=None)


def test_one_seed_leaves_the_share_of_seeds_unknown():
    assert minimum_detectable.mde_table(gains(0.2).assign(seeds=1), PARAMS)["seed_share"].isna().all()


def test_gains_by_design_need_two_learners_and_fall_with_more():
    found = minimum_detectable.gains_by_design(pd.Series([0, 1, 5, 50, 500], LEVELS))
    assert found.isna().tolist() == [True, True, False, False, False]
    assert found["B1"] > 2 * found["B2"] > found["B2"] > found["C1"] > 100 * minimum_detectable.H1_MARGIN


def test_gains_by_design_agree_with_the_simulation():
    """docs/error_rates.md: with 242 learners, three seeds and a noise of .01, a gain of 15 % is found in .94."""
    found = minimum_detectable.gains_by_design(pd.Series(242, LEVELS))
    assert found.between(14, 17).all()
