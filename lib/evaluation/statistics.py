"""From scores per text to perplexities and paired contrasts whose intervals know about learners and seeds.

A learner's texts resemble each other, so learners are resampled, not texts. Every estimate is a ratio of two
sums over learners: a bootstrap is one product, how often each learner was drawn @ (numerators, denominators).
nll in nats; theta = ln PPL_a - ln PPL_b, above 0 where b is better.
"""

from collections import namedtuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from lib.design import LEVELS, MIXED, role

NLL = ["nll_text", "nll_full", "nll_context"]
COUNTS = ["n_tokens", "n_chars", "n_context"]  # what each nll is per
ESTIMATES = [
    "theta",
    "se",
    "df",
    "ci_lo",
    "ci_hi",
    "gain_pct",
    "gain_lo",
    "gain_hi",
    "se_data",
    "seeds",
    "n_learners",
    "n_tokens",
]
MATRIX = ["n_texts", "n_learners", "n_tokens", "ppl", "ppl_lo", "ppl_hi", "bits_per_char", "context_ppl", "seed_sd"]
# table: a row per model, seed, level and learner, with NLL, COUNTS, n_texts; the rest says what was summed
LearnerSums = namedtuple("LearnerSums", "table mask_type subset learners_known")


def whose(rows, learners_known=True):
    """(number of each row's learner, whether all are named); a text without learner id is its own learner. Numbered as
    they appear: the resamples must not depend on the key that hashed the ids."""
    ids = rows["learner_id"].astype(object).where((rows["learner_id"] != "") & learners_known)
    return pd.factorize(ids.fillna("text " + rows["text_id"].astype(str)))[0], bool(ids.notna().all())


def learner_sums(scores, mask_type="mix", copied=False, subset=None, learners_known=True):
    """Scores as LearnerSums. mask_type may join several ("word+ngram+sentence"); copied texts count only with
    copied=True; a text without learner id is its own learner and makes everything provisional.
    Raises ValueError where an nll is not finite."""
    rows = scores[scores["mask_type"].isin(mask_type.split("+")) & (copied | ~scores["copied"].astype(bool))]
    if len(broken := rows[~np.isfinite(rows[NLL]).all(axis=1)]):
        raise ValueError(f"{len(broken)} scores are not finite, the first: {broken.iloc[0].to_dict()}")
    learner, named = whose(rows, learners_known)
    rows = rows.assign(learner=learner)
    groups = rows.groupby(["model", "seed", "level", "learner"])
    table = groups[NLL + COUNTS].sum().assign(n_texts=groups["text_id"].nunique()).reset_index()
    known = bool(learners_known and named)
    return LearnerSums(table, mask_type, subset or ("all" if copied else "unflagged"), known)


def by_characters(sums):
    """The same for bits per character: nll of answers and end tokens, over characters. A level's characters
    count as its tokens in sum, so theta stays in nats per token and the margins keep their meaning."""
    totals = sums.table.groupby("level")[COUNTS].transform("sum")
    per_char = totals["n_tokens"] / totals["n_chars"]
    table = sums.table.assign(nll_text=sums.table["nll_full"], n_tokens=sums.table["n_chars"] * per_char)
    return sums._replace(table=table, subset="bits per character")


def resampled_sums(values, draws, seed=0, cells=4_000_000):
    """Column sums of values (learners, columns) over bootstrap samples of learners: (draws, columns).
    Blocks of `cells` counts, 32 MB, keep 20,000 learners within memory."""
    rng, learners, sums = np.random.default_rng(seed), len(values), []
    for start in range(0, draws, block := max(1, cells // learners)):
        size = min(block, draws - start)
        picks = rng.integers(learners, size=(size, learners)) + learners * np.arange(size)[:, None]
        counts = np.bincount(picks.ravel(), minlength=size * learners).reshape(size, learners)
        sums.append(counts.astype(float) @ values)
    return np.concatenate(sums)


def _at(sums, level):
    return sums.table if level == MIXED else sums.table[sums.table["level"] == level]


def _wide(part, column):
    """learners x (model, seed); 0 where a model has no score of a learner."""
    sums = part.groupby(["learner", "model", "seed"])[column].sum()
    return sums.unstack(["model", "seed"], fill_value=0).sort_index(axis=1)


def _bootstrap(nll, tokens, draws, seed):
    """nll (mean over seeds) and tokens, each learners x model; then the same summed, each draws x model."""
    nll, tokens = nll.T.groupby("model").mean().T, tokens.T.groupby("model").first().T
    drawn = resampled_sums(np.hstack([nll, tokens]).astype(float), draws, seed)
    return nll, tokens, *(pd.DataFrame(half, columns=nll.columns) for half in np.split(drawn, 2, axis=1))


def _ratio_se(numerators, denominators, tokens):
    """Bootstrap standard error of a ratio, and its df. C / (C - 1) undoes the bootstrap's division by C;
    learners of unequal length count as Kish's effective number, (sum n)^2 / sum n^2."""
    learners, n = np.count_nonzero(tokens), tokens.to_numpy(float)
    se = (numerators / denominators).std() * np.sqrt(learners / max(1, learners - 1))
    return se, max(1.0, n.sum() ** 2 / (n @ n) - 1)


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
    at_home = [pools(*cell) for cell in zip(cells["model"], cells["level"], strict=True)]
    models = cells.loc[at_home].groupby("model")[["v", "seeds"]].mean()
    df = models["seeds"] - 1  # once a model, since its levels share their seeds
    return (np.average(models["v"], weights=df), df.sum()) if len(models) else (0.0, 1.0)


def pools(model, level):
    """Does a model's variance over seeds at this level count for v-bar?"""
    kind, own = role(model)
    return kind == "general" or kind == "specialised" and own == level


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
    se_data, df_data = _ratio_se(drawn, drawn_tokens, tokens)
    se, df = satterthwaite([(se_data**2, df_data), *seed_parts(log_ppl, pooled)])
    low, high = theta + np.array([-1, 1]) * stats.t.isf(alpha / 2, df) * se
    sizes = [se_data, min(map(len, log_ppl)), np.count_nonzero(tokens), tokens.sum()]
    return dict(zip(ESTIMATES, [theta, se, df, low, high, *100 * np.expm1([theta, low, high]), *sizes], strict=True))


def contrasts(sums, pairs, level, draws=10_000, alpha=0.05, min_learners=5, seed=0):
    """Rows of contrasts.csv, one per (name, a, b) of pairs, all on the same resamples of a level's learners.

    theta = sum x_c / sum n_c, x_c learner c's nll difference averaged over seeds. SE^2 = SE_data^2 of the
    bootstrap + seed_parts; t interval at 1 - alpha, Satterthwaite df. One seed leaves a model v-bar or nothing
    for its seed noise: provisional. What cannot be estimated is NaN, no exception, and `why` says so."""
    part = _at(sums, level)[lambda t: t["model"].isin({model for pair in pairs for model in pair[1:]})]
    nll, tokens = _wide(part, "nll_text"), _wide(part, "n_tokens")
    log_ppl, pooled, rows = nll.sum() / tokens.sum(), pooled_seed_variance(sums), []
    reasons = [_unusable(tokens, a, b, min_learners) for _, a, b in pairs]
    x, n, x_drawn, n_drawn = (None,) * 4 if all(reasons) else _bootstrap(nll, tokens, draws, seed)
    for (name, a, b), why in zip(pairs, reasons, strict=True):
        found = (
            {}
            if why
            else _estimate(
                x[a] - x[b], n[a], x_drawn[a] - x_drawn[b], n_drawn[a], [log_ppl[a], log_ppl[b]], pooled, alpha
            )
        )
        stamps = ["one seed, so seed noise is unknown"] * (found.get("seeds") == 1)
        stamps += ["learners are unknown and may overlap"] * (not sums.learners_known)
        rows.append(
            {
                "name": name,
                "level": level,
                "a": a,
                "b": b,
                "mask_type": sums.mask_type,
                "subset": sums.subset,
                **dict.fromkeys(ESTIMATES, np.nan),
                **found,
                "provisional": bool(stamps),
                "why": why or "; ".join(stamps),
            }
        )
    return pd.DataFrame(rows)


def perplexity(sums, tests=(*LEVELS, MIXED), draws=10_000, alpha=0.05, min_learners=5, seed=0):
    """Rows of ppl_matrix.csv: every model on every test column; NaN where there is nothing to measure.

    ppl is the geometric mean over seeds; its interval is log-t, exp(ln PPL +- t SE) with the bootstrap's SE:
    for new learners and these weights. seed_sd, of ln PPL, is the seeds' part."""
    models, columns = sorted(sums.table["model"].unique()), []
    for test in tests:
        column = _test_column(_at(sums, test).query("n_tokens > 0"), draws, alpha, min_learners, seed)
        columns.append(column.reindex(models, columns=MATRIX).assign(test=test, mask_type=sums.mask_type))
    table = pd.concat(columns).rename_axis("model").reset_index().fillna(dict.fromkeys(MATRIX[:3], 0))
    table = table.astype(dict.fromkeys(MATRIX[:3], int)).assign(kind=[role(m)[0] for m in table["model"]])
    return table[["model", "kind", "test", "mask_type", *MATRIX]]


def _test_column(part, draws, alpha, min_learners, seed):
    """MATRIX by model from the learner sums of one test column."""
    if part.empty:
        return pd.DataFrame()
    totals = part.groupby(["model", "seed"])[[*NLL, *COUNTS, "n_texts"]].sum()
    per_seed = totals[NLL] / totals[COUNTS].to_numpy()  # ln PPL, nats per character, ln context PPL
    log_ppl, chars, context = per_seed.groupby("model").mean().to_numpy().T
    _, n, x_drawn, n_drawn = _bootstrap(_wide(part, "nll_text"), _wide(part, "n_tokens"), draws, seed)
    se, df = np.array([_ratio_se(x_drawn[m], n_drawn[m], n[m]) for m in n]).T
    learners = (n > 0).sum()
    half = np.where(learners >= max(2, min_learners), stats.t.isf(alpha / 2, df) * se, np.nan)
    return (
        totals.groupby("model")[["n_texts", "n_tokens"]]
        .first()
        .assign(
            n_learners=learners,
            ppl=np.exp(log_ppl),
            ppl_lo=np.exp(log_ppl - half),
            ppl_hi=np.exp(log_ppl + half),
            bits_per_char=chars / np.log(2),
            context_ppl=np.exp(context),
            seed_sd=per_seed["nll_text"].groupby("model").std(),
        )
    )


def p_above(theta, se, df, margin):
    """One-sided p of theta > margin, numbers or arrays; 0 or 1 where there is no spread at all."""
    excess, se = np.asarray(theta, float) - margin, np.asarray(se, float)
    p = stats.t.sf(excess / np.where(se > 0, se, np.nan), df)
    return np.where(se == 0, np.where(excess > 0, 0.0, 1.0), p)


def holm(p):
    """Holm-adjusted p values, an array; NaN stays NaN and is not in the family."""
    adjusted = np.array(p, float)
    if (made := ~np.isnan(adjusted)).any():
        adjusted[made] = multipletests(adjusted[made], method="holm")[1]
    return adjusted


def minimum_detectable_effect(se, df, alpha=0.05, power=0.9):
    """The excess over a margin, in theta's unit, that a one-sided t test at alpha shows with this power."""
    if not (np.isfinite(se) and df > 0):
        return np.nan
    per_sd = TTestPower().solve_power(nobs=df + 1, alpha=alpha, power=power, alternative="larger")
    return per_sd * np.sqrt(df + 1) * se
