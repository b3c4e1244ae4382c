"""From scores per text to perplexities whose intervals know about learners; tests and resampling for all that compares.

A learner's texts resemble each other, so learners are resampled, not texts. Every estimate is a ratio of two
sums over learners: a bootstrap is one product, how often each learner was drawn @ (numerators, denominators).
nll in nats.
"""

from collections import namedtuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from lib.corpus import learners
from lib.design import ALL_LEVELS, LEVELS, kind

NLL = ["nll_text", "nll_full", "nll_context"]
COUNTS = ["n_tokens", "n_chars", "n_context"]  # what each nll is per
MATRIX = ["n_texts", "n_learners", "n_tokens", "ppl", "ppl_lo", "ppl_hi", "bits_per_char", "context_ppl", "seed_sd"]
# table: a row per model, seed, level and learner, with NLL, COUNTS, n_texts; the rest says what was summed
LearnerSums = namedtuple("LearnerSums", "table mask_type subset learners_known")


def learner_codes(rows, learners_known=True):
    """(number of each row's learner, whether all are named). Numbered as they appear: the resamples must not depend on
    the key that hashed the ids. learners_known: False where 01 put a text's own id in the place of some learners'."""
    ids = rows["learner_id"].fillna("")
    return pd.factorize(learners.learner_or_text_id(rows.assign(learner_id=ids)))[0], bool(
        learners_known and (ids != "").all()
    )


def learner_sums(scores, mask_type="training_mix", copied=False, subset=None, learners_known=True):
    """Scores as LearnerSums. mask_type may join several ("word+ngram+sentence"); copied texts count only with
    copied=True; a text without learner id is its own learner and makes everything provisional.
    Raises ValueError where an nll is not finite."""
    rows = scores[scores["mask_type"].isin(mask_type.split("+")) & (copied | ~scores["copied"].astype(bool))]
    if len(broken := rows[~np.isfinite(rows[NLL]).all(axis=1)]):
        raise ValueError(f"{len(broken)} scores are not finite, the first: {broken.iloc[0].to_dict()}")
    learner, named = learner_codes(rows, learners_known)
    rows = rows.assign(learner=learner)
    groups = rows.groupby(["model", "seed", "level", "learner"])
    table = groups[NLL + COUNTS].sum().assign(n_texts=groups["text_id"].nunique()).reset_index()
    known = bool(learners_known and named)
    return LearnerSums(table, mask_type, subset or ("with_copies" if copied else "without_copies"), known)


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


def on_training_mix(table):
    """The rows of a table by mask_type that are about blanks drawn as in training, which the study is about."""
    return table[table["mask_type"] == "training_mix"]


def at(sums, level):
    """The table of LearnerSums at one level, or the whole of it for all levels together (MIXED)."""
    return sums.table if level == ALL_LEVELS else sums.table[sums.table["level"] == level]


def wide(part, column):
    """learners x (model, seed); 0 where a model has no score of a learner."""
    sums = part.groupby(["learner", "model", "seed"])[column].sum()
    return sums.unstack(["model", "seed"], fill_value=0).sort_index(axis=1)


def bootstrap(nll, tokens, draws, seed):
    """nll (mean over seeds) and tokens, each learners x model; then the same summed, each draws x model."""
    nll, tokens = nll.T.groupby("model").mean().T, tokens.T.groupby("model").first().T
    drawn = resampled_sums(np.hstack([nll, tokens]).astype(float), draws, seed)
    return nll, tokens, *(pd.DataFrame(half, columns=nll.columns) for half in np.split(drawn, 2, axis=1))


def ratio_se(numerators, denominators, tokens):
    """Bootstrap standard error of a ratio, and its df. C / (C - 1) undoes the bootstrap's division by C;
    learners of unequal length count as Kish's effective number, (sum n)^2 / sum n^2."""
    learners, n = np.count_nonzero(tokens), tokens.to_numpy(float)
    se = (numerators / denominators).std() * np.sqrt(learners / max(1, learners - 1))
    return se, max(1.0, n.sum() ** 2 / (n @ n) - 1)


def perplexity(sums, tests=(*LEVELS, ALL_LEVELS), draws=10_000, alpha=0.05, min_learners=5, seed=0):
    """Rows of ppl_matrix.csv: every model on every test column; NaN where there is nothing to measure.

    ppl is the geometric mean over seeds; its interval is log-t, exp(ln PPL +- t SE) with the bootstrap's SE:
    for new learners and these weights. seed_sd, of ln PPL, is the seeds' part."""
    models, columns = sorted(sums.table["model"].unique()), []
    for test in tests:
        column = _test_column(at(sums, test).query("n_tokens > 0"), draws, alpha, min_learners, seed)
        columns.append(column.reindex(models, columns=MATRIX).assign(test=test, mask_type=sums.mask_type))
    table = pd.concat(columns).rename_axis("model").reset_index().fillna(dict.fromkeys(MATRIX[:3], 0))
    table = table.astype(dict.fromkeys(MATRIX[:3], int)).assign(kind=list(map(kind, table["model"])))
    return table[["model", "kind", "test", "mask_type", *MATRIX]]


def _test_column(part, draws, alpha, min_learners, seed):
    """MATRIX by model from the learner sums of one test column."""
    if part.empty:
        return pd.DataFrame()
    totals = part.groupby(["model", "seed"])[[*NLL, *COUNTS, "n_texts"]].sum()
    per_seed = totals[NLL] / totals[COUNTS].to_numpy()  # ln PPL, nats per character, ln context PPL
    log_ppl, chars, context = per_seed.groupby("model").mean().to_numpy().T
    _, n, x_drawn, n_drawn = bootstrap(wide(part, "nll_text"), wide(part, "n_tokens"), draws, seed)
    se, df = np.array([ratio_se(x_drawn[m], n_drawn[m], n[m]) for m in n]).T
    learners = (n > 0).sum()
    half = np.where(learners >= max(2, min_learners), stats.t.isf(alpha / 2, df) * se, np.nan)
    ppl = {"ppl": np.exp(log_ppl), "ppl_lo": np.exp(log_ppl - half), "ppl_hi": np.exp(log_ppl + half)}
    more = {"bits_per_char": chars / np.log(2), "context_ppl": np.exp(context)}
    more["seed_sd"] = per_seed["nll_text"].groupby("model").std()
    return totals.groupby("model")[["n_texts", "n_tokens"]].first().assign(n_learners=learners, **ppl, **more)


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
