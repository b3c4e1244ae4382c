"""Random masks: spans drawn over the units of a text as in Donahue, Lee & Liang (ACL 2020).

A mask is a list of spans (type, character offset, length) in the order of the text. Spans do not overlap, and the list
may be empty.
"""

import hashlib

import numpy as np
from numba import njit

from lib.masking.segmentation import NGRAM, TYPES, WORD

TRAINING = 0  # purposes separate the random numbers of training from those of each type of frozen mask
FROZEN = {"training_mix": 1, "word": 2, "ngram": 3, "sentence": 4, "document": 5}


def text_keys(text_ids):
    """Hashes of text ids (numbers or strings), which select each text's random numbers: uint64 [texts]."""
    digests = b"".join(hashlib.blake2b(str(text_id).encode(), digest_size=8).digest() for text_id in text_ids)
    return np.frombuffer(digests, "<u8")


def mask_probabilities(mask_settings, mask_type):
    """How masks of one type are drawn: (maskable, mask_probability, ngram_share).

    maskable: bool [TYPES], the types of units that may become a blank; mask_settings: Masks parameters.
    """
    if mask_type == "training_mix":
        return np.ones(len(TYPES), bool), mask_settings.mask_probability, mask_settings.ngram_share
    if mask_type == "ngram":
        return np.arange(len(TYPES)) == WORD, mask_settings.span_type_mask_rate, 1.0
    rate = 1.0 if mask_type == "document" else mask_settings.span_type_mask_rate
    return np.arange(len(TYPES)) == TYPES.index(mask_type), rate, 0.0


# Functions that `_draw` calls are inlined. Otherwise numba counts references at each call and takes 1.5 times as long.
@njit(cache=True, inline="always")
def _high_low(a, b):
    """The high and the low half of the 128-bit product of two 64-bit numbers."""
    lower_half = np.uint64(0xFFFFFFFF)
    s = np.uint64(32)
    a0, a1 = a & lower_half, a >> s
    b0, b1 = b & lower_half, b >> s
    low = a0 * b0
    mid1 = a1 * b0
    mid2 = a0 * b1
    carry = (low >> s) + (mid1 & lower_half) + (mid2 & lower_half)
    return a1 * b1 + (mid1 >> s) + (mid2 >> s) + (carry >> s), a * b


@njit(cache=True, inline="always")
def philox(c0, c1, c2, c3, k0, k1):
    """Philox4x64-10 (Salmon et al., SC 2011): four 64-bit random numbers from a counter (c0..c3) and a key (k0, k1)."""
    for _ in range(10):
        high0, low0 = _high_low(np.uint64(0xD2E7470EE14C6C93), c0)
        high1, low1 = _high_low(np.uint64(0xCA5A826395121157), c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + np.uint64(0x9E3779B97F4A7C15), k1 + np.uint64(0xBB67AE8584CAA73B)
    return c0, c1, c2, c3


@njit(cache=True, inline="always")
def _uniform(stream):
    """The next random number in [0, 1), with 32 bits.

    stream: uint64 [11]. 0..3: counter; 4, 5: key; 6..9: the current four random numbers; 10: how many halves are used.
    """
    used = stream[10]
    if used == 8:
        stream[0] += np.uint64(1)
        stream[6:10] = philox(stream[0], stream[1], stream[2], stream[3], stream[4], stream[5])
        used = np.uint64(0)
    value = stream[np.uint64(6) + (used >> np.uint64(1))] >> (np.uint64(32) * (used & np.uint64(1)))
    stream[10] = used + np.uint64(1)
    return (value & np.uint64(0xFFFFFFFF)) * (1.0 / 4294967296.0)


@njit(cache=True, inline="always")
def _next_masked(units, i, maskable, all_maskable, inverse_log, stream):
    """The next unit from i on that becomes a blank. One random number, geometric, gives how many maskable units are
    skipped before it. inverse_log: 1 / ln(1 - mask_probability)."""
    skipped = int(np.log(1.0 - _uniform(stream)) * inverse_log)
    if all_maskable:
        return i + skipped
    while i < len(units) and (skipped > 0 or not maskable[units[i, 0]]):
        skipped -= maskable[units[i, 0]]
        i += 1
    return i


@njit(cache=True, inline="always")
def _draw_mask(units, maskable, all_maskable, inverse_log, ngram_share, max_ngram, stream, spans):
    """Write one mask of one text into spans [capacity, 3]; returns the number of spans."""
    n = 0
    i = _next_masked(units, 0, maskable, all_maskable, inverse_log, stream)
    while i < len(units):
        kind = units[i, 0]
        offset = units[i, 1]
        end = offset + units[i, 2]
        i += 1
        draw = _uniform(stream) / ngram_share if kind == WORD and ngram_share > 0 else 1.0
        if draw < 1:  # an n-gram; given this, draw is uniform in [0, 1) and can be used again
            n_words = 1  # the longest n-gram that is possible here
            while n_words < max_ngram and i + n_words - 1 < len(units) and units[i + n_words - 1, 0] == WORD:
                n_words += 1
            i += int(draw * n_words)
            kind = NGRAM
            end = units[i - 1, 1] + units[i - 1, 2]
        while i < len(units) and units[i, 0] > kind and kind != NGRAM:
            i += 1  # units inside a blank are skipped
        spans[n, 0] = kind
        spans[n, 1] = offset
        spans[n, 2] = end - offset
        n += 1
        i = _next_masked(units, i, maskable, all_maskable, inverse_log, stream)
    return n


@njit(cache=True, inline="always")
def _equal_spans(spans, first, other, n):
    """Are the n spans from `first` on equal to those from `other` on?"""
    for i in range(n):
        for j in range(3):
            if spans[first + i, j] != spans[other + i, j]:
                return False
    return True


@njit(cache=True, inline="always")
def _is_new(spans, ends, first, stop, start, n):
    """Does the mask spans[start:start + n] differ from all masks first..stop of the same text?"""
    for mask in range(first, stop):
        begin = ends[mask - 1] if mask else 0
        if ends[mask] - begin == n and _equal_spans(spans, begin, start, n):
            return False
    return True


@njit(cache=True)
def _draw(units, bounds, keys, counter, n_masks, max_redraws, maskable, mask_probability, ngram_share, max_ngram):
    seed, purpose, pass_number = counter
    all_maskable = maskable.all()
    inverse_log = 1 / np.log1p(-mask_probability)
    spans = np.empty((1024, 3), np.int32)
    ends = np.empty(len(keys) * n_masks, np.int64)
    owner = np.empty(len(keys) * n_masks, np.int32)
    stream = np.zeros(11, np.uint64)
    n_spans = 0
    n_found = 0  # masks
    for text in range(len(keys)):
        text_units = units[bounds[text] : bounds[text + 1]]
        first = n_found  # the first mask of this text
        for mask in range(n_masks):
            if n_spans + len(text_units) > len(spans):
                spans = np.concatenate((spans, np.empty((len(spans) + len(text_units), 3), np.int32)))
            free = spans[n_spans:]
            for attempt in range(max_redraws):
                stream[0], stream[1], stream[2], stream[3] = 0, mask * max_redraws + attempt, pass_number, keys[text]
                stream[4], stream[5], stream[10] = seed, purpose, 8
                n = _draw_mask(text_units, maskable, all_maskable, inverse_log, ngram_share, max_ngram, stream, free)
                if _is_new(spans, ends, first, n_found, n_spans, n):
                    n_spans += n
                    ends[n_found], owner[n_found] = n_spans, text
                    n_found += 1
                    break
    return spans[:n_spans].copy(), ends[:n_found].copy(), owner[:n_found].copy()


def draw(texts, keys, mask_settings, seed, purpose, pass_number, n_masks, mask_type="training_mix"):
    """Up to n_masks different masks of each text; the empty mask counts as one.

    texts: TokenizedTexts; keys: their `text_keys`; mask_settings: Masks parameters; purpose: TRAINING or one of FROZEN.
    Each mask is a pure function of seed, purpose, pass_number, text and its own number. There is no generator with a
    state, so masks depend neither on the order of texts nor on the process.
    Returns (spans, ends, owner): spans int32 [n_spans, 3] of all masks; ends[m], where the spans of mask m end;
    owner[m], the row of its text.
    """
    counter = (np.uint64(seed), np.uint64(purpose), np.uint64(pass_number))
    maskable, mask_probability, ngram_share = mask_probabilities(mask_settings, mask_type)
    bounds = np.asarray(texts.unit_bounds, np.int64)
    keys = np.asarray(keys, np.uint64)
    numbers = (mask_settings.max_redraws, maskable, mask_probability, ngram_share, mask_settings.max_ngram)
    return _draw(texts.units, bounds, keys, counter, n_masks, *numbers)
