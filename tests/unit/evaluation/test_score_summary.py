"""Claims about the sentences of 04_evaluate: they follow the numbers, also where there are none."""

import pandas as pd

from lib.evaluation import score_summary

CHECKS = {"n_masked": 1956, "n_cut": 0, "largest_change": 1e-5}
BY_LEVEL = pd.Series({"A1": 20.0, "C1": 200.0})


def test_expectations_are_answered_point_by_point():
    text = score_summary.expectations(BY_LEVEL, ["A1"], 20.0, 25.0, **CHECKS)
    assert "There are 1,956 masked texts, and 0 of them are cut." in text
    assert "Perplexity is 20.0 on test texts and 25.0 on validation texts. The difference is 20%." in text
    assert "lowest at A1, on which the model was trained. It is highest at C1, with 10.0 times" in text
    assert [line[0] for line in text.splitlines()] == ["-"] * 4


def test_a_model_without_in_level_test_texts_is_said_to_be():
    text = score_summary.expectations(BY_LEVEL, ["B1"], None, 25.0, **CHECKS)
    assert "There is no test text of its own levels." in text and "was not trained" in text


def test_the_answer_names_every_level_or_the_reason():
    assert score_summary.answer("a1", None, BY_LEVEL) == "Its perplexity is 20.0 at A1, 200.0 at C1."
    assert score_summary.answer("a1", "no text", BY_LEVEL[:0]) == "a1 is n/a: no text."
    assert score_summary.answer("a1", None, BY_LEVEL[:0]) == "There is no test text that is not copied."
