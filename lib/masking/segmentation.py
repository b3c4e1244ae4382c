"""Units of a text that can become blanks: document, paragraphs, sentences and words.

They form one array in reading order, outer before inner: document, paragraph, sentence, word, word, ..., sentence, ...
"""

import functools
import re

import numpy as np

TYPES = ["document", "paragraph", "sentence", "ngram", "word"]
DOCUMENT, PARAGRAPH, SENTENCE, NGRAM, WORD = range(5)

# A sentence ends at . ! ? (with closing quotes) before a space, or directly before a capital letter: "yes.No space".
_END = re.compile(r"""[.!?…](['"”’)\]]*(?:\s+|(?=[A-Z][a-z'])))""")
_NOT_END = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|[ap]\.m)|\b[A-Z])\.$")


def sentences(paragraph):
    """Sentences of one paragraph as (offset, length), by rules for learners' punctuation."""
    start = 0
    spans = []
    for match in _END.finditer(paragraph):
        stop = match.start(1)
        end = match.end()
        no_space = end == stop
        if no_space and not paragraph[max(stop - 2, 0)].islower():
            continue  # "U.S.Army", "3.Then": no word in small letters before the full stop
        if not no_space and _NOT_END.search(paragraph, max(start, stop - 8), stop) and paragraph[stop - 1] not in "!?":
            continue
        spans.append((start, len(paragraph[start:end].rstrip())))
        start = end
    if start < len(paragraph):
        spans.append((start, len(paragraph) - start))
    return spans


def punkt_sentences(paragraph):
    """Sentences as NLTK's Punkt finds them, as (offset, length). Its data is needed: nltk.download("punkt_tab")."""
    from nltk.tokenize import sent_tokenize

    return _locate(paragraph, [sentence.strip() for sentence in sent_tokenize(paragraph)])


SPLITTERS = {"rules": sentences, "punkt": punkt_sentences}


def segment(text, splitter="rules"):
    """The units of a text. Returns int32 [n, 3]: type, character offset, length."""
    rows = [DOCUMENT, 0, len(text)]
    for paragraph_offset, paragraph in _paragraphs(text):
        rows += (PARAGRAPH, paragraph_offset, len(paragraph))
        for offset, length in SPLITTERS[splitter](paragraph):
            rows += (SENTENCE, paragraph_offset + offset, length)
            for inner_offset, piece in _split_again(paragraph[offset : offset + length], splitter):
                rows += words(piece, paragraph_offset + offset + inner_offset)
    return np.array(rows, np.int32).reshape(-1, 3)


def _split_again(sentence, splitter):
    """The original program calls NLTK's word_tokenize, which splits each sentence with Punkt once more."""
    if splitter != "punkt":
        return [(0, sentence)]
    return [(offset, sentence[offset : offset + length]) for offset, length in punkt_sentences(sentence)]


def _paragraphs(text):
    """(offset, paragraph) of each line that is not blank."""
    offset = 0
    for line in text.splitlines(keepends=True):
        if line.strip():
            yield offset + len(line) - len(line.lstrip()), line.strip()
        offset += len(line)


# Treebank's rules that reach across spaces: a full stop before closing marks, and white space other than the space.
_WHOLE = re.compile(r"""\.(?=[\]\)}>"'»”’ ]* )[\]\)}>"'»”’ ]*$|[^\S ]""")
_CONTRACTIONS = {"cannot", "gimme", "gonna", "gotta", "lemme", "wanna"}


def words(sentence, offset=0):
    """Treebank words of a sentence that begins at `offset`: WORD, offset, length of each word in one flat list.

    Treebank's rules do not reach across spaces, except in the cases of _WHOLE. So the pieces between spaces are
    tokenised once and cached, which is many times faster. A test compares the words.
    """
    if _WHOLE.search(sentence):
        spans = _locate(sentence, _treebank().tokenize(sentence))
        return [number for inner_offset, length in spans for number in (WORD, offset + inner_offset, length)]
    rows = []
    pieces = sentence.split(" ")
    for i, piece in enumerate(pieces):
        for inner_offset, length in _words_of_piece(piece, i == 0, i == len(pieces) - 1):
            rows += (WORD, offset + inner_offset, length)
        offset += len(piece) + 1
    return rows


@functools.lru_cache(1 << 17)
def _words_of_piece(piece, is_first, is_last):
    """Words of a piece between spaces. They depend only on the piece and on whether it begins or ends the sentence."""
    if piece.isascii() and piece.isalpha() and piece.lower() not in _CONTRACTIONS:
        return [(0, len(piece))]
    before = "" if is_first else "x "
    after = "" if is_last else " x"
    tokens = _treebank().tokenize(before + piece + after)
    return _locate(piece, tokens[bool(before) : len(tokens) - bool(after)])


@functools.cache
def _treebank():
    from nltk.tokenize import NLTKWordTokenizer  # imported here: it takes 3 s, and training needs no words

    return NLTKWordTokenizer()


def _locate(text, pieces):
    """(offset, length) of each piece in the text. Treebank may replace a quotation mark (", `` or '') by another.

    Raises ValueError if a piece is not found.
    """
    cursor = 0
    spans = []
    for piece in pieces:
        spellings = ('"', "``", "''") if piece in ("``", "''") else (piece,)
        matches = [(text.find(s, cursor), -len(s)) for s in spellings if s in text[cursor:]]
        if not matches:
            raise ValueError(f"a token of {len(piece)} characters is not found in the text that was tokenised")
        start, minus_length = min(matches)
        spans.append((start, -minus_length))
        cursor = start - minus_length
    return spans
