"""Would a paired seed variance be the better rule? `.venv/bin/python bench/validity/paired_rule.py`

Compares the present rule (the sum of two variances, each the pooled one or the model's own, if that is larger) with
the variance over seeds of the paired difference, partially pooled over levels. Studies are drawn as ln PPL by seed and
level with a normal error of the learners, many at once, at EFCAMDAT's numbers of learners and the margin as truth.
Writes coverage, false claims of H1 and power at a true gain of 15 % to bench/records/paired_rule.json. seed_pairs.py
measures the correlation.
"""

import sys
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from bench.validity.simulation import LEARNERS, SHARED, STAND_IN, UNEVEN, measured
from lib.design import LEVELS
from lib.evaluation.statistics import holm
from lib.experiment.files import write_json

STUDIES = 5000
CORRELATIONS = (0.0, 0.3, 0.6)
PRIOR = 2.0  # df that the mean over levels weighs against a level's own seeds - 1
POOLED_DF = 3  # times seeds - 1: of the mean over five levels, which share the general model
GAIN = np.log(1.15 / 1.10)  # a true gain of 15 % above the margin
ALPHA = 0.05
RECORD = "bench/records/paired_rule.json"


def drawn(rng, seeds, noise, spread, correlation, uneven):
    """(general, specialist, error, se, df): deviations of ln PPL [studies, levels, seeds] with this correlation, and
    the learners' error of theta with its estimated standard error and df [studies, levels]."""
    shape = STUDIES, len(LEVELS), seeds
    common = rng.normal(size=(STUDIES, 1, seeds))
    general = SHARED**0.5 * common + (1 - SHARED) ** 0.5 * rng.normal(size=shape)
    specialist = correlation * general + (1 - correlation**2) ** 0.5 * rng.normal(size=shape)
    scale = np.array([UNEVEN[level] if uneven else 1.0 for level in LEVELS])[:, None]
    learners = np.array([LEARNERS[level] for level in LEVELS])
    df = np.minimum(learners, STAND_IN) / 2  # learners write unlike numbers of tokens
    true_se = spread / np.sqrt(learners)
    error = rng.normal(size=shape[:2]) * true_se
    se = true_se * np.sqrt(rng.chisquare(df, shape[:2]) / df)
    return noise * general, noise * scale * specialist, error, se, df


def combined(terms):
    """Standard error and df (Satterthwaite) of a sum of (variance, df) terms, arrays."""
    total = sum(variance for variance, _ in terms)
    return np.sqrt(total), total**2 / sum(variance**2 / df for variance, df in terms)


def present_rule(general, specialist, se, df):
    seeds = general.shape[2]
    own = [general.var(axis=2, ddof=1), specialist.var(axis=2, ddof=1)]
    pooled = (own[0].mean(axis=1) + own[1].sum(axis=1))[:, None] / (1 + len(LEVELS))
    excesses = [(np.maximum(variance - pooled, 0) / seeds, seeds - 1) for variance in own]
    return combined([(se**2, df), (2 * pooled / seeds, (1 + len(LEVELS)) * (seeds - 1)), *excesses])


def paired_rule(general, specialist, se, df):
    seeds = general.shape[2]
    own = (general - specialist).var(axis=2, ddof=1)
    mean = own.mean(axis=1)[:, None]
    shrunk = (PRIOR * mean + (seeds - 1) * own) / (PRIOR + seeds - 1)
    return combined([(se**2, df), (shrunk / seeds, min(PRIOR + seeds - 1, POOLED_DF * (seeds - 1)))])


def claimed(theta, se, df):
    """Whether H1 is claimed, bool [studies, levels]. theta: above the margin."""
    return np.apply_along_axis(holm, 1, stats.t.sf(theta / se, df)) < ALPHA


def judged(rule, sample):
    """Coverage and power by level, and the share of studies with a false claim of H1."""
    general, specialist, error, se_data, df_data = sample
    theta = (general - specialist).mean(axis=2) + error
    se, df = rule(general, specialist, se_data, df_data)
    inside = np.abs(theta) <= stats.t.isf(ALPHA / 2, df) * se
    found = {"coverage": inside.mean(axis=0), "power": claimed(theta + GAIN, se, df).mean(axis=0)}
    by_level = {name: dict(zip(LEVELS, shares.round(3).tolist(), strict=True)) for name, shares in found.items()}
    return by_level | {"false_h1_anywhere": round(float(claimed(theta, se, df).any(axis=1).mean()), 4)}


def main():
    spread, noise = measured()
    settings = {
        "three seeds": (3, noise, False),
        "three seeds, small levels' models noisier": (3, noise, True),
        "three seeds, noise .02": (3, 0.02, False),
        "two seeds": (2, noise, False),
        "ten seeds": (10, noise, False),
    }
    record = {}
    for name, (seeds, sd, uneven) in settings.items():
        for correlation in CORRELATIONS:
            sample = drawn(np.random.default_rng(0), seeds, sd, spread, correlation, uneven)
            rules = {"present": judged(present_rule, sample), "paired": judged(paired_rule, sample)}
            record[f"{name}, correlation {correlation}"] = rules
            print(name, correlation, rules, flush=True)
    write_json(facts() | {"studies": STUDIES, "conditions": record}, RECORD)


if __name__ == "__main__":
    main()
