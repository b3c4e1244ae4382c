"""Orders in which the letters of a text may be read, so that a sentence is found between other tokens.

Spaces, digits, punctuation and symbols never count, so a word in each row, cell or span needs no view of its own.
"""

import re
from typing import NamedTuple

import numpy as np

from lib.sharing.reading import characters

STRIDES = range(2, 7)  # every second to every sixth word
COLUMNS = 12  # of a table, from the left
LONG_WORD = 20  # letters; a longer word may be several without spaces
FEWEST_ROWS = 5
FEWEST_WORDS = 8
FEWEST_LINES = 3  # that begin alike
LINE_STARTS = 4  # words at the start of a line that may be the same in most lines, as in a log
DELIMITERS = "\t,;|&│┃"
MARKUP_SIGNS = re.compile(r"[<\\[\]/_|@\u0120\u010a\u2581]")
MARKUP = re.compile(
    r"<!\[CDATA\[|\]\]>"
    r"|<[^<>]{0,300}>"  # tags
    r"|\\[a-zA-Z@]+\*?(?:\[[^\]\n]*\])?"  # LaTeX commands
    r"|\]\([^)\s]*\)|\[/?[a-zA-Z]+(?:=[^\]\n]*)?\]"  # targets of Markdown links, BBCode
    r"|(?<=[^\W\d_])[/_|](?:[A-Z]{1,5}\$?|[A-Z]+)(?![^\W_])"  # part-of-speech tags: word/NN, word_NN
    r"|</w>|[\u0120\u010a\u2581]|@@"  # marks of subword tokenizers
)


class View(NamedTuple):
    """Letters of a text in one order.

    index: int32, the position of each letter in the text; letters: uint32, folded; starts: bool, whether a word begins
    with the letter.
    """

    index: np.ndarray
    letters: np.ndarray
    starts: np.ndarray

    def select(self, chosen):
        """The view of some letters: a mask or an array of positions."""
        return View(self.index[chosen], self.letters[chosen], self.starts[chosen])

    def entries(self):
        """bool: where a run of words may begin: with a word, or anywhere in a long one."""
        word = np.cumsum(self.starts)
        return self.starts | (np.bincount(word) > LONG_WORD)[word]


def letters_of(text):
    """The View of all letters of a text, in their order."""
    folded = characters.folding()[0][characters.code_points(text)]
    kept = np.flatnonzero(folded != characters.IGNORED)
    is_letter = folded[kept] != characters.SEPARATOR
    starts = is_letter & ~np.append(False, is_letter[:-1])
    index = kept[is_letter]
    return View(index.astype(np.int32), folded[index], starts[is_letter])


def views(text, shortest):
    """Yield the views of a text (after `characters.expand`) that have `shortest` letters or more."""
    whole = letters_of(text)
    for view in _all_views(text, whole, shortest):
        if len(view.letters) >= shortest:
            yield view


def _all_views(text, whole, shortest):
    yield whole
    if len(whole.letters) < shortest:
        return
    without = _without_markup(text, whole)
    if without is not None:
        yield without
    if whole.starts.sum() < FEWEST_WORDS:
        return
    yield from _strides(whole)
    yield from _columns(text, whole)
    yield from _without_line_starts(text, whole)
    yield _backwards(whole)


def _without_markup(text, whole):
    if not MARKUP_SIGNS.search(text):
        return None
    kept = np.ones(len(text), bool)
    for found in MARKUP.finditer(text):
        kept[found.start() : found.end()] = False
    if kept.all():
        return None
    view = whole.select(kept[whole.index])
    return view._replace(starts=view.starts | (np.diff(view.index, prepend=-2) > 1))  # a word may follow the markup


def _strides(whole):
    """Every n-th word, from each of the first n words on."""
    word = np.cumsum(whole.starts) - 1
    for stride in STRIDES:
        yield whole.select(np.argsort((word % stride).astype(np.uint8), kind="stable"))


def _columns(text, whole):
    """The cells of each column, row by row, for each delimiter that occurs in FEWEST_ROWS lines."""
    codes = characters.code_points(text)
    newline = codes == ord("\n")
    line = np.cumsum(newline)
    quoted = (np.cumsum(codes == ord('"')) & 1).astype(bool)
    blank = (codes == ord(" ")) | (codes == ord("\t"))
    gap = blank & ~np.append(True, (blank | newline)[:-1])
    marks = {name: (codes == ord(name)) & ~quoted for name in DELIMITERS if name in text}
    marks |= {" ": gap, "  ": gap & np.append(blank[1:], False)}  # between words, and between wider columns
    for mark in marks.values():
        if len(np.unique(line[mark])) >= FEWEST_ROWS:
            column = np.minimum(_column_numbers(mark, newline)[whole.index], COLUMNS).astype(np.uint8)
            order = np.argsort(column, kind="stable")
            yield whole.select(order[: np.count_nonzero(column < COLUMNS)])


def _without_line_starts(text, whole):
    """The lines without the words with which most of them begin, such as INFO in a log or print in a program."""
    line_of_letter = np.cumsum(characters.code_points(text) == ord("\n"))[whole.index]
    begins = np.flatnonzero(whole.starts)
    line = line_of_letter[begins]
    first = np.append(True, line[1:] != line[:-1])
    if first.sum() < FEWEST_LINES:
        return
    place = np.arange(len(begins))
    place -= np.maximum.accumulate(np.where(first, place, 0))  # of a word in its line, from 0
    spelt = np.add.reduceat(whole.letters.astype(np.int64) ** 2, begins)  # equal for equal words
    dropped = np.zeros(len(begins), bool)
    for number in range(LINE_STARTS):
        here = place == number
        counts = np.unique(spelt[here], return_counts=True)[1]
        if here.sum() >= FEWEST_LINES and counts.max() >= here.sum() / 2:
            dropped |= here
    if dropped.any():
        yield whole.select(~dropped[np.cumsum(whole.starts) - 1])


def _column_numbers(mark, newline):
    """For each character, the number of delimiters before it in its line."""
    count = np.cumsum(mark)
    before_line = np.maximum.accumulate(np.where(newline, count, 0))
    return count - before_line


def _backwards(whole):
    """The words from the last to the first."""
    begins = np.flatnonzero(whole.starts)
    lengths = np.diff(begins, append=len(whole.letters))[::-1]
    offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return whole.select(np.repeat(begins[::-1], lengths) + offsets)
