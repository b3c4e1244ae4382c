"""Claims about the sample of texts on which a control is trained."""

import pandas as pd
import pytest

from lib.experiment import parameters
from lib.masking import text_sample

CONTROL = parameters.load_file("params/demo/general_equal_text_c1.yaml")
BALANCED = parameters.load_file("params/demo/general_balanced_text_c1.yaml")
N_TEXTS = {"A1": 400, "A2": 200, "B1": 100, "B2": 60, "C1": 40}


@pytest.fixture(scope="module")
def rows():
    """Learners with four texts each."""
    levels = [level for level, n in N_TEXTS.items() for _ in range(n)]
    table = pd.DataFrame({"text_id": range(len(levels)), "level": levels})
    return table.assign(learner_id=table["level"] + "-" + (table["text_id"] // 4).astype(str))


def test_a_sample_has_as_many_texts_as_its_level(rows):
    natural = text_sample.training_texts(rows, CONTROL, 0)["level"].value_counts()
    assert natural.to_dict() == {"A1": 20, "A2": 10, "B1": 5, "B2": 3, "C1": 2}
    balanced = text_sample.training_texts(rows, BALANCED, 0)["level"].value_counts()
    assert balanced.to_dict() == dict.fromkeys(N_TEXTS, 8)


def test_a_sample_holds_whole_learners(rows):
    sample = text_sample.training_texts(rows, BALANCED, 0)
    assert (sample["learner_id"].value_counts() == 4).all()
    assert (rows.drop(sample.index)["learner_id"].value_counts() == 4).all()


def test_a_sample_depends_on_the_seed_and_not_on_order(rows):
    sample = text_sample.training_texts(rows, CONTROL, 0)
    again = text_sample.training_texts(rows.iloc[::-1], CONTROL, 0)
    assert set(again["text_id"]) == set(sample["text_id"])
    assert again["text_id"].is_monotonic_decreasing, "the order is that of the rows"
    assert set(text_sample.training_texts(rows, CONTROL, 1)["text_id"]) != set(sample["text_id"])


def test_a_smaller_sample_is_part_of_a_larger_one(rows):
    larger = CONTROL.model_copy(update={"as_many_texts_as": "B1"})
    small, large = (set(text_sample.training_texts(rows, settings, 0)["text_id"]) for settings in (CONTROL, larger))
    assert small < large and len(large) == 100


def test_unknown_learners_count_as_one_each(rows):
    sample = text_sample.training_texts(rows.assign(learner_id=""), CONTROL, 0)
    assert len(sample) == 40 and (sample["text_id"] // 4).nunique() > 10


def test_a_model_that_asks_for_no_sample_reads_all_texts(rows):
    assert text_sample.training_texts(rows, CONTROL.model_copy(update={"as_many_texts_as": None}), 0) is rows


@pytest.mark.parametrize(
    "by_level, total, expected",
    [
        ({"A1": 100, "A2": 3, "B1": 100}, 50, {"A1": 24, "A2": 3, "B1": 23}),
        ({"A1": 5, "A2": 3}, 50, {"A1": 5, "A2": 3}),
        ({"A1": 7}, 4, {"A1": 4}),
        ({"A1": 7, "A2": 7, "B1": 7}, 0, {"A1": 0, "A2": 0, "B1": 0}),
    ],
)
def test_levels_with_too_few_texts_leave_room_to_others(by_level, total, expected):
    assert text_sample.quotas(pd.Series(by_level), total, "equal").to_dict() == expected


def test_what_was_read_is_counted(index):
    counted = text_sample.size(index.assign(level="A1", learner_id=["7", ""] * 30), index["text_id"].iloc[:4])
    assert (counted["texts"], counted["learners"], counted["texts_by_level"]) == (4, 1, {"A1": 4})
    assert counted["tokens"] == sum(map(len, index["ids"].iloc[:4]))
