"""Units of a text, outer before inner: where blanks can go.

They stand in one array in the order of reading: document, paragraph, sentence, word, word, ..., sentence, word, ...
"""

import functools
import re

import numpy as np

TYPES = ["document", "paragraph", "sentence", "ngram", "word"]
DOCUMENT, PARAGRAPH, SENTENCE, NGRAM, WORD = range(5)

# A sentence ends at . ! ? (with closing quotes) before a space, or glued to a capital letter: "yes.No space".
_END = re.compile(r"""[.!?…](['"”’)\]]*(?:\s+|(?=[A-Z][a-z'])))""")
_NOT_END = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|[ap]\.m)|\b[A-Z])\.$")


def sentences(paragraph):
    """Sentences of one paragraph as (offset, length), by rules made for learners' punctuation."""
    start, found = 0, []
    for match in _END.finditer(paragraph):
        stop, end = match.start(1), match.end()
        glued = end == stop
        if glued and not paragraph[max(stop - 2, 0)].islower():
            continue  # "U.S.Army", "3.Then": no word in small letters before the full stop
        if not glued and _NOT_END.search(paragraph, max(start, stop - 8), stop) and paragraph[stop - 1] not in "!?":
            continue
        found.append((start, len(paragraph[start:end].rstrip())))
        start = end
    if start < len(paragraph):
        found.append((start, len(paragraph) - start))
    return found


def punkt_sentences(paragraph):
    """Sentences as NLTK's punkt finds them; needs its data (nltk.download("punkt_tab"))."""
    from nltk.tokenize import sent_tokenize

    return _locate(paragraph, [part.strip() for part in sent_tokenize(paragraph)])


SPLITTERS = {"rules": sentences, "punkt": punkt_sentences}


def segment(text, splitter="rules"):
    """The units of a text. Returns int32 [n, 3]: kind, character offset, length."""
    rows = [DOCUMENT, 0, len(text)]
    for line_at, line in _lines(text):
        rows += (PARAGRAPH, line_at, len(line))
        for at, length in SPLITTERS[splitter](line):
            rows += (SENTENCE, line_at + at, length)
            for inner_at, inner in _cut_again(line[at : at + length], splitter):
                rows += words(inner, line_at + at + inner_at)
    return np.array(rows, np.int32).reshape(-1, 3)


def _cut_again(sentence, splitter):
    """With punkt, NLTK's word_tokenize, which upstream calls, looks for sentences in each sentence once more."""
    if splitter != "punkt":
        return [(0, sentence)]
    return [(at, sentence[at : at + length]) for at, length in punkt_sentences(sentence)]


def _lines(text):
    at = 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            yield at + len(line) - len(line.lstrip()), line.strip()
        at += len(line)


# Where Treebank looks further than from space to space: a full stop before closing marks, and white space but blanks.
_WHOLE = re.compile(r"""\.(?=[\]\)}>"'»”’ ]* )[\]\)}>"'»”’ ]*$|[^\S ]""")
_CONTRACTIONS = {"cannot", "gimme", "gonna", "gotta", "lemme", "wanna"}


def words(sentence, at=0):
    """Treebank words of a sentence that begins at `at`: WORD, offset, length of each in one flat list.

    Treebank's rules do not reach across spaces but for the cases of _WHOLE, so pieces between spaces are tokenised
    once and remembered: many times faster, the same words (a test compares them).
    """
    whole = _WHOLE.search(sentence)
    pieces, rows = [sentence] if whole else sentence.split(" "), []
    for i, piece in enumerate(pieces):
        inner = _locate(piece, _treebank().tokenize(piece)) if whole else _piece(piece, i == 0, i == len(pieces) - 1)
        for inside, length in inner:
            rows += (WORD, at + inside, length)
        at += len(piece) + 1
    return rows


@functools.lru_cache(1 << 17)
def _piece(piece, first, last):
    """Words of a piece between spaces; it matters only whether it begins or ends the sentence."""
    if piece.isascii() and piece.isalpha() and piece.lower() not in _CONTRACTIONS:
        return [(0, len(piece))]
    before, after = "" if first else "x ", "" if last else " x"
    parts = _treebank().tokenize(before + piece + after)
    return _locate(piece, parts[bool(before) : len(parts) - bool(after)])


@functools.cache
def _treebank():
    from nltk.tokenize import NLTKWordTokenizer  # here, since NLTK takes 3 s to import and training needs no words

    return NLTKWordTokenizer()


def _locate(text, parts):
    """Offsets of parts in the order they stand. Treebank respells quotation marks: ", `` and '' may be each other."""
    at, found = 0, []
    for part in parts:
        spellings = ('"', "``", "''") if part in ("``", "''") else (part,)
        places = [(text.find(s, at), -len(s)) for s in spellings if s in text[at:]]
        if not places:
            raise ValueError(f"a piece of {len(part)} characters is not in the text it was cut from")
        start, minus_length = min(places)
        found.append((start, -minus_length))
        at = start - minus_length
    return found
