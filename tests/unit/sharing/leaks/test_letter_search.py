"""Claims about the search: it finds what a plain comparison of letters finds, once for each run of eight words."""

import re

import numpy as np
import pytest

from lib.sharing.leaks import letter_search
from lib.sharing.reading import views

CORPUS = "Well, my old clock is near the harbour, and it says nine thirty."


def index_of(*texts):
    return letter_search.LetterIndex([view for text in texts for view in views.views(text, letter_search.SEED)])


def test_each_run_of_eight_words_is_found_with_its_letters():
    index = index_of("x", f"so: {CORPUS.upper()}")
    rows = index.search([CORPUS])
    words = re.findall(r"[a-z]+", CORPUS.lower())
    runs = ["".join(words[at : at + 8]) for at in range(len(words) - 7)]
    assert [index.text(row.position, row.n_letters) for row in rows.itertuples()] == runs
    assert (rows["n_words"] == 8).all()


def test_a_shorter_text_is_found_as_a_whole_only():
    index = index_of("and so: Thanks for your blue umbrella, she said; Thanks for your blue umbrellas")
    assert index.search(["Thanks for your blue umbrella"])["n_words"].tolist() == [5]
    assert index.search(["Thanks for your blue umbre"]).empty, "it ends within a word"
    assert index.search(["Thanks for your blue umbrella dear"]).empty
    assert index.search(["Thanks for umbrellas blue"]).empty, "four words are too few"


def test_nothing_is_found_over_the_end_of_a_text():
    first, second = CORPUS[:30], CORPUS[30:]
    assert index_of(first, second).search([CORPUS]).empty


@pytest.mark.parametrize("seed", range(5))
def test_the_search_agrees_with_a_plain_comparison(seed):
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcd"), rng.integers(1, 4))) for _ in range(12)]
    searched = " ".join(rng.choice(words, 300))
    corpus = [" ".join(rng.choice(words, rng.integers(5, 40))) for _ in range(200)]
    corpus += [" ".join(searched.split()[at : at + 11]) for at in rng.integers(0, 280, 20)]
    letters = searched.replace(" ", "")
    index = letter_search.LetterIndex([views.letters_of(searched)])
    found = {index.text(row.position, row.n_letters) for row in index.search(corpus).itertuples()}
    runs = {"".join(text.split()[at : at + 8]) for text in corpus for at in range(len(text.split()) - 7)}
    begins = {sum(map(len, searched.split()[:n])) for n in range(300)}
    expected = {run for run in runs if len(run) >= letter_search.SEED
                and begins & {at.start() for at in re.finditer(f"(?={run})", letters)}}  # fmt: skip
    whole = {text.replace(" ", "") for text in corpus if len(text.split()) < 8}
    assert expected and found - whole == expected


def test_all_occurrences_of_a_run_are_known():
    index = index_of(CORPUS, "nothing of interest here", f"again {CORPUS}", CORPUS[3:])
    row = next(index.search([CORPUS]).itertuples())
    places = index.occurrences(row.position, row.n_letters)
    assert len(places) >= 2 and places[0] == row.position
    assert {index.text(place, row.n_letters) for place in places} == {index.text(places[0], row.n_letters)}
