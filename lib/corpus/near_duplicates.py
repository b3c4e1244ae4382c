"""Near duplicates: word n-grams as hashes, MinHash to find candidate pairs, exact Jaccard indices to decide.

MinHash and banding: Broder (1997); Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter 3.
"""

import functools
import sys
from itertools import chain

import numpy as np
import pandas as pd
from numba import njit
from rensa import RMinHash

NGRAM = 3  # words; with 3, planted near duplicates and independent texts on one prompt are furthest apart
MIN_JACCARD = 0.6  # Jaccard index of two texts' n-grams from which on they are near duplicates
BANDS, ROWS = 32, 3  # of the signature: a pair at 0.6 is missed with probability 4e-4, one at 0.7 with 2e-6
SEED = 1997
BLOCK = 20_000  # texts that are expanded into characters at one time
MAX_COMPARISONS = 200  # of a text within a bucket, so that a page copied by a whole school has no quadratic cost
MIX = np.uint64(0x9E3779B97F4A7C15)  # an odd constant with well-spread bits


def find_near_duplicates(text):
    """A group number for each text, the same for near duplicates, be they so directly or in a chain.

    text: a Series of str. Near duplicates share MIN_JACCARD of their distinct word n-grams (Jaccard index). Case and
    punctuation do not count, and a text under NGRAM words has no near duplicate. The number of a group is the row of
    its first text.
    """
    ngrams, starts = _distinct(*word_ngrams(text, NGRAM))
    keys = _band_keys(ngrams, starts)
    parent = np.arange(len(text))
    long_enough = np.flatnonzero(np.diff(starts))
    for key in keys:
        order = long_enough[np.argsort(key[long_enough], kind="stable")]
        _unite(order, key, ngrams, starts, parent)
    return pd.Series(_roots(parent), index=text.index)


def word_ngrams(text, n):
    """Hashes of all word n-grams. Returns (ngrams, starts): uint64; text i has ngrams[starts[i]:starts[i + 1]]."""
    blocks = [text.iloc[i : i + BLOCK] for i in range(0, max(len(text), 1), BLOCK)]
    ngrams, counts = (np.concatenate(arrays) for arrays in zip(*(_block_ngrams(block, n) for block in blocks)))
    return ngrams, np.append(0, np.cumsum(counts))


def _block_ngrams(block, n):
    """(hashes of the n-grams, number of n-grams in each text) of a Series of texts."""
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
    """For each Unicode character, whether it can be in a word: letter, digit or underscore, as in `\\w`."""
    return np.array([chr(code).isalnum() or code == ord("_") for code in range(sys.maxunicode + 1)])


@njit(cache=True)
def _words(letters, ends, in_words):
    """(words, length): a hash of each word (FNV-1a over characters), and the number of words in each text."""
    words = np.empty(len(letters) // 2 + len(ends), np.uint64)
    length = np.zeros_like(ends)
    n_words = 0
    position = 0
    for text, end in enumerate(ends):
        before = n_words
        while position < end:
            if not in_words[letters[position]]:
                position += 1
                continue
            word = np.uint64(0xCBF29CE484222325)
            while position < end and in_words[letters[position]]:
                word = (word ^ np.uint64(letters[position])) * np.uint64(0x100000001B3)
                position += 1
            words[n_words] = word ^ (word >> np.uint64(32))
            n_words += 1
        length[text] = n_words - before
    return words[:n_words].copy(), length


def _band_keys(ngrams, starts):
    """[band, text]: uint64, equal where ROWS numbers of two texts' MinHash signatures are equal."""
    keys = np.empty((BANDS, len(starts) - 1), np.uint64)
    for i in range(0, keys.shape[1], BLOCK):
        edge = starts[i : i + BLOCK + 1]
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            ngrams[edge[0] : edge[-1]], edge - edge[0], BANDS * ROWS, SEED
        )
        signatures = np.fromiter(chain.from_iterable(matrix.to_rows()), np.uint64, (len(edge) - 1) * BANDS * ROWS)
        key = np.zeros((len(edge) - 1, BANDS), np.uint64)
        for row in np.moveaxis(signatures.reshape(-1, BANDS, ROWS), 2, 0):
            key = key * MIX + row
        keys[:, i : i + BLOCK] = key.T
    return keys


@njit(cache=True)
def _distinct(ngrams, starts):
    """The same (ngrams, starts), with each text's n-grams sorted and without repeats."""
    end = 0
    new_starts = np.zeros_like(starts)
    for i in range(len(starts) - 1):
        sorted_ngrams = np.sort(ngrams[starts[i] : starts[i + 1]])
        for k in range(len(sorted_ngrams)):
            if k == 0 or sorted_ngrams[k] != sorted_ngrams[k - 1]:
                ngrams[end] = sorted_ngrams[k]
                end += 1
        new_starts[i + 1] = end
    return ngrams[:end].copy(), new_starts


@njit(cache=True)
def _unite(order, key, ngrams, starts, parent):
    """Join near duplicates among the texts of a bucket. order: texts sorted by key; parent: changed in place."""
    for a in range(len(order)):
        for b in range(a + 1, min(a + 1 + MAX_COMPARISONS, len(order))):
            if key[order[a]] != key[order[b]]:
                break
            root_a, root_b = _root(parent, order[a]), _root(parent, order[b])
            if root_a != root_b and _jaccard(ngrams, starts, order[a], order[b]) >= MIN_JACCARD:
                parent[max(root_a, root_b)] = min(root_a, root_b)


@njit(cache=True)
def _jaccard(ngrams, starts, a, b):
    """Jaccard index of the n-grams of the texts a and b, which are sorted and distinct."""
    i, j = starts[a], starts[b]
    shared = 0
    while i < starts[a + 1] and j < starts[b + 1]:
        shared += ngrams[i] == ngrams[j]
        step = ngrams[i] <= ngrams[j]
        j += ngrams[j] <= ngrams[i]
        i += step
    return shared / (starts[a + 1] - starts[a] + starts[b + 1] - starts[b] - shared)


@njit(cache=True)
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True)
def _roots(parent):
    return np.array([_root(parent, i) for i in range(len(parent))])
