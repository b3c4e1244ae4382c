"""Paired differences of two models on the same blanks: theta = ln PPL_a - ln PPL_b in nats, positive if b is better.

The intervals account for learners, who are resampled, and for seeds, whose variance is pooled over models.
"""

import numpy as np
import pandas as pd
from scipy import stats

from lib.design import SPECIALIST_LEVEL, kind
from lib.evaluation.statistics import bootstrap, learner_matrix, per_unit, ratio_se, rows_of_level

ESTIMATES = ["theta", "se", "df", "ci_lo", "ci_hi", "gain_pct", "gain_lo", "gain_hi"]
ESTIMATES += ["se_data", "seeds", "n_learners", "n_tokens"]


def satterthwaite(terms):
    """Standard error and df of a sum of independent (variance, df) estimates (Satterthwaite 1946)."""
    variances, dfs = np.array(terms, float).T
    total = variances.sum()
    denominator = (variances**2 / dfs).sum()
    if denominator > 0:
        return np.sqrt(total), total**2 / denominator
    return np.sqrt(total), dfs.max()


def pooled_seed_variance(sums):
    """(pooled variance over seeds of ln PPL, df), over the general model and in-level specialists.

    Transfer models and controls are left out: they are trained for less long or not at all, and vary less than the
    models that are compared. So is a model without any variance. (0, 1) if no model has two seeds.
    """
    totals = sums.table.groupby(["model", "level", "seed"])[["nll_text", "n_tokens"]].sum()
    log_ppl = (totals["nll_text"] / totals["n_tokens"]).groupby(["model", "level"])
    cells = log_ppl.agg(variance="var", seeds="count").query("variance > 0").reset_index()
    pairs = zip(cells["model"], cells["level"], strict=True)
    counts = [counts_towards_pooled_variance(model, level) for model, level in pairs]
    models = cells.loc[counts].groupby("model")[["variance", "seeds"]].mean()
    if not len(models):
        return 0.0, 1.0
    df = models["seeds"] - 1  # once per model, since its levels share their seeds
    return np.average(models["variance"], weights=df), df.sum()


def counts_towards_pooled_variance(model, level):
    """Does a model's variance over seeds at this level count towards the pooled seed variance?"""
    return kind(model) == "general" or SPECIALIST_LEVEL.get(model) == level


def seed_parts(log_ppl, pooled):
    """(variance, df) terms of theta's seed noise: max(v_a, pooled) / S_a + max(v_b, pooled) / S_b.

    v_a, v_b are the variances of ln PPL over the S_a, S_b seeds. The pooled variance has the df of all pooled models.
    Only a model's excess over it has S - 1, so that the interval does not jump where v just exceeds it.
    log_ppl: of each model, by seed; pooled: the result of `pooled_seed_variance`.
    """
    pooled_variance, df = pooled
    terms = [(sum(pooled_variance / len(seeds) for seeds in log_ppl), df)]
    for seeds in log_ppl:
        if len(seeds) > 1:
            excess = max(np.var(seeds, ddof=1) - pooled_variance, 0)
            terms.append((excess / len(seeds), len(seeds) - 1))
    return terms


def _reason_not_estimable(tokens, a, b, min_learners):
    """The reason why a pair cannot be compared, or "". tokens: learners x (model, seed)."""
    absent = [model for model in (a, b) if model not in tokens]
    if absent:
        return f"no scores of {' and '.join(absent)}"
    both = tokens[[a, b]].to_numpy()
    if (both != both[:, :1]).any():
        return f"{a} and {b} were not scored on the same tokens"
    learners = np.count_nonzero(both[:, 0])
    if learners < max(2, min_learners):
        return f"{learners} learners, below {min_learners}"
    return ""


def _estimate(difference, tokens, resampled, resampled_tokens, log_ppl, pooled, alpha):
    """{ESTIMATES} from the nll difference and tokens, per learner and per resample, and two models' ln PPL."""
    theta = difference.sum() / tokens.sum()
    se_data, df_data = ratio_se(resampled, resampled_tokens, tokens)
    se, df = satterthwaite([(se_data**2, df_data), *seed_parts(log_ppl, pooled)])
    ci_lo, ci_hi = theta + np.array([-1, 1]) * stats.t.isf(alpha / 2, df) * se
    gains = 100 * np.expm1([theta, ci_lo, ci_hi])
    sizes = [se_data, min(map(len, log_ppl)), np.count_nonzero(tokens), tokens.sum()]
    return dict(zip(ESTIMATES, [theta, se, df, ci_lo, ci_hi, *gains, *sizes], strict=True))


def estimate(sums, pairs, level, draws=10_000, alpha=0.05, min_learners=5, seed=0, per="token", pooled=None):
    """Rows of contrasts.csv, one per (name, a, b) of pairs, all on the same resamples of a level's learners.

    theta = sum x_c / sum n_c, where x_c is learner c's nll difference averaged over seeds. SE^2 = SE_data^2 of the
    bootstrap + seed_parts; t interval at 1 - alpha with Satterthwaite's df. A model with one seed has the pooled seed
    variance, or none: the row is provisional. What cannot be estimated is NaN, and `reason` says why. per: the unit of
    theta, token, word or character; n_tokens then counts these. pooled: the result of `pooled_seed_variance` for that
    unit, where it is known already.
    """
    sums = per_unit(sums, per)
    models = {model for _, *pair in pairs for model in pair}
    rows = rows_of_level(sums, level)
    rows = rows[rows["model"].isin(models)]
    nll, tokens = learner_matrix(rows, "nll_text"), learner_matrix(rows, "n_tokens")
    log_ppl = nll.sum() / tokens.sum()
    if pooled is None:
        pooled = pooled_seed_variance(sums)
    reasons = [_reason_not_estimable(tokens, a, b, min_learners) for _, a, b in pairs]
    if not all(reasons):
        x, n, resampled_x, resampled_n = bootstrap(nll, tokens, draws, seed)
    table = []
    for (name, a, b), reason in zip(pairs, reasons, strict=True):
        row = {"name": name, "level": level, "a": a, "b": b, "mask_type": sums.mask_type, "subset": sums.subset}
        row |= dict.fromkeys(ESTIMATES, np.nan)
        if not reason:
            difference, resampled = x[a] - x[b], resampled_x[a] - resampled_x[b]
            both = [log_ppl[a], log_ppl[b]]
            row |= _estimate(difference, n[a], resampled, resampled_n[a], both, pooled, alpha)
        notes = []
        if row["seeds"] == 1:
            notes.append("one seed, so seed noise is unknown")
        if not sums.learners_known:
            notes.append("learners are unknown and may overlap")
        table.append(row | {"provisional": bool(notes), "reason": reason or "; ".join(notes)})
    return pd.DataFrame(table)


def estimate_all(sums, pairs, **options):
    """`estimate` at each level that has pairs, concatenated. pairs: {level: pairs}; options: its keywords."""
    sums = per_unit(sums, options.pop("per", "token"))
    options["pooled"] = pooled_seed_variance(sums)
    tables = [estimate(sums, level_pairs, level, **options) for level, level_pairs in pairs.items() if level_pairs]
    return pd.concat(tables, ignore_index=True)


def select(table, mask_type="training_mix", subset="without_copies"):
    """Rows of contrasts.csv of one mask type and subset. The defaults are those of the primary analysis, on which the
    verdicts rest: blanks as in training, in texts that are not copied."""
    return table[(table["mask_type"] == mask_type) & (table["subset"] == subset)]
