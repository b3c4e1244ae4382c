"""What 04_evaluate says about a model's scores, in sentences."""

from lib.formatting import Sentences

SENTENCES = Sentences(__file__)


def expectations(by_level, levels, in_level, valid, **checks):
    """A list in Markdown: what was found, point by point as it was expected.

    by_level: perplexities on the test texts, a Series by level; levels: those of the model's training texts; in_level:
    perplexity on test texts of these levels, or None; valid: on validation texts; checks: n_masked, n_cut and
    largest_change of a score with another batch.
    """
    lowest = by_level.idxmin()
    return SENTENCES(
        "expectations",
        in_level=in_level,
        valid=valid,
        lowest=lowest,
        highest=by_level.idxmax(),
        ratio=by_level.max() / by_level.min(),
        lowest_is_own=lowest in levels,
        **checks,
    )


def answer(model, reason, by_level):
    """The answer in a sentence. reason: why the model is n/a, or None; by_level: perplexities, a Series by level."""
    return SENTENCES("answer", model=model, reason=reason, by_level=by_level.to_dict())
