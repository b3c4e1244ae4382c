"""Who is in which part: one learner-disjoint split for every model, and which test texts were copied."""

import hashlib

import numpy as np
import pandas as pd
from numba import njit

from lib.corpus import learners
from lib.corpus.near_duplicates import word_ngrams
from lib.errors import CorpusError

SPLITS = ["train", "valid", "test"]
NEARLY = "near duplicate of another learner's text"  # outside training
PROMPT = "prompt held out"  # outside test
NGRAM = 8  # words; two texts that share as many in a row were hardly written apart


def assign_splits(texts, valid_share, test_share, seed):
    """For each text its part (train, valid or test), or the reason why it can be in none (NEARLY or PROMPT).

    No learner is in two parts; levels and first languages are balanced over the texts that stay and are not held out. A
    text that another learner's text nearly repeats serves for training only, so no group of near duplicates is in two
    parts either, and test learners stay independent of each other. Texts on a held-out prompt serve for testing only.
    Without learner ids, groups of near duplicates take the place of learners.

    texts: as `clean` returns them, with the columns group (`near_duplicates`) and held_out (`on_held_out_prompt`); the
    result does not depend on the order of rows. Returns a series of str. Raises CorpusError for an empty part.
    """
    wanted = np.array([1 - valid_share - test_share, valid_share, test_share])
    unit, names = pd.factorize(
        learners.learner_or_text_id(texts) if learners.is_known(texts) else texts["group"], sort=True
    )
    if len(names) < len(SPLITS):
        raise CorpusError(
            f"All {len(texts)} texts are by {len(names)} learner(s). Expected: at least three, so that training, valid "
            "and test text come from different people. Does the column learner_id hold learners?"
        )
    held_out, shared = texts["held_out"].to_numpy(), _shared(unit, texts["group"])
    cells = pd.get_dummies(texts[["level", "l1"]], dtype=float)
    kept = {"in train": ~held_out, "elsewhere": ~(held_out | shared)}
    cells = [cells.mul(stays, axis=0).groupby(unit).sum().to_numpy() for stays in kept.values()]
    part = np.array(SPLITS)[_deal(*cells, wanted, np.random.default_rng(seed))][unit]
    part = pd.Series(part, index=texts.index).mask((part != "train") & shared, NEARLY)
    part = part.mask((part != "test") & (part != NEARLY) & held_out, PROMPT)
    sizes = part[~held_out].value_counts().reindex(SPLITS, fill_value=0)
    if not sizes.all():
        raise CorpusError(
            f"{' and '.join(sizes.index[sizes == 0])} would be empty: {sizes.to_dict()} texts by "
            f"{len(names)} learners. Expected: text in all three parts; look at valid_share, test_share and "
            "held_out_prompts, and whether the column learner_id holds learners."
        )
    return part


def _shared(unit, group):
    """True for texts whose group of near duplicates has texts of other learners too."""
    by_group = pd.Series(unit).groupby(group.to_numpy())
    return (by_group.transform("min") != by_group.transform("max")).to_numpy()


def _deal(in_train, elsewhere, wanted, rng):
    """Give each learner to the part that most lacks such texts: a greedy form of iterative stratification
    (Sechidis, Tsoumakas & Vlahavas 2011). Returns the number of a part for each learner.

    in_train, elsewhere: number of texts, [learner, level or L1], that stay if the learner is put there. Learners with
    many texts come first, those with few then even out the rest; among those with about as many, the order is random.
    Who would leave nothing outside training goes there; who has nothing but held-out prompts goes to test.
    """
    order, size = rng.permutation(len(in_train)), in_train.sum(axis=1)
    order = order[np.argsort(-np.round(2 * np.log2(np.maximum(size, 1)))[order], kind="stable")]
    free = elsewhere.sum(axis=1) > 0
    place = np.where(size > 0, SPLITS.index("train"), SPLITS.index("test"))
    has = np.stack([in_train[(size > 0) & ~free].sum(axis=0), *np.zeros((2, in_train.shape[1]))])
    _fill(order[free[order]], in_train, elsewhere, wanted, 1 / np.maximum(in_train.sum(axis=0), 1), has, place)
    return place


@njit(cache=True)
def _fill(order, in_train, elsewhere, wanted, weight, has, place):
    """has: texts so far, [part, level or L1]; has and place are changed in place."""
    for learner in order:
        score = np.zeros(len(wanted))
        for cell in np.flatnonzero(in_train[learner]):
            seen = has[:, cell].sum() + in_train[learner, cell]
            excess = has[:, cell] - wanted * seen
            score += weight[cell] * in_train[learner, cell] * excess  # the rarer a level or L1, the more it counts
        place[learner] = np.argmin(np.round(score, 9))  # rounded, so that a tie is a tie on every machine
        has[place[learner]] += elsewhere[learner] if place[learner] else in_train[learner]


def flag_held_out_prompts(texts, share, seed):
    """True for texts on prompts that no model may see in training: drawn until no further one fits.

    share: the most that any level may lose, of its texts; a level whose prompts are all larger gives up none.
    """
    sizes = pd.crosstab(texts["topic_id"], texts["level"]).drop("", errors="ignore")
    room, taken = share * texts["level"].value_counts().reindex(sizes.columns), []
    for topic in np.random.default_rng(seed).permutation(sizes.index):
        if (sizes.loc[topic] <= room).all():
            room, taken = room - sizes.loc[topic], [*taken, topic]
    return texts["topic_id"].isin(taken)


def flag_copied(texts, share):
    """True for valid and test texts with at least `share` of their word 8-grams in training text.

    Learners are in one part only, so training text is other learners' text. Texts under 8 words: False.
    """
    runs, starts = word_ngrams(texts["text"], NGRAM)
    total, train = np.diff(starts), (texts["split"] == "train").to_numpy()
    of_train = np.repeat(train, total)
    known = np.zeros(len(runs) + 1, int)
    known[1:][~of_train] = pd.Index(runs[~of_train]).isin(runs[of_train])  # np.isin takes ten times as long
    seen = np.diff(np.cumsum(known)[starts])
    return pd.Series(~train & (seen >= share * total) & (total > 0), index=texts.index)


def split_id(texts):
    """16 hexadecimal digits that name this split: a hash of every text id with its part."""
    lines = texts["text_id"].astype(str) + "\t" + texts["split"]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
