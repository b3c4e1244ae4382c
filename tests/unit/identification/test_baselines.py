"""Claims about the baselines: each learns what it may, and says when it cannot."""

import pandas as pd
import pytest

from lib.identification import baselines


def texts(rows):
    return pd.DataFrame(rows, columns=["level", "text"])


TRAIN = texts([("A1", "my dog runs")] * 6 + [("B1", "although the economy has grown it may yet fail")] * 4)


def test_the_majority_is_the_most_frequent_training_level():
    assert baselines.majority(TRAIN, texts([("B1", "x"), ("C1", "y")])).tolist() == ["A1", "A1"]


def test_length_sees_the_number_of_words_only():
    test = texts([("A1", "a b c"), ("B1", "a b c d e f g h i"), ("B1", "my dog runs")])
    assert baselines.length(TRAIN, test).tolist() == ["A1", "B1", "A1"]


def test_tfidf_sees_words_whatever_the_length():
    test = texts([("A1", "dog dog dog dog dog dog dog dog dog dog"), ("B1", "economy")])
    assert baselines.tfidf(TRAIN, TRAIN, test).tolist() == ["A1", "B1"]
    assert baselines.tfidf(TRAIN, TRAIN.iloc[:0], test).tolist() == ["A1", "B1"]


def test_the_validation_texts_choose_the_penalty(monkeypatch):
    monkeypatch.setattr(baselines, "STRENGTHS", [1e-9, 10])  # the first answers the majority
    assert baselines.tfidf(TRAIN, texts([("B1", "economy")]), texts([("B1", "economy")])).tolist() == ["B1"]
    assert baselines.tfidf(TRAIN, texts([("A1", "economy")]), texts([("B1", "economy")])).tolist() == ["A1"]


@pytest.mark.parametrize("text", ["", "a", "... !!", "x\u0301"])
def test_texts_without_common_words_are_refused_in_words(text):
    train = texts([("A1", text), ("B1", text), ("B1", "unique")])
    with pytest.raises(ValueError, match="no word"):
        baselines.tfidf(train, train, train)


def test_a_single_level_is_refused_in_words():
    for baseline in [baselines.length, lambda train, test: baselines.tfidf(train, train, test)]:
        with pytest.raises(ValueError, match="one level only"):
            baseline(TRAIN[TRAIN["level"] == "A1"], TRAIN)


def test_a_sample_keeps_small_levels_whole_and_the_order():
    many = texts([("A1", str(n)) for n in range(50)] + [("B1", "b")] * 3)
    sample = baselines.sample_per_level(many, 5, seed=1)
    assert sample["level"].value_counts().to_dict() == {"A1": 5, "B1": 3} and sample.index.is_monotonic_increasing
    assert sample.equals(baselines.sample_per_level(many, 5, seed=1))
