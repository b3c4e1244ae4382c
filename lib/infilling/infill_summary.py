"""What 05_infill says about a model's fillings, in sentences."""

from lib.formatting import Sentences

SENTENCES = Sentences(__file__)


def expectations(single, samples, levels):
    """A list in Markdown: what was found, point by point as it was expected.

    single, samples: tables of words.parquet and samples.parquet, not empty; levels: of the model's training texts.
    """
    best_level = single.groupby("level")["top5"].mean().idxmax()
    return SENTENCES(
        "expectations",
        exact=100 * single["exact"].mean(),
        top5=100 * single["top5"].mean(),
        best_level=best_level,
        best_is_own=best_level in levels,
        unigrams=samples["unigram_overlap"].mean(),
        bigrams=samples["bigram_overlap"].mean(),
        empty=(samples["infill"] == "").mean(),
    )


def answer(model, reason=None, filling=None, probability=None, exact=None):
    """The answer in one or two sentences.

    reason: why the model is n/a, or None; filling, probability: of the running example; exact: percentage of first
    fillings that are the learner's word, or None.
    """
    return SENTENCES("answer", model=model, reason=reason, filling=filling, probability=probability, exact=exact)
