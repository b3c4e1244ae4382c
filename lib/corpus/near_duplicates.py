"""Which texts are nearly the same: runs of words as hashes, MinHash to find likely pairs, exact comparison to decide.

MinHash and banding: Broder (1997); Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter 3.
"""

import functools
import sys
from itertools import chain

import numpy as np
import pandas as pd
from numba import njit
from rensa import RMinHash

RUN = 3  # words; with 3, planted near duplicates and independent texts on one prompt lie furthest apart
ALIKE = 0.6  # Jaccard index of two texts' runs from which on they are near duplicates
BANDS, ROWS = 32, 3  # of the signature: a pair at 0.6 is missed with a chance of 4e-4, one at 0.7 with 2e-6
SEED = 1997
BLOCK = 20_000  # texts that exist letter by letter at one time
NEIGHBOURS = 200  # in a bucket, so that a page copied by a whole school costs no square of its size
MIX = np.uint64(0x9E3779B97F4A7C15)  # an odd constant with well-spread bits


def find_near_duplicates(text):
    """A number for each text, the same for texts that are near duplicates of each other, directly or in a chain.

    text: a series of str. Near duplicates share ALIKE of their distinct runs of RUN words (Jaccard index); case and
    punctuation do not count, and a text under RUN words is nobody's. The number is the row of the group's first text.
    """
    runs, starts = _distinct(*word_ngrams(text, RUN))
    keys, parent = _band_keys(runs, starts), np.arange(len(text))
    some = np.flatnonzero(np.diff(starts))
    for key in keys:
        order = some[np.argsort(key[some], kind="stable")]
        _unite(order, key, runs, starts, parent)
    return pd.Series(_roots(parent), index=text.index)


def word_ngrams(text, n):
    """Hashes of all runs of n words. Returns (runs, starts): uint64; row i has runs[starts[i]:starts[i + 1]]."""
    blocks = [text.iloc[i : i + BLOCK] for i in range(0, max(len(text), 1), BLOCK)]
    runs, counts = (np.concatenate(part) for part in zip(*(_runs(block, n) for block in blocks)))
    return runs, np.append(0, np.cumsum(counts))


def _runs(block, n):
    texts = [text.lower() for text in block]
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    letters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    words, length = _words(letters, ends, _in_words())
    rolled = np.zeros(max(len(words) - n + 1, 0), np.uint64)
    for k in range(n):
        rolled = rolled * MIX + words[k : k + len(rolled)]
    left = np.repeat(np.cumsum(length), length)[: len(rolled)] - np.arange(len(rolled))  # words to the end of the text
    return rolled[left >= n], np.maximum(length - n + 1, 0)


@functools.cache
def _in_words():
    """For each Unicode character, whether it can be in a word: letter, digit or underscore, as `\\w` has it."""
    return np.array([chr(code).isalnum() or code == ord("_") for code in range(sys.maxunicode + 1)])


@njit(cache=True)
def _words(letters, ends, in_words):
    """(words, length): a hash of each word (FNV-1a over characters), and the number of words in each text."""
    words, length, found, at = np.empty(len(letters) // 2 + len(ends), np.uint64), np.zeros_like(ends), 0, 0
    for text, end in enumerate(ends):
        before = found
        while at < end:
            if not in_words[letters[at]]:
                at += 1
                continue
            word = np.uint64(0xCBF29CE484222325)
            while at < end and in_words[letters[at]]:
                word = (word ^ np.uint64(letters[at])) * np.uint64(0x100000001B3)
                at += 1
            words[found] = word ^ (word >> np.uint64(32))
            found += 1
        length[text] = found - before
    return words[:found].copy(), length


def _band_keys(runs, starts):
    """[band, text]: uint64, equal where ROWS numbers of two texts' MinHash signatures are."""
    keys = np.empty((BANDS, len(starts) - 1), np.uint64)
    for i in range(0, keys.shape[1], BLOCK):
        edge = starts[i : i + BLOCK + 1]
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            runs[edge[0] : edge[-1]], edge - edge[0], BANDS * ROWS, SEED
        )
        numbers = np.fromiter(chain.from_iterable(matrix.to_rows()), np.uint64, (len(edge) - 1) * BANDS * ROWS)
        key = np.zeros((len(edge) - 1, BANDS), np.uint64)
        for row in np.moveaxis(numbers.reshape(-1, BANDS, ROWS), 2, 0):
            key = key * MIX + row
        keys[:, i : i + BLOCK] = key.T
    return keys


@njit(cache=True)
def _distinct(runs, starts):
    """The same, each text's runs sorted and without repeats."""
    end, new = 0, np.zeros_like(starts)
    for i in range(len(starts) - 1):
        own = np.sort(runs[starts[i] : starts[i + 1]])
        for k in range(len(own)):
            if k == 0 or own[k] != own[k - 1]:
                runs[end] = own[k]
                end += 1
        new[i + 1] = end
    return runs[:end].copy(), new


@njit(cache=True)
def _unite(order, key, runs, starts, parent):
    """Join near duplicates among neighbours in a bucket. order: texts by key; parent: changed in place."""
    for a in range(len(order)):
        for b in range(a + 1, min(a + 1 + NEIGHBOURS, len(order))):
            if key[order[a]] != key[order[b]]:
                break
            one, two = _root(parent, order[a]), _root(parent, order[b])
            if one != two and _jaccard(runs, starts, order[a], order[b]) >= ALIKE:
                parent[max(one, two)] = min(one, two)


@njit(cache=True)
def _jaccard(runs, starts, one, two):
    i, j, shared = starts[one], starts[two], 0
    while i < starts[one + 1] and j < starts[two + 1]:
        shared += runs[i] == runs[j]
        step = runs[i] <= runs[j]
        j += runs[j] <= runs[i]
        i += step
    return shared / (starts[one + 1] - starts[one] + starts[two + 1] - starts[two] - shared)


@njit(cache=True)
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True)
def _roots(parent):
    return np.array([_root(parent, i) for i in range(len(parent))])
