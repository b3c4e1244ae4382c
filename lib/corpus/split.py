"""One learner-disjoint split into training, validation and test texts for every model, and a flag for copied texts."""

import hashlib

import numpy as np
import pandas as pd
from numba import njit

from lib.corpus import learners
from lib.corpus.near_duplicates import word_ngrams
from lib.errors import CorpusError

SPLITS = ["train", "valid", "test"]
NEAR_DUPLICATE = "near duplicate of another learner's text"  # reason to be in no split but train
HELD_OUT_PROMPT = "prompt held out"  # reason to be in no split but test
NGRAM = 8  # words; two texts that share an 8-gram were hardly written independently


def assign_splits(texts, valid_share, test_share, seed):
    """The split of each text (train, valid or test), or the reason why it can be in none, as a Series of str.

    No learner is in two splits. Levels and first languages are balanced over the texts that are kept and not held out.
    A text that is a near duplicate of another learner's text is used for training only. So no group of near duplicates
    is in two splits either, and test learners are independent of each other. Texts on a held-out prompt are used for
    testing only. Without learner ids, groups of near duplicates take the place of learners.

    texts: as `clean_texts` returns them, with the columns group (`find_near_duplicates`) and held_out
    (`flag_held_out_prompts`). The result does not depend on the order of rows. Raises CorpusError for an empty split.
    """
    shares = np.array([1 - valid_share - test_share, valid_share, test_share])
    units = learners.learner_or_text_id(texts) if learners.any_learner_known(texts) else texts["group"]
    unit, names = pd.factorize(units, sort=True)
    if len(names) < len(SPLITS):
        raise CorpusError(
            f"All {len(texts)} texts are by {len(names)} learner(s). Expected: at least three, so that training, "
            "validation and test texts come from different people. Does the column learner_id hold learners?"
        )
    held_out = texts["held_out"].to_numpy()
    shared = _in_shared_group(unit, texts["group"])
    cells = pd.get_dummies(texts[["level", "l1"]], dtype=float)
    in_train = cells.mul(~held_out, axis=0).groupby(unit).sum().to_numpy()
    elsewhere = cells.mul(~(held_out | shared), axis=0).groupby(unit).sum().to_numpy()
    split_of_unit = np.array(SPLITS)[_stratify(in_train, elsewhere, shares, np.random.default_rng(seed))]
    splits = pd.Series(split_of_unit[unit], index=texts.index)
    splits = splits.mask((splits != "train") & shared, NEAR_DUPLICATE)
    splits = splits.mask((splits != "test") & (splits != NEAR_DUPLICATE) & held_out, HELD_OUT_PROMPT)
    _refuse_empty_splits(splits[~held_out], len(names))
    return splits


def _refuse_empty_splits(splits, n_learners):
    sizes = splits.value_counts().reindex(SPLITS, fill_value=0)
    if not sizes.all():
        raise CorpusError(
            f"{' and '.join(sizes.index[sizes == 0])} would be empty: {sizes.to_dict()} texts by {n_learners} "
            "learners. Expected: texts in all three splits. Check valid_share, test_share and held_out_prompts, and "
            "whether the column learner_id holds learners."
        )


def _in_shared_group(unit, group):
    """True for texts whose group of near duplicates also has texts of other learners."""
    by_group = pd.Series(unit).groupby(group.to_numpy())
    return (by_group.transform("min") != by_group.transform("max")).to_numpy()


def _stratify(in_train, elsewhere, shares, rng):
    """The index of a split for each learner, by a greedy form of iterative stratification
    (Sechidis, Tsoumakas & Vlahavas 2011): each learner goes to the split that most lacks such texts.

    in_train, elsewhere: number of texts, [learner, level or L1], that are kept if the learner is put there. Learners
    with many texts come first, and those with few then even out the rest. Among learners with about as many texts the
    order is random. A learner who would leave no text outside training goes to training. A learner with texts on
    held-out prompts only goes to test.
    """
    size = in_train.sum(axis=1)
    order = rng.permutation(len(in_train))
    order = order[np.argsort(-np.round(2 * np.log2(np.maximum(size, 1)))[order], kind="stable")]
    free = elsewhere.sum(axis=1) > 0
    assigned = np.where(size > 0, SPLITS.index("train"), SPLITS.index("test"))
    counts = np.stack([in_train[(size > 0) & ~free].sum(axis=0), *np.zeros((2, in_train.shape[1]))])
    weight = 1 / np.maximum(in_train.sum(axis=0), 1)  # the rarer a level or L1, the more it counts
    _assign_greedily(order[free[order]], in_train, elsewhere, shares, weight, counts, assigned)
    return assigned


@njit(cache=True)
def _assign_greedily(order, in_train, elsewhere, shares, weight, counts, assigned):
    """counts: texts so far, [split, level or L1]; counts and assigned are changed in place."""
    for learner in order:
        score = np.zeros(len(shares))
        for cell in np.flatnonzero(in_train[learner]):
            total = counts[:, cell].sum() + in_train[learner, cell]
            excess = counts[:, cell] - shares * total
            score += weight[cell] * in_train[learner, cell] * excess
        split = np.argmin(np.round(score, 9))  # rounded, so that a tie is a tie on every machine
        assigned[learner] = split
        counts[split] += elsewhere[learner] if split else in_train[learner]


def flag_held_out_prompts(texts, share, seed):
    """True for texts on prompts that no model may see in training. Prompts are drawn until no further one fits.

    share: the most that any level may lose, of its texts. A level whose prompts are all larger loses none.
    """
    sizes = pd.crosstab(texts["topic_id"], texts["level"]).drop("", errors="ignore")
    remaining = share * texts["level"].value_counts().reindex(sizes.columns)
    chosen = []
    for topic in np.random.default_rng(seed).permutation(sizes.index):
        if (sizes.loc[topic] <= remaining).all():
            remaining = remaining - sizes.loc[topic]
            chosen.append(topic)
    return texts["topic_id"].isin(chosen)


def flag_copied(texts, share):
    """True for validation and test texts with at least `share` of their word 8-grams in training texts.

    Learners are in one split only, so training texts are other learners' texts. Texts under 8 words: False.
    """
    ngrams, starts = word_ngrams(texts["text"], NGRAM)
    total = np.diff(starts)
    train = (texts["split"] == "train").to_numpy()
    of_train = np.repeat(train, total)
    in_train = np.zeros(len(ngrams) + 1, int)
    in_train[1:][~of_train] = pd.Index(ngrams[~of_train]).isin(ngrams[of_train])  # np.isin takes ten times as long
    found = np.diff(np.cumsum(in_train)[starts])
    return pd.Series(~train & (found >= share * total) & (total > 0), index=texts.index)


def split_id(texts):
    """16 hexadecimal digits that identify this split: a hash of every text id with its split."""
    lines = texts["text_id"].astype(str) + "\t" + texts["split"]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
