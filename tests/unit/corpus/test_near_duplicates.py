"""Claims about near duplicates: found as if every pair were compared, and min_jaccard on every machine."""

import re

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from lib.corpus import cleaning, near_duplicates
from tests.helpers.any_text import TEXTS, quickly
from tests.helpers.made_up_learners import learners, nearly, with_pages

RUNS = [3311869002701168043, 17304744732367252994, 5228947402101247292, 12966620206701928815]


KEYS = [2273993408520465529, 5863092317123074054, 135306420154268467]


def exact_groups(texts, n=near_duplicates.NGRAM, min_jaccard=near_duplicates.MIN_JACCARD):
    """The slow way: every pair, Python sets, the smallest row of a group as its name."""
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    sets = [{tuple(w[i : i + n]) for i in range(len(w) - n + 1)} for w in words]
    group = list(range(len(texts)))
    for i in range(len(sets)):
        for j in range(i):
            if len(sets[i] & sets[j]) >= min_jaccard * len(sets[i] | sets[j]) > 0:
                old, new = max(group[i], group[j]), min(group[i], group[j])
                group = [new if g == old else g for g in group]
    return group


def test_words_are_those_of_the_regular_expression():
    texts = ["I ATE l’été; it's naïve!", "", "😀", "x_1, ٣ مرحبا  x_1", "one\x00two\ud800three", "ONE Two"]
    runs, starts = near_duplicates.word_ngrams(pd.Series(texts, dtype=object), 1)
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    assert np.diff(starts).tolist() == [len(w) for w in words]
    named = dict(zip(sum(words, []), runs.tolist()))
    assert [named[word] for word in sum(words, [])] == runs.tolist() and len(set(named.values())) == len(named)


def test_runs_do_not_reach_across_texts_or_blocks(monkeypatch):
    texts = pd.Series(["a b c d", "e f", "", "c d e f", "a b c"])
    whole = near_duplicates.word_ngrams(texts, 3)
    monkeypatch.setattr(near_duplicates, "BLOCK", 2)
    in_blocks = near_duplicates.word_ngrams(texts, 3)
    assert np.diff(whole[1]).tolist() == [2, 0, 0, 2, 1] and whole[0][0] == whole[0][4]
    assert len(set(whole[0])) == 4 and all((a == b).all() for a, b in zip(whole, in_blocks))


def test_groups_are_those_of_comparing_every_pair():
    texts = with_pages(learners(60, 3), 0.5)["text"]
    texts.iloc[1::9] = texts.iloc[::9].map(nearly).to_numpy()[: len(texts.iloc[1::9])]
    groups = near_duplicates.find_near_duplicates(texts)
    assert groups.tolist() == exact_groups(texts.tolist()) and 10 < groups.nunique() < 170


def test_all_texts_of_a_bucket_are_compared_not_neighbours_alone():
    texts = pd.Series(["a b c d e f", "u v w x y z", "g h i j k l", "a b c d e f g", "u v w x y z a"])
    parent, key = np.arange(5), np.zeros(5, np.uint64)
    near_duplicates._unite(
        np.arange(5), key, *near_duplicates._distinct(*near_duplicates.word_ngrams(texts, 3)), parent
    )
    assert near_duplicates._roots(parent).tolist() == [0, 1, 2, 0, 1]


def test_signatures_are_the_same_on_every_machine():
    runs, starts = near_duplicates.word_ngrams(pd.Series(["She ate leftover pasta for lunch."]), near_duplicates.NGRAM)
    assert runs.tolist() == RUNS
    assert near_duplicates._band_keys(runs, starts)[:3, 0].tolist() == KEYS


def test_a_text_under_three_words_is_nobodys_near_duplicate():
    texts = pd.Series(["", "Hi", "hi!", "I am", "", "I am fine", "I am fine."])
    assert near_duplicates.find_near_duplicates(texts).tolist() == [0, 1, 2, 3, 4, 5, 5]


def test_a_page_copied_by_thousands_is_one_group():
    texts = with_pages(learners(1500, 2), 1)["text"].iloc[::10]  # one page
    assert near_duplicates.find_near_duplicates(pd.concat([texts] * 10)).nunique() == 1


@quickly
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_any_texts_can_be_held_against_each_other(texts):
    column = pd.Series(texts + texts[:1], dtype=str)
    group = near_duplicates.find_near_duplicates(column)
    assert len(group) == len(cleaning.fold_case_and_space(column)) == len(column)
