"""Who is in which part: one learner-disjoint split for every model, and which test texts were copied."""

import hashlib
import hmac
import os
import secrets
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from lib.corpus import CorpusError

NGRAM = 8  # words; two texts that share as many in a row were hardly written apart
FORMULA = 50  # an 8-gram in more texts than this is a phrase of the prompt, no link between two texts


def parts(texts, valid_share, test_share, seed):
    """One part a text (train, valid or test): no learner in two parts, levels and first languages balanced.

    scikit-learn's StratifiedGroupKFold cuts learners into folds; the two groups of folds that come nearest to
    the wanted shares at every level become valid and test. texts: as `clean` returns them, so the result does not
    depend on the order of rows. Returns a series of str, aligned with texts.
    """
    share = min(valid_share, test_share)
    folds = _folds(texts, round(1 / share), seed)
    part = pd.Series("train", index=texts.index)
    for name, wanted in [("test", test_share), ("valid", valid_share)]:
        free = folds[part == "train"].unique()
        nearest = sorted(free, key=lambda number: _imbalance(texts["level"], folds == number, share))
        for fold_number in nearest[: round(wanted / share)]:
            part[folds == fold_number] = name
    return part


def _folds(texts, n_folds, seed):
    groups = pd.factorize(learner_groups(texts))[0]
    strata = texts["level"] + texts["l1"]
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    if groups.max() + 1 < n_folds:
        raise CorpusError(
            f"{groups.max() + 1} learners in {len(texts)} texts cannot be parted into {n_folds} folds of learners. "
            "Expected: many learners; look whether the column learner_id holds learners."
        )
    folds = pd.Series(-1, index=texts.index)
    with warnings.catch_warnings():  # it warns of every L1 with fewer texts than folds; the report shows the balance
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, members) in enumerate(splitter.split(texts, strata, groups)):
            folds.iloc[members] = number
    return folds


def _imbalance(level, chosen, share):
    """Largest distance of a level's chosen share from the wanted one; a level left out counts as worst."""
    shares = chosen.groupby(level).mean()
    return (shares - share).abs().max() + (shares == 0).sum()


def learners_known(texts):
    return bool((texts["learner_id"] != "").any())


def learner_groups(texts):
    """What the split keeps together: the learner; without learner ids, texts that share half their 8-grams."""
    if learners_known(texts):
        return texts["learner_id"].where(texts["learner_id"] != "", "text " + texts["text_id"].astype(str))
    grams, owner = ngrams(texts["text"])
    size = np.bincount(owner, minlength=len(texts))
    codes, gram = np.unique(grams, return_inverse=True)
    rare = np.bincount(gram)[gram] <= FORMULA
    member = coo_array((np.ones(rare.sum()), (owner[rare], gram[rare])), shape=(len(texts), len(codes))).tocsr()
    member.data[:] = 1
    shared = (member @ member.T).tocoo()
    alike = shared.data >= 0.5 * np.minimum(size[shared.row], size[shared.col])
    graph = coo_array((shared.data[alike], (shared.row[alike], shared.col[alike])), shape=(len(texts),) * 2)
    return pd.Series(connected_components(graph, directed=False)[1], index=texts.index)


def ngrams(text, n=NGRAM):
    """Hashes of all runs of n words. Returns (hashes, owner): uint64, and the row each run comes from."""
    words = text.str.lower().str.findall(r"\w+")
    length = words.str.len().to_numpy()
    owner = np.repeat(np.arange(len(text)), length)
    hashed = pd.util.hash_array(words.explode().dropna().to_numpy(dtype=object))
    runs = max(len(hashed) - n + 1, 0)
    rolled = np.zeros(runs, np.uint64)
    for k in range(n):
        rolled = rolled * np.uint64(0x9E3779B97F4A7C15) + hashed[k : k + runs]
    whole = owner[:runs] == owner[n - 1 :]  # the run does not reach into the next text
    return rolled[whole], owner[:runs][whole]


def copied(texts, share):
    """True for valid and test texts with at least `share` of their word 8-grams in training text.

    Learners are in one part only, so training text is other learners' text. Texts under 8 words: False.
    """
    grams, owner = ngrams(texts["text"])
    train = (texts["split"] == "train").to_numpy()
    known = np.isin(grams, grams[train[owner]])
    total = np.bincount(owner, minlength=len(texts))
    seen = np.bincount(owner, weights=known, minlength=len(texts))
    return pd.Series(~train & (seen >= share * np.maximum(total, 1)) & (total > 0), index=texts.index)


def split_id(texts):
    """16 hexadecimal digits that name this split: a hash of every text id with its part."""
    lines = texts["text_id"].astype(str) + "\t" + texts["split"]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def hashed_learners(texts):
    """Learner ids as keyed hashes (HMAC-SHA-256, 16 digits); without learner ids each text is its own."""
    if not learners_known(texts):
        return texts["text_id"].astype(str)
    key = _learner_key()
    return learner_groups(texts).map(lambda name: hmac.new(key, name.encode(), "sha256").hexdigest()[:16])


def _learner_key():
    """The secret that learner ids are hashed with: outside the repository, made on first use."""
    path = Path(os.environ.get("ILM_CEFR_KEY", Path.home() / ".config/ilm-cefr/learner.key"))
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip().encode()

