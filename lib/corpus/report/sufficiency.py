"""Whether a corpus is large enough for an answer, level by level, before any model is trained."""

import math

import pandas as pd

from lib.corpus import learners
from lib.corpus.split import SPLITS
from lib.design import LEVELS
from lib.errors import CorpusError
from lib.formatting import Sentences

SAY = Sentences(__file__)
MAX_TEST_SHARE = 0.4  # a larger one is not suggested, since too few training texts would be left


def sizes_by_level(texts, min_learners):
    """A row for each level: texts by split, learners, test_learners, and reason, why there is no verdict, or "".

    Test learners are those of the primary results: not of copied texts or held-out prompts. A text without learner id
    counts as a learner. texts: with split, copied and held_out; min_learners: needed in the test set.
    """
    by_learner = texts.assign(learner=learners.learner_or_text_id(texts))
    sizes = pd.crosstab(texts["level"], texts["split"]).reindex(index=LEVELS, columns=SPLITS, fill_value=0)
    primary = by_learner[(texts["split"] == "test") & ~texts["copied"].astype(bool) & ~texts["held_out"].astype(bool)]
    sizes["learners"] = by_learner.groupby("level")["learner"].nunique()
    sizes["test_learners"] = primary.groupby("level")["learner"].nunique()
    sizes = sizes.fillna(0).astype(int).rename_axis(columns=None)
    sizes["reason"] = [_reason(row, min_learners) for row in sizes.itertuples()]
    return sizes


def _reason(row, min_learners):
    if not row.learners:
        return "no text"
    if not row.train or not row.valid:
        return f"no {'validation' if row.train else 'training'} text, so no specialist"
    if row.test_learners < min_learners:
        return f"{row.test_learners} test learners, {min_learners} needed"
    return ""


def refuse_if_too_small(sizes, min_learners, test_share):
    """Raise CorpusError if no level can have a verdict, with what would be enough and how to go on anyway.

    sizes: as `sizes_by_level` returns it; test_share: the share of test texts.
    """
    if (sizes["reason"] == "").any():
        return
    raise CorpusError(
        SAY(
            "too_small",
            reasons=[f"{level}: {reason}" for level, reason in sizes["reason"].items()],
            needed=min_learners,
            per_level=math.ceil(min_learners / test_share),
            test_share=test_share,
            enough=_larger_share(sizes, min_learners, test_share),
        )
    )


def _larger_share(sizes, min_learners, test_share):
    """(a larger test_share, levels that would have enough test learners with it), or None if there is none."""
    shares = {}
    for level, n_learners in sizes["learners"].items():
        if n_learners:
            shares[level] = math.ceil(120 * min_learners / n_learners) / 100  # a fifth more, since splits vary
    enough = {level: share for level, share in shares.items() if test_share < share <= MAX_TEST_SHARE}
    if not enough:
        return None
    return max(enough.values()), list(enough)


def expected_reasons(texts, min_learners, test_share):
    """["A1: about 2 test learners, 5 needed", ...]: the levels that are too small in a corpus without a split.

    A text without learner id counts as a learner.
    """
    counts = learners.learner_or_text_id(texts).groupby(texts["level"]).nunique().reindex(LEVELS, fill_value=0)
    expected = (counts * test_share).round().astype(int)
    few = expected[expected < min_learners]
    return [f"{level}: about {n} test learners, {min_learners} needed" for level, n in few.items()]
