"""Claims about units: sentences with learners' punctuation, and Treebank words."""

import numpy as np
import pytest
from hypothesis import given

from lib.masking.segmentation import DOCUMENT, PARAGRAPH, WORD, _locate, _treebank, segment, words
from lib.masking.segmentation import SENTENCE as SENTENCE_KIND
from tests.helpers.any_text import TEXTS, quickly
from tests.helpers.learner_texts import LEARNER_LIKE, SENTENCE


@quickly
@given(TEXTS)
def test_units_of_any_text_lie_within_it(text):
    kinds, offsets, lengths = segment(text).T
    assert (offsets >= 0).all() and (lengths[1:] > 0).all() and (offsets + lengths <= len(text)).all()
    assert (kinds == 0).sum() == 1


@pytest.mark.parametrize("piece", ["A. ", "Mr. ", "a.\t", "''", "(", "1,", "e\u0301", "😀"])
def test_a_long_line_is_segmented_in_seconds(piece):
    assert len(segment("Mr." + " " * 20_000 + piece * 5_000)) > 2  # a slow rule would show in pytest's durations


def pieces(text, kind):
    return [text[at : at + n] for k, at, n in segment(text) if k == kind]


def test_units_of_the_running_example():
    assert pieces(SENTENCE, WORD) == ["She", "ate", "leftover", "pasta", "for", "lunch", "."]
    assert pieces(SENTENCE, SENTENCE_KIND) == pieces(SENTENCE, PARAGRAPH) == pieces(SENTENCE, DOCUMENT) == [SENTENCE]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Yes.No space. Ok", ["Yes.", "No space.", "Ok"]),
        ("I wake up at 7.30 a.m. every day.", ["I wake up at 7.30 a.m. every day."]),
        ("Mr. Smith is here. He wait.", ["Mr. Smith is here.", "He wait."]),
        ("What?! I don't know...maybe", ["What?!", "I don't know...maybe"]),
        ("He say “hello.” Then he go.", ["He say “hello.”", "Then he go."]),
        ("One line\n\n  Two line \n", ["One line", "Two line"]),
        ("NA", ["NA"]),
    ],
)
def test_sentences_with_the_punctuation_of_learners(text, sentences):
    assert pieces(text, SENTENCE_KIND) == sentences


@pytest.mark.parametrize("text", LEARNER_LIKE)
def test_every_letter_is_in_exactly_one_word(text):
    spans = [(at, at + n) for kind, at, n in segment(text) if kind == WORD]
    covered = [i for start, end in spans for i in range(start, end)]
    assert covered == sorted(set(covered))
    assert [c for i, c in enumerate(text) if i not in set(covered) and not c.isspace()] == []


def test_words_found_piece_by_piece_are_treebanks_words():
    """Sentences of random pieces with quotes, brackets, clitics and full stops, which Treebank treats specially."""
    rng = np.random.default_rng(4)
    quotes = ["'tis", "it's", '"so"', "''so''", "«oui»", "“no”", "’"]
    stops = ["a.m.", "U.S.", "etc...", "ok.", ".", "!", "?!", "(", ")", "--"]
    pieces = ["I", "don't", "cannot", "gonna", "$5", "8:30", "3,000", "é", "😀", *quotes, *stops]
    for _ in range(3000):
        sentence = " ".join(rng.choice(pieces, rng.integers(1, 9)))
        expected = _locate(sentence, _treebank().tokenize(sentence))
        assert words(sentence, 7) == [n for at, length in expected for n in (WORD, 7 + at, length)], sentence
