"""The words that models write, compared with those of learners: English or not, CEFR level, share of exact answers.

Rates are ratios of sums over learners. Their intervals are percentiles of a bootstrap over learners, given the weights.
"""

import functools
import re
from collections import Counter

import numpy as np
import pandas as pd
from cefrpy import CEFRAnalyzer

from lib.design import CEFR, kind
from lib.evaluation.statistics import learner_codes, resampled_sums
from lib.formatting import Sentences

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # letters, and apostrophes within
CLITIC = re.compile(r"(?<=.)(?:n't|'(?:s|m|re|ve|ll|d))$")
FULL_STEM = {"ca": "can", "wo": "will", "sha": "shall"}  # of can't, won't, shan't
CEFR_PROFILE = [*CEFR, "unlisted"]
WORD_MEASURES = {"exact": ("exact", "blanks"), "top5": ("top5", "blanks")}  # measures in the form that `rates` takes
SAMPLE_MEASURES = {
    "unigram_overlap": ("unigram_overlap", "blanks"),
    "bigram_overlap": ("bigram_overlap", "blanks"),
    "nonwords": ("unlisted", "n_words"),
    "true_nonwords": ("true_unlisted", "true_n_words"),
    "error_preservation": ("unlisted", "n_words", "true_unlisted", "true_n_words"),
}
SENTENCES = Sentences(__file__)


@functools.cache
def _word_list():
    return CEFRAnalyzer()


@functools.cache
def _longest_words():
    """The list's words of maximal length. For other words of that length, cefrpy 1.0.3 reads beyond its end."""
    return frozenset(_word_list().yield_words_with_length(_word_list().get_max_word_len()))


def _look_up(form):
    """The list's level of a form, or None. The list has no longer words than those of `_longest_words`."""
    if len(form) == _word_list().get_max_word_len() and form not in _longest_words():
        return None
    return _word_list().get_average_word_level_CEFR(form)


@functools.cache
def cefr_level(word):
    """CEFR level of a word form in lower case by cefrpy's list, averaged over parts of speech; or "unlisted".

    A clitic is ignored: don't is do. The list holds 172,782 forms, among them a few names and misspellings (wich), and
    lacks some correct words (website). So "unlisted" is close to misspelt, but not the same.
    """
    stem = CLITIC.sub("", word)
    if stem != word:
        stem = FULL_STEM.get(stem, stem)
    for form in (word, stem):
        found = _look_up(form)
        if found is not None:
            return found.name
    return "unlisted"


def count_by_level(texts):
    """Words of each text by CEFR level: a frame with CEFR_PROFILE and n_words, a row per text."""
    counts = []
    for text in texts:
        words = WORD.findall(text.lower().replace("’", "'"))
        of_level = Counter(map(cefr_level, words))
        counts.append([of_level[name] for name in CEFR_PROFILE])
    table = pd.DataFrame(counts, texts.index, CEFR_PROFILE, dtype=int)
    return table.assign(n_words=table.sum(axis=1))


def answer_rank(answer, fillings):
    """Rank of the answer among fillings, best first: 1, 2, ..., or 0 if absent. Surrounding spaces are ignored."""
    stripped = [filling.strip() for filling in fillings]
    if answer.strip() not in stripped:
        return 0
    return stripped.index(answer.strip()) + 1


def ngram_overlap(answer, infill, n):
    """Shared proportion of character n-grams as multisets: 2 |A & B| / (|A| + |B|); 1.0 when neither has any."""
    a, b = _character_ngrams(answer.strip(), n), _character_ngrams(infill.strip(), n)
    if not a and not b:
        return 1.0
    return 2 * (a & b).total() / (a.total() + b.total())


def _character_ngrams(text, n):
    return Counter(text[i : i + n] for i in range(len(text) - n + 1))


def rates(rows, measures, learners_known=True, draws=10_000, alpha=0.05, min_learners=5, seed=0):
    """A row per model and level: each measure with its interval (name, name_lo, name_hi), n and n_learners.

    rows: model, seed, level, text_id, learner_id and numbers. measures: {name: (a, b) or (a, b, c, d)}, columns whose
    sums give a / b, or (a / b) / (c / d). n: rows of one seed. NaN below min_learners, or with a denominator of 0.
    """
    if rows.empty:
        values = [name + end for name in measures for end in ("", "_lo", "_hi")]
        return pd.DataFrame(columns=["model", "level", "n", "n_learners", *values])
    rows = rows.assign(learner=learner_codes(rows, learners_known)[0])
    columns = sorted({column for ratio in measures.values() for column in ratio})
    tables = {}
    for level, level_rows in rows.groupby("level"):
        tables[level] = _rates_of_level(level_rows, measures, columns, draws, seed, alpha, min_learners)
    return pd.concat(tables, names=["level"]).swaplevel().reset_index()


def _rates_of_level(rows, measures, columns, draws, seed, alpha, min_learners):
    sums = rows.groupby(["learner", "model"])[columns].sum().unstack("model", fill_value=0)  # x (column, model)
    resampled = pd.DataFrame(resampled_sums(sums.to_numpy(float), draws, seed), columns=sums.columns)
    by_model = rows.groupby("model")
    n = by_model.size() // by_model["seed"].nunique()
    table = pd.DataFrame({"n": n, "n_learners": by_model["learner"].nunique()})
    for name, ratio in measures.items():
        ends = _ratio(resampled, ratio).quantile([alpha / 2, 1 - alpha / 2], interpolation="nearest")
        values = np.column_stack([_ratio(sums.sum(), ratio), *ends.to_numpy()])
        table[[name, f"{name}_lo", f"{name}_hi"]] = np.where(np.isfinite(values), values, np.nan)
    values = table.columns[2:]
    table[values] = table[values].where(table["n_learners"] >= max(2, min_learners))
    return table


def _ratio(sums, columns):
    """a / b, or (a / b) / (c / d), of sums by (column, model)."""
    a, b, *denominator = (sums[column].astype(float) for column in columns)
    if not denominator:
        return a / b
    c, d = denominator
    return a / b / (c / d)


def model_metrics(single, samples, **options):
    """word_metrics.csv: a row per model and level, with WORD_MEASURES and SAMPLE_MEASURES.

    single, samples: words.parquet and samples.parquet of all models, with model and seed; options: keywords of `rates`.
    """
    of_learners = count_by_level(samples["answer"])
    of_models = count_by_level(samples["infill"])
    samples = samples.assign(blanks=1).join(of_learners.add_prefix("true_")).join(of_models)
    word_rates = rates(single.assign(blanks=1), WORD_MEASURES, **options)
    sample_rates = rates(samples, SAMPLE_MEASURES, **options)
    table = word_rates.merge(sample_rates, how="outer", on=["model", "level"], suffixes=("", "_sampled"))
    table.insert(1, "kind", list(map(kind, table["model"])))
    return table


def error_preservation(table):
    """Sentences about error preservation. table: the result of `model_metrics`."""
    estimated = table["error_preservation"].replace(np.inf, np.nan).dropna()
    range_of_values = {"lowest": estimated.min(), "highest": estimated.max()}
    return SENTENCES("error_preservation", n_estimated=len(estimated), n_cells=len(table), **range_of_values)


def cefr_profiles(samples, **options):
    """word_levels.csv: shares of CEFR_PROFILE among the words of sampled fillings, a row per model and level.

    The learners' words in the same blanks are there as the model "learners". samples, options: as in `model_metrics`.
    """
    blanks = samples[["level", "text_id", "learner_id", "seed"]]
    of_learners = count_by_level(samples["answer"]).join(blanks).assign(model="learners")
    if len(samples):
        of_learners = of_learners[samples["model"] == samples["model"].iloc[0]]  # each model has the same blanks
    of_models = count_by_level(samples["infill"]).join(samples[[*blanks, "model"]])
    shares = {name: (name, "n_words") for name in CEFR_PROFILE}
    table = pd.concat([rates(of_learners, shares, **options), rates(of_models, shares, **options)])
    kinds = [model if model == "learners" else kind(model) for model in table["model"]]
    table.insert(1, "kind", kinds)
    return table
