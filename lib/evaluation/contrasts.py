"""Paired differences of two models on the same blanks: theta = ln PPL_a - ln PPL_b, in nats, above 0 where b is better.

Their intervals know about learners, who are resampled, and about seeds, whose variance is pooled over models.
"""

import numpy as np
import pandas as pd
from scipy import stats

from lib.design import SPECIALIST_LEVEL, kind
from lib.evaluation.statistics import at, bootstrap, ratio_se, wide

ESTIMATES = ["theta", "se", "df", "ci_lo", "ci_hi", "gain_pct", "gain_lo", "gain_hi"]
ESTIMATES += ["se_data", "seeds", "n_learners", "n_tokens"]


def satterthwaite(parts):
    """Standard error and df of a sum of independent (variance, df) estimates (Satterthwaite 1946)."""
    variances, dfs = np.array(parts, float).T
    total, below = variances.sum(), (variances**2 / dfs).sum()
    return np.sqrt(total), total**2 / below if below > 0 else dfs.max()


def pooled_seed_variance(sums):
    """(v-bar, df): variance over seeds of ln PPL, averaged over the general and the levels' own models, at home.
    Transfer models and controls stay out: trained for less long, or not at all, they vary less than what is compared.
    So does one that never varies. (0, 1) without a second seed."""
    totals = sums.table.groupby(["model", "level", "seed"])[["nll_text", "n_tokens"]].sum()
    log_ppl = (totals["nll_text"] / totals["n_tokens"]).groupby(["model", "level"])
    cells = log_ppl.agg(v="var", seeds="count").query("v > 0").reset_index()
    at_home = [counts_towards_pooled_variance(*cell) for cell in zip(cells["model"], cells["level"], strict=True)]
    models = cells.loc[at_home].groupby("model")[["v", "seeds"]].mean()
    df = models["seeds"] - 1  # once a model, since its levels share their seeds
    return (np.average(models["v"], weights=df), df.sum()) if len(models) else (0.0, 1.0)


def counts_towards_pooled_variance(model, level):
    """Does a model's variance over seeds at this level count for v-bar?"""
    return kind(model) == "general" or SPECIALIST_LEVEL.get(model) == level


def seed_parts(log_ppl, pooled):
    """(variance, df) terms of theta's seed noise, max(v_a, v-bar) / S_a + max(v_b, v-bar) / S_b: this is
    2 max(v, v-bar) / S for models alike. log_ppl: per model (S,). v-bar has the df of all pooled models; only what a
    model's own v exceeds it by has S - 1, so that a v just above v-bar does not make the interval jump."""
    floor, df = pooled
    excess = [(max(np.var(x, ddof=1) - floor, 0) / len(x), len(x) - 1) for x in log_ppl if len(x) > 1]
    return [(sum(floor / len(x) for x in log_ppl), df), *excess]


def _unusable(tokens, a, b, min_learners):
    """Why there is no contrast, or ''. tokens: learners x (model, seed)."""
    if absent := [model for model in (a, b) if model not in tokens]:
        return f"no scores of {' and '.join(absent)}"
    both = tokens[[a, b]].to_numpy()
    if (both != both[:, :1]).any():
        return f"{a} and {b} were not scored on the same tokens"
    learners = np.count_nonzero(both[:, 0])
    return "" if learners >= max(2, min_learners) else f"{learners} learners, below {min_learners}"


def _estimate(difference, tokens, drawn, drawn_tokens, log_ppl, pooled, alpha):
    """{ESTIMATES} from the nll difference and tokens, per learner and per draw, and two models' ln PPL."""
    theta = difference.sum() / tokens.sum()
    se_data, df_data = ratio_se(drawn, drawn_tokens, tokens)
    se, df = satterthwaite([(se_data**2, df_data), *seed_parts(log_ppl, pooled)])
    low, high = theta + np.array([-1, 1]) * stats.t.isf(alpha / 2, df) * se
    sizes = [se_data, min(map(len, log_ppl)), np.count_nonzero(tokens), tokens.sum()]
    return dict(zip(ESTIMATES, [theta, se, df, low, high, *100 * np.expm1([theta, low, high]), *sizes], strict=True))


def estimate(sums, pairs, level, draws=10_000, alpha=0.05, min_learners=5, seed=0):
    """Rows of contrasts.csv, one per (name, a, b) of pairs, all on the same resamples of a level's learners.

    theta = sum x_c / sum n_c, x_c learner c's nll difference averaged over seeds. SE^2 = SE_data^2 of the
    bootstrap + seed_parts; t interval at 1 - alpha, Satterthwaite df. One seed leaves a model v-bar or nothing
    for its seed noise: provisional. What cannot be estimated is NaN, no exception, and `why` says so."""
    part = at(sums, level)[lambda t: t["model"].isin({model for pair in pairs for model in pair[1:]})]
    nll, tokens = wide(part, "nll_text"), wide(part, "n_tokens")
    log_ppl, pooled, rows = nll.sum() / tokens.sum(), pooled_seed_variance(sums), []
    reasons = [_unusable(tokens, a, b, min_learners) for _, a, b in pairs]
    x, n, x_drawn, n_drawn = (None,) * 4 if all(reasons) else bootstrap(nll, tokens, draws, seed)
    for (name, a, b), why in zip(pairs, reasons, strict=True):
        found = {}
        if not why:
            both = x[a] - x[b], n[a], x_drawn[a] - x_drawn[b], n_drawn[a]
            found = _estimate(*both, [log_ppl[a], log_ppl[b]], pooled, alpha)
        stamps = ["one seed, so seed noise is unknown"] * (found.get("seeds") == 1)
        stamps += ["learners are unknown and may overlap"] * (not sums.learners_known)
        row = {"name": name, "level": level, "a": a, "b": b, "mask_type": sums.mask_type, "subset": sums.subset}
        row |= dict.fromkeys(ESTIMATES, np.nan) | found
        rows.append(row | {"provisional": bool(stamps), "reason": why or "; ".join(stamps)})
    return pd.DataFrame(rows)


def estimate_all(sums, wishes, **how):
    """`of` at each level that something is asked at, one below the other. wishes: {level: pairs}; how: as there."""
    return pd.concat(
        [estimate(sums, pairs, level, **how) for level, pairs in wishes.items() if pairs], ignore_index=True
    )


def select(table, mask_type="training_mix", subset="without_copies"):
    """The rows of one way to ask; without more words the primary one, on which verdicts rest: training's mix of blanks
    in texts that nobody copied."""
    return table[(table["mask_type"] == mask_type) & (table["subset"] == subset)]
