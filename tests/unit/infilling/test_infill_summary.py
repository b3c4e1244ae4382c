"""Claims about the sentences of 05_infill: they follow the numbers."""

import pandas as pd
import pytest

from lib.infilling import infill_summary

SINGLE = pd.DataFrame({"level": ["A1", "A1", "C1"], "exact": [True, False, False], "top5": [True, True, False]})
SAMPLES = pd.DataFrame({"infill": ["cat", "", "dog", "sun"], "unigram_overlap": 0.5, "bigram_overlap": 0.25})


@pytest.mark.parametrize("levels, words", [(["A1"], "was trained"), (["C1"], "was not trained")])
def test_expectations_are_answered_point_by_point(levels, words):
    text = infill_summary.expectations(SINGLE, SAMPLES, levels)
    assert "33 of a hundred words are the first filling, and 67 are among the first five." in text
    assert f"Most words are found at A1, on which the model {words}." in text
    assert "50% of letters and 25% of pairs of letters with the answers, as expected. Of the blanks, 25%" in text


def test_samples_that_share_more_pairs_are_against_expectation():
    swapped = SAMPLES.assign(bigram_overlap=0.75)
    assert "against expectation" in infill_summary.expectations(SINGLE, swapped, ["A1"])


def test_the_answer_is_a_filling_or_a_reason():
    assert infill_summary.answer("a1", reason="no text") == "Nothing: a1 is n/a: no text."
    text = infill_summary.answer("a1", filling="lunch", probability=0.25, exact=3.4)
    assert "most probably `lunch` (p = 0.25). In the test texts" in text and "in 3 of 100 blanks." in text
    assert infill_summary.answer("a1", filling="lunch", probability=0.25).endswith("(p = 0.25).")
