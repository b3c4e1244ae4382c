"""How large a gain this sample could have shown: minimum detectable effects by level."""

import numpy as np

from lib.design import LEVELS
from lib.evaluation.statistics import minimum_detectable_effect

COPIED = ["n_learners", "gain_pct", "gain_lo", "gain_hi"]  # columns of contrasts.csv


def mde_table(gains, settings):
    """mde.csv, a row a level: the smallest true gains that a test shows with the probability settings.power.

    mde_above_zero_pct is for a gain above zero. mde_above_margin_pct is for one above the margin of H1 with Holm's
    strictest correction. Both are in % of perplexity, NaN without a contrast. seed_share is the share of the training
    seeds in the variance, NaN with one seed. gains: the rows general_vs_specialist of contrasts.csv, one a level.
    """
    rows = gains.set_index("level").reindex(LEVELS)
    n_tests = max(1, rows["se"].notna().sum())
    above_zero = _detectable(rows, settings.alpha, settings.power)
    above_margin = _detectable(rows, settings.alpha / n_tests, settings.power)
    table = rows[COPIED].reset_index()
    table.insert(2, "mde_above_zero_pct", 100 * np.expm1(above_zero))
    table["mde_above_margin_pct"] = 100 * ((1 + settings.h1_margin) * np.exp(above_margin) - 1)
    seed_share = 1 - (rows["se_data"] / rows["se"]) ** 2
    table["seed_share"] = seed_share.where(rows["seeds"] > 1).to_numpy()
    return table


def _detectable(rows, alpha, power):
    """By row, the excess over a margin (of ln PPL) that a one-sided test at alpha shows with this power."""
    excess = [minimum_detectable_effect(se, df, alpha, power) for se, df in zip(rows["se"], rows["df"], strict=True)]
    return np.array(excess, float)
