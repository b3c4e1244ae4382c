"""How well levels are identified: four measures of the confusion matrix, with intervals over learners.

The texts of a learner are alike, so learners are resampled, not texts: a resample's confusion matrix is the sum of
those of the learners drawn. All systems have the same resamples, so that their differences are paired.
"""

import itertools
import warnings

import numpy as np
import pandas as pd

from lib.design import LEVELS
from lib.evaluation.statistics import resampled_sums
from lib.identification import intervals

N = len(LEVELS)
STEPS = np.abs(np.arange(N)[:, None] - np.arange(N))  # [level, identified level]: by how many levels they differ
MEASURES = ["accuracy", "macro_f1", "kappa", "adjacent"]
LOWEST = {"kappa": -1.0}  # possible value of a measure; of the others 0


def confusions_by_learner(levels, identified, learners):
    """float [learners, N, N]: texts by learner, level and identified level, in the order of LEVELS.

    levels, identified: names of levels, one a text; learners: their numbers from 0 on, one a text.
    """
    rows, columns = pd.Index(LEVELS).get_indexer(levels), pd.Index(LEVELS).get_indexer(identified)
    if (rows < 0).any() or (columns < 0).any():
        raise ValueError(f"a level is none of {', '.join(LEVELS)}")
    counts = np.zeros((max(learners, default=-1) + 1, N, N))
    np.add.at(counts, (np.asarray(learners, int), rows, columns), 1)
    return counts


def measure(confusions, tested):
    """{measure: array [...]} of confusion matrices [..., level, identified level].

    tested: bool [level], the levels over which macro F1 is averaged. A measure is NaN where it is not defined: kappa
    where a single level is both the only true and the only identified one, for instance.
    """
    texts = confusions.sum((-2, -1))
    of_level, of_identified = confusions.sum(-1), confusions.sum(-2)
    by_chance = of_level[..., :, None] * of_identified[..., None, :] / _or_nan(texts)[..., None, None]
    right = np.diagonal(confusions, axis1=-2, axis2=-1)
    f1 = 2 * right / _or_nan(of_level + of_identified)
    squared = STEPS**2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a resample may be without any tested level
        macro_f1 = np.nanmean(f1[..., tested], axis=-1) if np.any(tested) else np.full(texts.shape, np.nan)
    return {
        "accuracy": right.sum(-1) / _or_nan(texts),
        "macro_f1": macro_f1,
        "kappa": 1 - (squared * confusions).sum((-2, -1)) / _or_nan((squared * by_chance).sum((-2, -1))),
        "adjacent": confusions[..., STEPS <= 1].sum(-1) / _or_nan(texts),
    }


def _or_nan(values):
    return np.where(values > 0, values, np.nan)


def tabulate(levels, identified, learners, settings):
    """(measures, differences, confusion): three frames about several systems on the same texts.

    levels: of the texts; identified: a frame of the systems' levels, a column each, which is all None where a system
    is n/a; learners: numbers, one a text; settings: resamples, alpha, min_learners and seed. measures: a row a system,
    each measure with its interval (_lo, _hi), NaN for fewer than min_learners learners; differences: a row for each
    pair of systems, the first minus the second; confusion: texts and learners of each system, level and identified one.
    """
    counts = {}
    for system in identified:
        if identified[system].notna().all() and len(identified):
            counts[system] = confusions_by_learner(levels, identified[system], learners)
    tested = np.isin(LEVELS, levels)
    drawn = _resampled(counts, tested, settings)
    points = {system: measure(of_learners.sum(0), tested) for system, of_learners in counts.items()}
    n_texts = np.bincount(learners) if len(learners) else np.zeros(0)
    rows, pairs = [], []
    for system in counts:
        ends = _ends(points[system], drawn[system], n_texts, settings.alpha)
        rows.append({"system": system} | _counts(counts[system]) | ends)
    for system, other in itertools.combinations(counts, 2):
        gap = {name: points[system][name] - points[other][name] for name in MEASURES}
        gaps = {name: drawn[system][name] - drawn[other][name] for name in MEASURES}
        ends = _ends(gap, gaps, n_texts, settings.alpha, difference=True)
        pairs.append({"system": system, "other": other} | ends)
    tables = [_confusion(system, of_learners) for system, of_learners in counts.items()]
    confusion = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=CONFUSION)
    return pd.DataFrame(rows, columns=MEASURED), pd.DataFrame(pairs, columns=COMPARED), confusion


INTERVALS = [f"{name}{end}" for name in MEASURES for end in ("", "_lo", "_hi")]
GROUPS = {  # answers by how many levels they are off; n_learners_<group> have one or more of them
    "right": STEPS == 0,
    "wrong": STEPS > 0,
    "one_off": STEPS == 1,
    "far_off": STEPS > 1,
}
COUNTS = ["n_texts", "n_learners", *(f"n_learners_{group}" for group in GROUPS)]
MEASURED = ["system", *COUNTS, *INTERVALS]
COMPARED = ["system", "other", *INTERVALS]
CONFUSION = ["system", "level", "identified", "n_texts", "n_learners", "n_learners_of_level"]


def _resampled(counts, tested, settings):
    """{system: {measure: array [resamples]}}, all NaN where there are too few learners."""
    if not counts:
        return {}
    n_learners = len(next(iter(counts.values())))
    if n_learners < settings.min_learners:
        return {system: dict.fromkeys(MEASURES, np.full(1, np.nan)) for system in counts}
    side_by_side = np.hstack([of_learners.reshape(n_learners, N * N) for of_learners in counts.values()])
    sums = resampled_sums(side_by_side, settings.resamples, settings.seed)
    parts = np.split(sums, len(counts), axis=1)
    return {system: measure(part.reshape(-1, N, N), tested) for system, part in zip(counts, parts)}


def _ends(points, drawn, n_texts, alpha, difference=False):
    """Each measure, or difference of two, with the ends of its interval."""
    n_effective = intervals.effective_learners(n_texts)
    row = {}
    for name in MEASURES:
        se = intervals.standard_error(drawn[name], len(n_texts))
        if difference:
            ends = intervals.of_difference(points[name], se, n_effective, alpha)
        else:
            ends = intervals.of_measure(points[name], se, n_effective, alpha, LOWEST.get(name, 0.0))
        row |= {name: float(points[name]), f"{name}_lo": ends[0], f"{name}_hi": ends[1]}
    return row


def _counts(of_learners):
    """COUNTS of a system."""
    numbers = [of_learners.sum(), len(of_learners)]
    numbers += [(of_learners[:, cells].sum(1) > 0).sum() for cells in GROUPS.values()]
    return dict(zip(COUNTS, map(int, numbers)))


def _confusion(system, of_learners):
    """Rows of CONFUSION of a system, for levels with texts."""
    rows = []
    for row, level in enumerate(LEVELS):
        n_learners_of_level = int((of_learners[:, row].sum(1) > 0).sum())
        for column, identified in enumerate(LEVELS):
            cell = of_learners[:, row, column]
            rows.append([system, level, identified, int(cell.sum()), int((cell > 0).sum()), n_learners_of_level])
    table = pd.DataFrame(rows, columns=CONFUSION)
    return table[table["n_learners_of_level"] > 0]
