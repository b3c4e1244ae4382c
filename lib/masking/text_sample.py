"""The texts of a control that is trained on no more text than one level has: a sample of all levels.

Whole learners are drawn, so that a sample has about as many texts per learner as its level. Each seed of a training
draws its own sample, so that the variance between seeds contains the chance of the sample.
"""

import hashlib

import pandas as pd

from lib.corpus.learners import learner_or_text_id
from lib.masking.token_index import TokenizedTexts


def training_texts(rows, settings, seed):
    """The rows that a training reads: all of them, or the sample that settings ask for, in the order of rows.

    rows: with text_id, level and learner_id, for training, of settings.levels; settings: Train parameters.
    """
    if settings.as_many_texts_as is None:
        return rows
    by_level = rows["level"].value_counts()
    total = by_level.get(settings.as_many_texts_as, 0)
    ordered = _in_order_of_learners(rows, seed)
    rank = ordered.groupby("level").cumcount()
    chosen = ordered[rank < ordered["level"].map(quotas(by_level, total, settings.level_mix))]
    return rows[rows["text_id"].isin(chosen["text_id"])]


def quotas(by_level, total, level_mix):
    """How many texts of each level make a sample of `total` texts: a Series by level.

    by_level: number of texts there are; level_mix: "natural", in proportion to by_level, or "equal", in which levels
    with too few texts give all of them and the others share the rest.
    """
    by_level = by_level.sort_index()
    if level_mix == "natural":
        return _rounded(by_level * total / max(by_level.sum(), 1), total)
    share = pd.Series(0.0, by_level.index)
    while share.sum() < min(total, by_level.sum()) - 1e-6:
        open_levels = by_level.index[share < by_level]
        share[open_levels] += (total - share.sum()) / len(open_levels)
        share = share.clip(upper=by_level)
    return _rounded(share, total)


def _rounded(shares, total):
    """Whole numbers near shares with the sum `total`, or the sum of shares if that is less (largest remainders)."""
    whole = shares.astype(int)
    remainders = (shares - whole).sort_values(ascending=False, kind="stable")
    missing = min(total, round(shares.sum())) - whole.sum()
    whole[remainders.index[:missing]] += 1
    return whole


def _in_order_of_learners(rows, seed):
    """Rows sorted by a hash of their learners, and within a learner by one of the text; the same for any order of rows.

    A sample of n texts is contained in each larger one. Without a learner id, each text counts as one learner.
    """
    keys = {"learner_hash": _hashes(learner_or_text_id(rows), seed)}
    keys["text_hash"] = _hashes(rows["text_id"].astype(str), seed)
    return rows[["text_id", "level"]].assign(**keys).sort_values(["learner_hash", "text_hash"])


def _hashes(names, seed):
    return [hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).hexdigest() for name in names]


def size(rows, text_ids):
    """What a training read: numbers of texts, learners and tokens in all, and of texts by level.

    rows: of the index, with level and learner_id; text_ids: of the texts that were read.
    """
    read = rows[rows["text_id"].isin(text_ids)]
    learners = read["learner_id"]
    return {
        "texts": len(read),
        "learners": int(learners[learners != ""].nunique()),
        "tokens": int(TokenizedTexts.of(read).token_bounds[-1]),
        "texts_by_level": {level: int(n) for level, n in read["level"].value_counts().sort_index().items()},
    }
