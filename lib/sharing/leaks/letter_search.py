"""Finds runs of words of a corpus in the letters of other texts, however these letters are spaced or separated.

The letters of the searched texts are indexed by hashes of SEED letters; the corpus then streams past once. A run of
words counts as found where all its letters follow each other, so spaces, digits, punctuation and markup cannot hide it.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numba import njit

from lib.corpus.split import NGRAM
from lib.sharing.reading import characters

SEED = 12  # letters
SHORTEST_TEXT = 5  # words; a shorter text says too little, and would be found in any prose
MIX = np.uint64(0x9E3779B97F4A7C15)  # an odd constant with well-spread bits
TABLE_BITS = 27  # of the bit table that answers for most words of the corpus: 16 MB


class Span(NamedTuple):
    """A run of words that was found: its first position among the indexed letters, its letters and its words."""

    position: int
    n_letters: int
    n_words: int


class LetterIndex:
    """The letters of all views of all texts that are searched.

    views: reading.views.View, in the order in which positions are preferred.
    """

    def __init__(self, views):
        lengths = [len(view.letters) for view in views]
        self.begins = np.cumsum([0, *(length + 1 for length in lengths)])[: len(views)]
        size = sum(lengths) + len(views) + 1
        self.letters, self.starts, entries = np.zeros(size, np.uint32), np.ones(size, bool), np.zeros(size, bool)
        for begin, view in zip(self.begins, views):
            end = begin + len(view.letters)
            self.letters[begin:end] = view.letters
            self.starts[begin:end] = view.starts
            entries[begin:end] = view.entries()
        hashes, whole = _seed_hashes(self.letters)
        positions = np.flatnonzero(entries[: len(hashes)] & whole)
        order = np.argsort(hashes[positions], kind="stable")
        self.positions = positions[order]
        self.seeds = hashes[self.positions]
        self.table = _bit_table(self.seeds)

    def search(self, texts):
        """Runs of NGRAM words, and whole shorter texts, of a block of the corpus that are in the index.

        texts: a list of str. Returns a frame, a row for each found run: text (number in the block), run (uint64, a hash
        of its letters), position, n_letters, n_words.
        """
        texts = [characters.expand(text) for text in texts]
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        codes = characters.code_points("".join(texts))
        index = self.seeds, self.positions, self.table, self.letters, self.starts
        found = _search(codes, ends, characters.folding()[0], *index)
        return pd.DataFrame(dict(zip(["text", "run", "position", "n_letters", "n_words"], found)))

    def occurrences(self, position, n_letters):
        """All positions of the letters that follow each other at `position`, in order."""
        wanted = self.letters[position : position + n_letters]
        seed = _seed_hashes(wanted[:SEED])[0][0]
        first, last = np.searchsorted(self.seeds, seed), np.searchsorted(self.seeds, seed, side="right")
        found = self.positions[first:last]
        found = found[found + n_letters < len(self.letters)]
        equal = (self.letters[found[:, None] + np.arange(n_letters)] == wanted).all(axis=1)
        return np.sort(found[equal])

    def view_at(self, position):
        """The number of the view that holds the letter at a position."""
        return int(np.searchsorted(self.begins, position, side="right")) - 1

    def text(self, position, n_letters):
        return "".join(map(chr, self.letters[position : position + n_letters]))


def _seed_hashes(letters):
    """(hashes, whole): of the SEED letters from each position on; whole is False where a view ends before."""
    size = max(len(letters) - SEED + 1, 0)
    hashes, whole = np.zeros(size, np.uint64), np.ones(size, bool)
    for offset in range(SEED):
        letter = letters[offset : offset + size]
        hashes = hashes * MIX + letter
        whole &= letter > 0
    return (hashes ^ (hashes >> np.uint64(31))) * MIX, whole


@njit(cache=True)
def _bit_table(seeds):
    """A bit for the first TABLE_BITS bits of each seed: most seeds of a corpus are not in it."""
    table = np.zeros(1 << (TABLE_BITS - 3), np.uint8)
    for seed in seeds:
        bit = seed >> np.uint64(64 - TABLE_BITS)
        table[bit >> np.uint64(3)] |= np.uint8(1) << np.uint8(bit & np.uint64(7))
    return table


@njit(cache=True)
def _search(codes, ends, folding, seeds, positions, table, letters, starts):
    """The columns of `LetterIndex.search`."""
    capacity = len(codes) // 2 + len(ends) + 1
    out_text = np.empty(capacity, np.int64)
    out_run = np.empty(capacity, np.uint64)
    out_position = np.empty(capacity, np.int64)
    out_letters = np.empty(capacity, np.int64)
    out_words = np.empty(capacity, np.int64)
    folded = np.empty(len(codes), np.uint32)
    word_starts = np.empty(capacity, np.int64)
    n_found = 0
    at = 0
    for text, end in enumerate(ends):
        n = 0
        words = 0
        inside = False
        while at < end:
            letter = folding[codes[at]]
            at += 1
            if letter == 1:
                continue
            if letter == 0:
                inside = False
                continue
            if not inside:
                word_starts[words] = n
                words += 1
                inside = True
            folded[n] = letter
            n += 1
        for word in range(words):
            whole = words < NGRAM
            if whole and (word > 0 or words < SHORTEST_TEXT):
                break
            if not whole and word + NGRAM > words:
                break
            start = word_starts[word]
            stop = word_starts[word + NGRAM] if word + NGRAM < words else n
            found = _position(folded, start, stop, whole, seeds, positions, table, letters, starts)
            if found >= 0:
                out_text[n_found], out_position[n_found] = text, found
                out_letters[n_found], out_words[n_found] = stop - start, min(words, NGRAM)
                run = np.uint64(0)
                for letter in folded[start:stop]:
                    run = run * MIX + np.uint64(letter)
                out_run[n_found] = run ^ (run >> np.uint64(31))
                n_found += 1
    return out_text[:n_found], out_run[:n_found], out_position[:n_found], out_letters[:n_found], out_words[:n_found]


@njit(cache=True)
def _position(folded, start, stop, whole, seeds, positions, table, letters, starts):
    """Where folded[start:stop] is among the letters, or -1. A whole text is found only between ends of words."""
    if stop - start < SEED:
        return -1
    seed = np.uint64(0)
    for letter in folded[start : start + SEED]:
        seed = seed * MIX + np.uint64(letter)
    seed = (seed ^ (seed >> np.uint64(31))) * MIX
    bit = seed >> np.uint64(64 - TABLE_BITS)
    if not table[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7)) & 1:
        return -1
    length = stop - start
    at = np.searchsorted(seeds, seed)
    while at < len(seeds) and seeds[at] == seed:
        position = positions[at]
        at += 1
        if position + length >= len(letters):
            continue
        if whole and not (starts[position] and (starts[position + length] or letters[position + length] == 0)):
            continue
        same = True
        for offset in range(SEED, length):
            if letters[position + offset] != folded[start + offset]:
                same = False
                break
        if same:
            return position
    return -1
