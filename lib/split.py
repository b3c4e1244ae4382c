"""Who is in which part: one learner-disjoint split for every model, and which test texts were copied."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lib.corpus import CorpusError

PARTS = ["train", "valid", "test"]
NGRAM = 8  # words; two texts that share as many in a row were hardly written apart
FORMULA = 50  # an 8-gram in more texts than this is a phrase of the prompt, no link between two texts


def parts(texts, valid_share, test_share, seed):
    """One part a text (train, valid or test): no learner in two parts, levels and first languages balanced.

    A greedy form of iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011) over learners. texts: as `clean`
    returns them, so the result does not depend on the order of rows. Returns a series of str, aligned with texts.
    Raises CorpusError for an empty part.
    """
    wanted = np.array([1 - valid_share - test_share, valid_share, test_share])
    learner = pd.factorize(learner_groups(texts), sort=True)[0]
    cells = pd.get_dummies(texts[["level", "l1"]], dtype=float).groupby(learner).sum().to_numpy()
    part = np.array(PARTS)[_deal(cells, wanted, np.random.default_rng(seed))]
    sizes = {name: int((part[learner] == name).sum()) for name in PARTS}
    if not all(sizes.values()):
        raise CorpusError(
            f"{' and '.join(name for name, n in sizes.items() if not n)} would be empty: {sizes} texts by "
            f"{len(cells)} learners. Expected: text in all three parts; look at valid_share and test_share, "
            "and whether the column learner_id holds learners."
        )
    return pd.Series(part[learner], index=texts.index)


def _deal(cells, wanted, rng):
    """Give each learner to the part that most lacks such texts. cells: number of texts, [learner, level or L1].

    Learners with many texts come first, those with few then even out the rest; within classes of about the same number
    of texts the order is random. Returns the number of a part for each learner.
    """
    order = rng.permutation(len(cells))
    size_class = np.round(2 * np.log2(cells[order].sum(axis=1)))
    has, seen, weight = np.zeros((3, cells.shape[1])), np.zeros(cells.shape[1]), 1 / cells.sum(axis=0)
    place = np.zeros(len(cells), int)
    for learner in order[np.argsort(-size_class, kind="stable")]:
        seen += cells[learner]
        excess = has - wanted[:, None] * seen  # [part, level or L1]: texts
        score = excess @ (weight * cells[learner])  # the rarer a level or L1, the more it counts
        place[learner] = np.argmin(score.round(9))  # rounded, so that a tie is a tie on every machine
        has[place[learner]] += cells[learner]
    return place


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
