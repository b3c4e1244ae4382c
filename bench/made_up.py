"""Made-up texts as token ids, as long as EFCAMDAT's and with something to learn in them; no tokenizer is needed."""

import functools

import numpy as np
import pandas as pd

from lib.design import LEVELS
from lib.masking.segmentation import DOCUMENT, PARAGRAPH, SENTENCE, WORD

TOKENS = {"A1": 44, "A2": 82, "B1": 112, "B2": 165, "C1": 228}  # mean of a text: EFCAMDAT's characters, 4.25 a token
TEXTS = {"A1": 341_155, "A2": 215_344, "B1": 116_539, "B2": 40_238, "C1": 10_006}  # in EFCAMDAT
LONGEST = 450  # tokens


@functools.cache
def units(n):
    """Units of a text of n words of one token: int32 [3 x units]; a word takes 5 characters, its space included."""
    def unit(kind, first, last):
        offset = 5 * first + (first > 0)
        return [kind, offset, 5 * last - offset]

    rows = [unit(DOCUMENT, 0, n)]
    for p in range(0, n, 44):
        rows.append(unit(PARAGRAPH, p, min(p + 44, n)))
        for s in range(p, min(p + 44, n), 11):
            last = min(s + 11, p + 44, n)
            rows += [unit(SENTENCE, s, last), *(unit(WORD, word, word + 1) for word in range(s, last))]
    return np.array(rows, np.int32).ravel()


def language(rng, level, shape, vocabulary):
    """Token ids [texts, longest]: Zipf's law, but two of three tokens are one of four followers of the one before.

    Three of ten tokens have followers of their level's own.
    """
    shared, own = (np.random.default_rng([7, k]) for k in (0, LEVELS.index(level) + 1))
    followers = shared.integers(vocabulary, size=(vocabulary, 4), dtype=np.int32)
    differ = own.random(vocabulary) < 0.3
    followers[differ] = own.integers(vocabulary, size=(differ.sum(), 4), dtype=np.int32)
    law = np.cumsum(1 / (np.arange(vocabulary) + 2.7))
    ids = np.searchsorted(law, rng.random(shape, np.float32) * law[-1]).clip(max=vocabulary - 1).astype(np.int32)
    follows = rng.random(shape, np.float32) < 0.65
    which = np.searchsorted([0.5, 0.75, 0.9], rng.random(shape, np.float32))
    for t in range(1, shape[1]):
        ids[:, t] = np.where(follows[:, t], followers[ids[:, t - 1], which[:, t]], ids[:, t])
    return ids


def corpus(n_texts, vocabulary, shorter=1):
    """Rows as 02_mask leaves them in index.parquet, with level and split, in EFCAMDAT's shares of levels.

    shorter: texts have so many times fewer tokens than EFCAMDAT's, for trying things out.
    """
    frames, place = [], np.arange(LONGEST, dtype=np.int32) * 5
    for level, share in TEXTS.items():
        rng = np.random.default_rng([1, LEVELS.index(level)])
        n = max(24, round(n_texts * share / sum(TEXTS.values())))
        lengths = (TOKENS[level] / shorter * rng.lognormal(-0.06, 0.35, n)).astype(int).clip(6, LONGEST)
        ids = language(rng, level, (n, lengths.max()), vocabulary)
        rows = {"level": level, "ids": [row[:k] for row, k in zip(ids, lengths)], "units": [units(k) for k in lengths]}
        rows |= {"starts": [place[:k] for k in lengths], "ends": [place[:k] + 5 for k in lengths]}
        frames.append(pd.DataFrame(rows).assign(split=np.where(np.arange(n) < min(300, n // 4), "valid", "train")))
    return pd.concat(frames, ignore_index=True).rename_axis("text_id").reset_index()
