"""Words that models write beside those of learners: are they English words, of which CEFR level, and how often right?

Rates are ratios of sums over learners; intervals are percentiles of a bootstrap over learners, for these weights.
"""

import functools
import re
from collections import Counter

import numpy as np
import pandas as pd
from cefrpy import CEFRAnalyzer

from lib.design import CEFR, kind
from lib.evaluation.statistics import learner_codes, resampled_sums

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # letters, and apostrophes within
CLITIC = re.compile(r"(?<=.)(?:n't|'(?:s|m|re|ve|ll|d))$")
WHOLE = {"ca": "can", "wo": "will", "sha": "shall"}  # what can't, won't, shan't begin with
CEFR_PROFILE = [*CEFR, "unlisted"]
FOUND = {"exact": ("exact", "blanks"), "top5": ("top5", "blanks")}  # measures as `rates` takes them
WRITTEN = {name: (name, "blanks") for name in ["unigram_overlap", "bigram_overlap"]}
WRITTEN |= {"nonwords": ("unlisted", "n_words"), "true_nonwords": ("true_unlisted", "true_n_words")}
WRITTEN["error_preservation"] = (*WRITTEN["nonwords"], *WRITTEN["true_nonwords"])


@functools.cache
def _list():
    return CEFRAnalyzer()


@functools.cache
def _longest():
    """The list's words of the greatest length. Asked for another one as long, cefrpy 1.0.3 reads past its end."""
    return frozenset(_list().yield_words_with_length(_list().get_max_word_len()))


def _looked_up(form):
    """What the list says of a form, or None. It has no word of more letters."""
    if len(form) == _list().get_max_word_len() and form not in _longest():
        return None
    return _list().get_average_word_level_CEFR(form)


@functools.cache
def level(word):
    """CEFR level of a word form in lower case, by cefrpy's list, the mean over parts of speech; else "unlisted".

    A clitic is no part of the word: don't is do. The list holds 172,782 forms, a few names and rare words among them
    (wich), and not all that is right (website), so "unlisted" is near to misspelt and not the same.
    """
    stem = CLITIC.sub("", word)
    for form in (word, stem if stem == word else WHOLE.get(stem, stem)):
        found = _looked_up(form)
        if found is not None:
            return found.name
    return "unlisted"


def profile(texts):
    """Words of each text by CEFR level: a frame with n_words and PROFILE, a row a text, in its order."""
    found = [Counter(map(level, WORD.findall(text.lower().replace("’", "'")))) for text in texts]
    table = pd.DataFrame([[one[name] for name in CEFR_PROFILE] for one in found], texts.index, CEFR_PROFILE, dtype=int)
    return table.assign(n_words=table.sum(axis=1))


def answer_rank(answer, fillings):
    """Place of the answer among fillings, best first: 1, 2, ..., or 0. Spaces around a word are no part of it."""
    found = [filling.strip() for filling in fillings]
    return found.index(answer.strip()) + 1 if answer.strip() in found else 0


def ngram_overlap(answer, infill, n):
    """Shared share of character n-grams as multisets: 2 |A & B| / (|A| + |B|); 1.0 when neither has any."""
    a, b = (Counter(text[i : i + n] for i in range(len(text) - n + 1)) for text in (answer.strip(), infill.strip()))
    return 2 * (a & b).total() / (a.total() + b.total()) if a or b else 1.0


def rates(rows, measures, learners_known=True, draws=10_000, alpha=0.05, min_learners=5, seed=0):
    """A row a model and level: each measure with its interval (name, name_lo, name_hi), n and n_learners.

    rows: model, seed, level, text_id, learner_id and numbers; measures: {name: (a, b) or (a, b, c, d)}, columns that
    give sum a / sum b, or that over sum c / sum d. n: rows of one seed. Below min_learners, and where there is nothing
    to divide by, a value is NaN.
    """
    if rows.empty:
        values = [name + end for name in measures for end in ("", "_lo", "_hi")]
        return pd.DataFrame(columns=["model", "level", "n", "n_learners", *values])
    rows = rows.assign(learner=learner_codes(rows, learners_known)[0])
    columns = sorted({column for parts in measures.values() for column in parts})
    found = {name: _at_level(part, measures, columns, (draws, seed), alpha, min_learners)
             for name, part in rows.groupby("level")}  # fmt: skip
    return pd.concat(found, names=["level"]).swaplevel().reset_index()


def _at_level(rows, measures, columns, how, alpha, min_learners):
    sums = rows.groupby(["learner", "model"])[columns].sum().unstack("model", fill_value=0)  # x (column, model)
    drawn = pd.DataFrame(resampled_sums(sums.to_numpy(float), *how), columns=sums.columns)
    model = rows.groupby("model")
    table = pd.DataFrame({"n": model.size() // model["seed"].nunique(), "n_learners": model["learner"].nunique()})
    for name, parts in measures.items():
        low, high = _ratio(drawn, parts).quantile([alpha / 2, 1 - alpha / 2], interpolation="nearest").to_numpy()
        values = np.column_stack([_ratio(sums.sum(), parts), low, high])
        table[[name, f"{name}_lo", f"{name}_hi"]] = np.where(np.isfinite(values), values, np.nan)
    values = table.columns[2:]
    table[values] = table[values].where(table["n_learners"] >= max(2, min_learners))
    return table


def _ratio(sums, parts):
    """a / b, or (a / b) / (c / d), of sums by (column, model)."""
    a, b, *base = (sums[column].astype(float) for column in parts)
    return a / b / (base[0] / base[1]) if base else a / b


def model_metrics(single, drawn, **how):
    """word_metrics.csv: a row a model and level, FOUND of single words and WRITTEN of sampled fillings.

    single: of infills' words.parquet, drawn: of samples.parquet, of all models, with model and seed; how: of `rates`.
    """
    true, written = (profile(drawn[of]) for of in ["answer", "infill"])
    drawn = drawn.assign(blanks=1).join(true.add_prefix("true_")).join(written)
    found, sampled = rates(single.assign(blanks=1), FOUND, **how), rates(drawn, WRITTEN, **how)
    table = found.merge(sampled, how="outer", on=["model", "level"], suffixes=("", "_sampled"))
    table.insert(1, "kind", list(map(kind, table["model"])))
    return table


def error_preservation(table):
    """A sentence about error preservation. table: of `of_models`."""
    told = table["error_preservation"].replace(np.inf, np.nan).dropna()
    span = f"it lies between {told.min():.1f} and {told.max():.1f}; well above 1 it is gibberish, not learners' errors"
    there = f"There {span}. " if len(told) else ""
    return (f"Error preservation could be told in {len(told)} of {len(table)} cells. {there}In the others no word that "
            "learners wrote there is out of the dictionary, or too few learners were asked.")  # fmt: skip


def cefr_profiles(drawn, **how):
    """word_levels.csv: shares of PROFILE among the words of sampled fillings, a row a model and level; those of what
    learners had written there as the model "learners". drawn, how: as of `of_models`."""
    about = drawn[["level", "text_id", "learner_id", "seed"]]
    of_learners = profile(drawn["answer"]).join(about).assign(model="learners")
    once = of_learners[drawn["model"] == drawn["model"].iloc[0]] if len(drawn) else of_learners
    shares = {name: (name, "n_words") for name in CEFR_PROFILE}
    written = profile(drawn["infill"]).join(drawn[[*about, "model"]])
    table = pd.concat([rates(part, shares, **how) for part in [once, written]])
    kinds = [model if model == "learners" else kind(model) for model in table["model"]]
    table.insert(1, "kind", kinds)
    return table
