"""Where the blanks go: spans drawn over a text's units as in Donahue, Lee & Liang (ACL 2020).

A mask is a list of spans (type, character offset, length), in order, not overlapping, possibly empty.
"""

import hashlib

import numpy as np
from numba import njit

from lib.masking.segmentation import NGRAM, TYPES, WORD

TRAINING = 0  # purposes keep the random numbers of training and of each frozen mask type apart
FROZEN = {"training_mix": 1, "word": 2, "ngram": 3, "sentence": 4, "document": 5}


def text_keys(text_ids):
    """Each text's 64-bit place in the counter of the random numbers, by its id, number or string: uint64 [texts]."""
    digests = b"".join(hashlib.blake2b(str(text_id).encode(), digest_size=8).digest() for text_id in text_ids)
    return np.frombuffer(digests, "<u8")


def mask_probabilities(p, ngram_share, mask_type="training_mix"):
    """For one span type or the mix: which kinds of units are asked, their chance to be hit, the share of n-grams."""
    only = {"training_mix": range(len(TYPES)), "ngram": [WORD]}.get(mask_type) or [TYPES.index(mask_type)]
    share = ngram_share if mask_type == "training_mix" else float(mask_type == "ngram")
    return np.isin(range(len(TYPES)), only), 1.0 if mask_type == "document" else p, share


# All that a draw calls is inlined: numba counts references at every call otherwise, and takes 1.5 times as long.
@njit(cache=True, inline="always")
def _high_low(a, b):
    """Both halves of the 128-bit product of two 64-bit numbers."""
    mask, s = np.uint64(0xFFFFFFFF), np.uint64(32)
    a0, a1, b0, b1 = a & mask, a >> s, b & mask, b >> s
    low, mid1, mid2 = a0 * b0, a1 * b0, a0 * b1
    carry = (low >> s) + (mid1 & mask) + (mid2 & mask)
    return a1 * b1 + (mid1 >> s) + (mid2 >> s) + (carry >> s), a * b


@njit(cache=True, inline="always")
def philox(c0, c1, c2, c3, k0, k1):
    """Philox4x64-10 (Salmon et al., SC 2011): counter and key in, four 64-bit random numbers out."""
    for _ in range(10):
        high0, low0 = _high_low(np.uint64(0xD2E7470EE14C6C93), c0)
        high1, low1 = _high_low(np.uint64(0xCA5A826395121157), c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + np.uint64(0x9E3779B97F4A7C15), k1 + np.uint64(0xBB67AE8584CAA73B)
    return c0, c1, c2, c3


@njit(cache=True, inline="always")
def _uniform(stream):
    """The next number in [0, 1), of 32 bits. stream: uint64 [11]: counter 0..3, key 4, 5, block 6..9, used 10."""
    used = stream[10]
    if used == 8:
        stream[0] += np.uint64(1)
        stream[6:10] = philox(stream[0], stream[1], stream[2], stream[3], stream[4], stream[5])
        used = np.uint64(0)
    value = stream[np.uint64(6) + (used >> np.uint64(1))] >> (np.uint64(32) * (used & np.uint64(1)))
    stream[10] = used + np.uint64(1)
    return (value & np.uint64(0xFFFFFFFF)) * (1.0 / 4294967296.0)


@njit(cache=True, inline="always")
def _hit(units, i, asked, every, per_log, stream):
    """The next unit from i on that becomes a span; one draw says how many are asked in vain before it."""
    misses = int(np.log(1.0 - _uniform(stream)) * per_log)
    if every:
        return i + misses
    while i < len(units) and (misses > 0 or not asked[units[i, 0]]):
        misses -= asked[units[i, 0]]
        i += 1
    return i


@njit(cache=True, inline="always")
def _walk(units, asked, every, per_log, ngram_share, max_ngram, stream, spans):
    """One mask over one text's units into spans [capacity, 3]; returns the number of spans."""
    n, i = 0, _hit(units, 0, asked, every, per_log, stream)
    while i < len(units):
        kind, offset, end = units[i, 0], units[i, 1], units[i, 1] + units[i, 2]
        i += 1
        draw = _uniform(stream) / ngram_share if kind == WORD and ngram_share > 0 else 1.0
        if draw < 1:  # then it is uniform again
            left = 1
            while left < max_ngram and i + left - 1 < len(units) and units[i + left - 1, 0] == WORD:
                left += 1
            i += int(draw * left)
            kind, end = NGRAM, units[i - 1, 1] + units[i - 1, 2]
        while i < len(units) and units[i, 0] > kind and kind != NGRAM:
            i += 1  # what lies inside a blank is not looked at
        spans[n, 0], spans[n, 1], spans[n, 2] = kind, offset, end - offset
        n += 1
        i = _hit(units, i, asked, every, per_log, stream)
    return n


@njit(cache=True, inline="always")
def _same(spans, first, other, n):
    """Whether the n spans from `first` on are those from `other` on."""
    for i in range(n):
        for j in range(3):
            if spans[first + i, j] != spans[other + i, j]:
                return False
    return True


@njit(cache=True, inline="always")
def _is_new(spans, ends, first, last, start, n):
    """True when spans[start:start + n] differs from each of the masks first..last of the same text."""
    for mask in range(first, last):
        begin = ends[mask - 1] if mask else 0
        if ends[mask] - begin == n and _same(spans, begin, start, n):
            return False
    return True


@njit(cache=True)
def _draw(units, starts, keys, seed, purpose, pass_, n_masks, tries, asked, p, ngram_share, max_ngram):
    spans, every, per_log = np.empty((1024, 3), np.int32), asked.all(), 1 / np.log1p(-p)
    ends, owner = np.empty(len(keys) * n_masks, np.int64), np.empty(len(keys) * n_masks, np.int32)
    stream = np.zeros(11, np.uint64)
    n_spans = found = 0
    for text in range(len(keys)):
        own, first = units[starts[text] : starts[text + 1]], found
        for mask in range(n_masks):
            if n_spans + len(own) > len(spans):
                spans = np.concatenate((spans, np.empty((len(spans) + len(own), 3), np.int32)))
            for attempt in range(tries):
                stream[0], stream[1], stream[2], stream[3] = 0, mask * tries + attempt, pass_, keys[text]
                stream[4], stream[5], stream[10] = seed, purpose, 8
                n = _walk(own, asked, every, per_log, ngram_share, max_ngram, stream, spans[n_spans:])
                if _is_new(spans, ends, first, found, n_spans, n):
                    n_spans += n
                    ends[found], owner[found] = n_spans, text
                    found += 1
                    break
    return spans[:n_spans].copy(), ends[:found].copy(), owner[:found].copy()


def draw(units, bounds, keys, seed, purpose, pass_, n_masks, tries, asked, p, ngram_share, max_ngram):
    """Up to n_masks different masks of each text; an empty mask is one mask.

    units: int32 [n, 3], of all texts in a row; bounds: int [texts + 1], those of text i stand from bounds[i] to
    bounds[i + 1]; keys: uint64, one a text (`text_keys`); asked, p, ngram_share: `chances`. Every mask is a pure
    function of (seed, purpose, pass_, its text, its number): no generator has a state, so no order or process can
    change it.
    Returns (spans, ends, owner): spans int32 [n_spans, 3] of all masks in a row, ends[m] where mask m stops,
    owner[m] the row of its text.
    """
    numbers = (np.uint64(seed), np.uint64(purpose), np.uint64(pass_))
    how = (n_masks, tries, asked, p, ngram_share, max_ngram)
    return _draw(units, np.asarray(bounds, np.int64), np.asarray(keys, np.uint64), *numbers, *how)
