"""How large a gain a sample can show: minimum detectable effects by level, before training and after."""

import numpy as np
import pandas as pd

from lib.design import LEVELS
from lib.evaluation.contrasts import satterthwaite
from lib.evaluation.statistics import minimum_detectable_effect

# What is assumed before training (docs/error_rates.md): sd between learners of a difference of ln PPL, as in 2,868 real
# texts; sd between seeds of a model's ln PPL, as at the real study's smallest budget; and the rules of params/efcamdat.
LEARNER_SD, SEED_SD, SEEDS, MODELS = 0.163, 0.01, 3, 6
H1_MARGIN, ALPHA, POWER = 0.10, 0.05, 0.90
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


def gains_by_design(n_learners):
    """The smallest true gains, in % of perplexity, that H1 shows with probability POWER, before anything is trained.

    n_learners: of the test set, a Series by level, 0 where there can be no verdict. The assumptions stand above.
    Returns a Series, NaN with fewer than two learners.
    """
    n_tests = max(1, (n_learners >= 2).sum())
    gains = {}
    for level, n in n_learners.items():
        excess = np.nan
        if n >= 2:
            data, seeds = LEARNER_SD**2 / n, 2 * SEED_SD**2 / SEEDS
            se, df = satterthwaite([(data, n - 1), (seeds, MODELS * (SEEDS - 1))])
            excess = minimum_detectable_effect(se, df, ALPHA / n_tests, POWER)
        gains[level] = 100 * ((1 + H1_MARGIN) * np.exp(excess) - 1)
    return pd.Series(gains)
