"""Perplexities with intervals over learners, and the tests and the bootstrap that all comparisons use.

The texts of a learner are alike, so learners are resampled, not texts. Every estimate is a ratio of two sums over
learners. A bootstrap is therefore one matrix product: how often each learner was drawn @ (numerators, denominators).
nll is in nats.
"""

from collections import namedtuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.power import TTestPower

from lib.corpus import learners
from lib.design import ALL_LEVELS, LEVELS, kind

NLL = ["nll_text", "nll_full", "nll_context"]
COUNTS = ["n_tokens", "n_chars", "n_context"]  # the denominator of each nll
UNITS = {"token": "n_tokens", "word": "n_words", "character": "n_chars"}  # what a perplexity may be counted in
MATRIX = ["n_texts", "n_learners", "n_tokens", "ppl", "ppl_lo", "ppl_hi", "bits_per_char", "context_ppl", "seed_sd"]
# table: a row per model, seed, level and learner, with NLL, COUNTS and n_texts
LearnerSums = namedtuple("LearnerSums", "table mask_type subset learners_known")


def learner_codes(rows, learners_known=True):
    """(number of each row's learner, whether all are known).

    Learners are numbered in order of appearance, since the resamples must not depend on the key that hashed the ids.
    learners_known: False if 01_extract replaced missing learner ids by text ids.
    """
    ids = rows["learner_id"].fillna("")
    codes, _ = pd.factorize(learners.learner_or_text_id(rows.assign(learner_id=ids)))
    return codes, bool(learners_known and (ids != "").all())


def learner_sums(scores, mask_type="training_mix", copied=False, subset=None, learners_known=True):
    """Scores as LearnerSums.

    mask_type may join several ("word+ngram+sentence"); copied: include copied texts; subset: a name for the texts. A
    text without learner id counts as a learner of its own and makes the results provisional. Raises ValueError if an
    nll is not finite.
    """
    rows = scores[scores["mask_type"].isin(mask_type.split("+"))]
    if not copied:
        rows = rows[~rows["copied"].astype(bool)]
    not_finite = rows[~np.isfinite(rows[NLL]).all(axis=1)]
    if len(not_finite):
        raise ValueError(f"{len(not_finite)} scores are not finite, the first: {not_finite.iloc[0].to_dict()}")
    codes, all_known = learner_codes(rows, learners_known)
    groups = rows.assign(learner=codes).groupby(["model", "seed", "level", "learner"])
    counted = [*NLL, *COUNTS, *rows.columns.intersection(["n_words"])]
    table = groups[counted].sum().assign(n_texts=groups["text_id"].nunique()).reset_index()
    if subset is None:
        subset = "with_copies" if copied else "without_copies"
    return LearnerSums(table, mask_type, subset, all_known)


def by_characters(sums, unit="token"):
    """LearnerSums for bits per character: nll of answers and end tokens, divided by characters.

    Characters are rescaled so that each level has as many as it has of the unit. So theta stays in nats per unit, and
    the margins keep their meaning.
    """
    counts = sums.table[["level", "n_chars", UNITS[unit]]]
    totals = counts.groupby("level").transform("sum")
    rescaled = counts["n_chars"] * (totals[UNITS[unit]] / totals["n_chars"])
    table = sums.table.assign(**{"nll_text": sums.table["nll_full"], UNITS[unit]: rescaled})
    return sums._replace(table=table, subset="bits per character")


def per_unit(sums, unit):
    """LearnerSums in which n_tokens counts a unit of UNITS, so that theta is in nats per unit. ValueError if the scores
    do not say how many words were masked."""
    if unit == "token":
        return sums
    if UNITS[unit] not in sums.table:
        raise ValueError("the scores do not contain the number of words: run 04_evaluate again")
    return sums._replace(table=sums.table.assign(n_tokens=sums.table[UNITS[unit]]))


def resampled_sums(values, draws, seed=0, cells=4_000_000):
    """Column sums of values (learners, columns) over bootstrap samples of learners: (draws, columns).

    Draws are made in blocks of `cells` counts (32 MB), so that 20,000 learners fit into memory.
    """
    rng = np.random.default_rng(seed)
    n_learners = len(values)
    block = max(1, cells // n_learners)
    sums = []
    for start in range(0, draws, block):
        size = min(block, draws - start)
        picks = rng.integers(n_learners, size=(size, n_learners)) + n_learners * np.arange(size)[:, None]
        counts = np.bincount(picks.ravel(), minlength=size * n_learners).reshape(size, n_learners)
        sums.append(counts.astype(float) @ values)
    return np.concatenate(sums)


def on_training_mix(table):
    """The rows of a table for the training mix: blanks drawn as in training, on which the primary analysis rests."""
    return table[table["mask_type"] == "training_mix"]


def rows_of_level(sums, level):
    """The table of LearnerSums at one level, or all of it for ALL_LEVELS."""
    if level == ALL_LEVELS:
        return sums.table
    return sums.table[sums.table["level"] == level]


def learner_matrix(rows, column):
    """learners x (model, seed), from rows of a LearnerSums' table; 0 where a model has no score of a learner."""
    sums = rows.groupby(["learner", "model", "seed"])[column].sum()
    return sums.unstack(["model", "seed"], fill_value=0).sort_index(axis=1)


def bootstrap(nll, tokens, draws, seed):
    """nll (mean over seeds) and tokens, each learners x model; then the same summed, each draws x model."""
    nll = nll.T.groupby("model").mean().T
    tokens = tokens.T.groupby("model").first().T
    resampled = resampled_sums(np.hstack([nll, tokens]).astype(float), draws, seed)
    nll_sums, token_sums = np.split(resampled, 2, axis=1)
    return nll, tokens, pd.DataFrame(nll_sums, columns=nll.columns), pd.DataFrame(token_sums, columns=nll.columns)


def ratio_se(numerators, denominators, tokens):
    """Bootstrap standard error of a ratio, and its df.

    The factor C / (C - 1) corrects the bootstrap's division by the number of learners C. The df use Kish's effective
    number of learners, (sum n)^2 / sum n^2, since learners have written different numbers of tokens n.
    """
    n_learners = np.count_nonzero(tokens)
    n = tokens.to_numpy(float)
    se = (numerators / denominators).std() * np.sqrt(n_learners / max(1, n_learners - 1))
    return se, max(1.0, n.sum() ** 2 / (n @ n) - 1)


def perplexity(sums, tests=(*LEVELS, ALL_LEVELS), draws=10_000, alpha=0.05, min_learners=5, seed=0):
    """Rows of ppl_matrix.csv: every model on every test column; NaN without scored tokens.

    ppl is the geometric mean over seeds. Its interval is exp(ln PPL +- t SE) with the bootstrap's SE, for new learners
    given these weights. seed_sd is the standard deviation of ln PPL over seeds.
    """
    models = sorted(sums.table["model"].unique())
    columns = []
    for test in tests:
        rows = rows_of_level(sums, test).query("n_tokens > 0")
        column = _test_column(rows, draws, alpha, min_learners, seed)
        columns.append(column.reindex(models, columns=MATRIX).assign(test=test, mask_type=sums.mask_type))
    table = pd.concat(columns).rename_axis("model").reset_index().fillna(dict.fromkeys(MATRIX[:3], 0))
    table = table.astype(dict.fromkeys(MATRIX[:3], int)).assign(kind=list(map(kind, table["model"])))
    return table[["model", "kind", "test", "mask_type", *MATRIX]]


def _test_column(rows, draws, alpha, min_learners, seed):
    """MATRIX by model from the learner sums of one test column."""
    if rows.empty:
        return pd.DataFrame()
    totals = rows.groupby(["model", "seed"])[[*NLL, *COUNTS, "n_texts"]].sum()
    per_seed = totals[NLL] / totals[COUNTS].to_numpy()  # ln PPL, nats per character, ln context PPL
    log_ppl, chars, context = per_seed.groupby("model").mean().to_numpy().T
    nll, tokens = learner_matrix(rows, "nll_text"), learner_matrix(rows, "n_tokens")
    _, n, resampled_nll, resampled_n = bootstrap(nll, tokens, draws, seed)
    se, df = np.array([ratio_se(resampled_nll[model], resampled_n[model], n[model]) for model in n]).T
    n_learners = (n > 0).sum()
    half_width = np.where(n_learners >= max(2, min_learners), stats.t.isf(alpha / 2, df) * se, np.nan)
    return (
        totals.groupby("model")[["n_texts", "n_tokens"]]
        .first()
        .assign(
            n_learners=n_learners,
            ppl=np.exp(log_ppl),
            ppl_lo=np.exp(log_ppl - half_width),
            ppl_hi=np.exp(log_ppl + half_width),
            bits_per_char=chars / np.log(2),
            context_ppl=np.exp(context),
            seed_sd=per_seed["nll_text"].groupby("model").std(),
        )
    )


def p_above(theta, se, df, margin):
    """One-sided p value of theta > margin, for numbers or arrays; 0 or 1 if the standard error is 0."""
    excess, se = np.asarray(theta, float) - margin, np.asarray(se, float)
    p = stats.t.sf(excess / np.where(se > 0, se, np.nan), df)
    return np.where(se == 0, np.where(excess > 0, 0.0, 1.0), p)


def holm(p):
    """Holm-adjusted p values, an array; NaN stays NaN and does not count as a test.

    statsmodels' multipletests gives the same, but collects garbage in each call, which takes .1 to .4 s.
    """
    adjusted, smallest_first = _tested_in_order(p)
    hypotheses_left = np.arange(len(smallest_first), 0, -1)
    scaled = adjusted[smallest_first] * hypotheses_left
    adjusted[smallest_first] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted


def hochberg(p):
    """Hochberg-adjusted p values (1988), an array; NaN stays NaN and does not count as a test.

    They are Holm's or smaller. If every p is below alpha, so is every adjusted p. Valid where the tests are independent
    or positively dependent, as one-sided tests are that share a model.
    """
    adjusted, smallest_first = _tested_in_order(p)
    largest_first = smallest_first[::-1]
    hypotheses_not_before = np.arange(1, len(largest_first) + 1)
    scaled = adjusted[largest_first] * hypotheses_not_before
    adjusted[largest_first] = np.minimum.accumulate(scaled)
    return adjusted


def _tested_in_order(p):
    """(a copy of p, the positions of its numbers from the smallest p to the largest); argsort puts NaN last."""
    values = np.array(p, float)
    return values, np.argsort(values)[: np.count_nonzero(~np.isnan(values))]


def minimum_detectable_effect(se, df, alpha=0.05, power=0.9):
    """The excess over a margin, in theta's unit, that a one-sided t test at alpha detects with this power."""
    if not (np.isfinite(se) and df > 0):
        return np.nan
    per_sd = TTestPower().solve_power(nobs=df + 1, alpha=alpha, power=power, alternative="larger")
    return per_sd * np.sqrt(df + 1) * se
