"""Claims about small corpora: which levels can have a verdict, what would be enough, and how to go on anyway."""

import itertools

import pandas as pd
import pytest

from lib.corpus.report import sufficiency
from lib.corpus.split import SPLITS
from lib.design import LEVELS
from lib.errors import CorpusError


def texts_of(level, train=0, valid=0, test=0, learners=True, **columns):
    """Texts of one level, each by another learner, or by learners who are not named."""
    splits = ["train"] * train + ["valid"] * valid + ["test"] * test
    ids = [f"{level} {k}" for k in range(len(splits))]
    table = pd.DataFrame({"text_id": ids, "learner_id": ids if learners else "", "level": level, "split": splits})
    return table.assign(**({"copied": False, "held_out": False} | columns))


NOTHING = texts_of("A1")


def sizes(*parts, min_learners=5):
    return sufficiency.sizes_by_level(pd.concat([NOTHING, *parts]), min_learners)


@pytest.mark.parametrize("filled", [*itertools.product([0, 8], repeat=3)])
@pytest.mark.parametrize("learners", [True, False])
def test_a_level_has_a_verdict_or_a_reason(filled, learners):
    found = sizes(texts_of("B1", **dict(zip(SPLITS, filled, strict=True)), learners=learners))
    assert (found.loc["B1", "reason"] == "") == all(filled)
    assert (found.drop("B1")["reason"] == "no text").all() and found.index.tolist() == LEVELS
    if filled == (8, 8, 0):
        assert found.loc["B1", "reason"] == "0 test learners, 5 needed"
    if filled == (8, 0, 8):
        assert found.loc["B1", "reason"] == "no validation text, so no specialist"


@pytest.mark.parametrize("column", ["copied", "held_out"])
def test_texts_outside_the_primary_results_do_not_count(column):
    found = sizes(texts_of("A2", 8, 8, 4), texts_of("A2", test=3, **{column: True}).assign(learner_id="x"))
    assert found.loc["A2", "test_learners"] == 4 and found.loc["A2", "test"] == 7


def test_a_learner_counts_once_however_many_texts():
    found = sizes(texts_of("C1", 9, 9, 9).assign(learner_id="one"))
    assert (found.loc["C1", "learners"], found.loc["C1", "test_learners"]) == (1, 1)


def test_where_no_level_can_be_answered_the_question_is_clear():
    found = sizes(texts_of("A1", 16, 2, 2), texts_of("B2", 4, 1, 1))
    with pytest.raises(CorpusError) as refused:
        sufficiency.refuse_if_too_small(found, 5, 0.1)
    message = str(refused.value)
    assert "A1: 2 test learners, 5 needed" in message and "A2: no text" in message
    assert "`stop_if_too_small: false` in corpus.yaml" in message and "about 50 learners" in message
    assert "`test_share: 0.3` in the same file would be enough at A1." in message


def test_one_level_that_can_be_answered_is_enough():
    sufficiency.refuse_if_too_small(sizes(texts_of("A1", 16, 2, 5)), 5, 0.1)


def test_before_the_split_the_expected_number_is_compared():
    texts = pd.concat([texts_of("A1", 80), texts_of("A2", 20)])
    assert sufficiency.expected_reasons(texts, 5, 0.1) == [
        "A2: about 2 test learners, 5 needed",
        *(f"{level}: about 0 test learners, 5 needed" for level in LEVELS[2:]),
    ]
