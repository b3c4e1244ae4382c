"""Invented rows of contrasts.csv, and margins, for tests of rules and of their words."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from lib.design import LEVELS, specialist_of, transfer_of

PARAMS = SimpleNamespace(
    h1_margin=0.10,
    h1_strong=0.25,
    h2_margin=0.10,
    h3_margin=0.02,
    alpha=0.05,
    bootstrap_resamples=10_000,
    min_learners=5,
    power=0.9,
    recommendation_margin=0.02,
)
WIDE = (0.1, 0.2)  # theta, se: nothing can be shown


def models_of(name, level):
    """(a, b): the models of the contrast `name` at a level."""
    a, b = name.split("_vs_")
    names = {"specialist": specialist_of(level), "best_specialist": specialist_of(level)}
    names |= {"transfer": transfer_of(level), "continued": "general_continued"}
    return names.get(a, a), names.get(b, b)


def contrast(name, level, theta, a=None, b=None, provisional=False, reason=""):
    """A row of contrasts.csv; theta may be a number (se .005), (theta, se), or None for one that was not estimated."""
    if theta is None:
        theta = (np.nan, np.nan)
    if not isinstance(theta, tuple):
        theta = (theta, 0.005)
    theta, se = theta
    if not reason and np.isnan(theta):
        reason = "no scores of a model"
    default_a, default_b = models_of(name, level)
    return {
        "name": name,
        "level": level,
        "a": a or default_a,
        "b": b or default_b,
        "mask_type": "training_mix",
        "subset": "without_copies",
        "theta": theta,
        "se": se,
        "df": 40,
        "ci_lo": theta - 2 * se,
        "ci_hi": theta + 2 * se,
        "provisional": provisional,
        "reason": reason,
    }


def table(provisional=False, **names):
    """Rows from name=[five thetas] or name=theta for all levels."""
    rows = []
    for name, thetas in names.items():
        thetas = thetas if isinstance(thetas, list) else [thetas] * 5
        for level, theta in zip(LEVELS, thetas, strict=True):
            rows.append(contrast(name, level, theta, provisional=provisional))
    return pd.DataFrame(rows)


def everything(**changes):
    """Rows of all planned contrasts in which H1 and H3 hold and H2 is equivalence, with changes."""
    base = {
        "general_vs_specialist": 0.3,
        "general_vs_best_specialist": 0.0,
        "specialist_vs_transfer": 0.1,
        "general_vs_transfer": 0.1,
        "continued_vs_transfer": 0.1,
    }
    return table(**(base | changes))
