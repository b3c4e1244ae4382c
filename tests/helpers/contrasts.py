"""Made-up rows of contrasts.csv, and margins, for tests of rules and of words."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from lib.design import LEVELS

PARAMS = SimpleNamespace(h1_margin=0.10, h1_strong=0.25, h2_margin=0.10, h3_margin=0.02, alpha=0.05,
                         bootstrap_resamples=10_000, min_learners=5, power=0.9, recommendation_margin=0.02)  # fmt: skip
WIDE = (0.1, 0.2)  # theta, se: nothing can be shown


def contrast(name, level, theta, a="general", b="best", provisional=False, why=""):
    """A row of contrasts.csv; theta may be a number (se .005), (theta, se) or None for one that was not made."""
    theta, se = theta if isinstance(theta, tuple) else (np.nan, np.nan) if theta is None else (theta, 0.005)
    why = why or ("no scores of a model" if np.isnan(theta) else "")
    return {
        "name": name,
        "level": level,
        "a": a,
        "b": b,
        "mask_type": "training_mix",
        "subset": "without_copies",
        "theta": theta,
        "se": se,
        "df": 40,
        "ci_lo": theta - 2 * se,
        "ci_hi": theta + 2 * se,
        "provisional": provisional,
        "reason": why,
    }


def table(provisional=False, **names):
    """general_vs_specialist=[five thetas] or one theta for all levels, and so on."""
    rows = [
        contrast(name, level, theta, provisional=provisional)
        for name, thetas in names.items()
        for level, theta in zip(LEVELS, thetas if isinstance(thetas, list) else [thetas] * 5, strict=True)
    ]
    return pd.DataFrame(rows)


def everything(**changes):
    base = {
        "general_vs_specialist": 0.3,
        "general_vs_best_specialist": 0.0,
        "specialist_vs_transfer": 0.1,
        "general_vs_transfer": 0.1,
        "continued_vs_transfer": 0.1,
    }
    return table(**(base | changes))
