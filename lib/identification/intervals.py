"""Intervals of measures and of their differences, from bootstrap samples of learners.

As for perplexities, the standard error is that of the bootstrap, and the quantile that of a t distribution. Measures
have bounds, so their intervals are symmetric in log odds, and remain within the bounds.
"""

import numpy as np
from scipy import stats


def effective_learners(n_texts):
    """Kish's effective number of learners, (sum n)^2 / sum n^2, who have written n texts each (an array)."""
    n = np.asarray(n_texts, float)
    return n.sum() ** 2 / (n @ n)


def standard_error(drawn, n_learners):
    """Bootstrap standard error; C / (C - 1) corrects the bootstrap's division by the number of learners C."""
    known = drawn[np.isfinite(drawn)]
    if len(known) < 2 or n_learners < 2:
        return np.nan
    return known.std() * np.sqrt(n_learners / (n_learners - 1))


def of_measure(point, se, n_effective, alpha, lowest=0.0):
    """(lower, upper) end for a measure between `lowest` and 1.

    Where all learners agree, at 0 or 1, the standard error is 0. The end is then the value at which n_effective
    independent learners would all agree with probability alpha / 2.
    """
    share = (point - lowest) / (1 - lowest)
    if not np.isfinite(se) or not np.isfinite(point):
        return np.nan, np.nan
    if share >= 1 or share <= 0:
        end = (alpha / 2) ** (1 / n_effective)
        ends = (end, 1.0) if share >= 1 else (0.0, 1 - end)
    else:
        half = _quantile(n_effective, alpha) * se / (1 - lowest) / (share * (1 - share))
        ends = 1 / (1 + np.exp(-(np.log(share / (1 - share)) + half * np.array([-1, 1]))))
    return tuple(lowest + (1 - lowest) * float(end) for end in ends)


def of_difference(point, se, n_effective, alpha):
    """(lower, upper) end for a difference of two measures."""
    half = _quantile(n_effective, alpha) * se
    return point - half, point + half


def _quantile(n_effective, alpha):
    return stats.t.isf(alpha / 2, max(1.0, n_effective - 1))
