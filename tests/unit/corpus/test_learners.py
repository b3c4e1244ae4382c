"""Claims about whose a text is: who is unknown stays unknown, and no id stands for several people unnoticed."""

import pandas as pd
import pytest

from lib.corpus import learners, reading
from lib.errors import CorpusError
from lib.evaluation.statistics import learner_codes
from tests.helpers.corpora import many, read, settings, write_csv, write_xlsx

LONG = [100111000111000000 + 1000 * n for n in range(9)]


def test_a_text_without_learner_is_a_learner_of_its_own():
    texts = pd.DataFrame({"text_id": [1, 2, 3, 4], "learner_id": ["x", "", "x", ""]})
    assert learners.learner_or_text_id(texts).tolist() == ["x", "text 2", "x", "text 4"]
    numbers, named = learner_codes(texts)
    assert numbers.tolist() == [0, 1, 0, 2] and not named
    assert learner_codes(texts, learners_known=False)[0].tolist() == [0, 1, 0, 2]
    assert learner_codes(texts.assign(learner_id=None))[0].tolist() == [0, 1, 2, 3]


def test_learners_are_known_where_one_is_named():
    assert learners.any_learner_known(pd.DataFrame({"learner_id": ["", "x"]}))
    assert not learners.any_learner_known(pd.DataFrame({"learner_id": ["", ""]}))


def test_all_learners_are_known_where_each_is_named():
    assert learners.all_learners_known(pd.DataFrame({"learner_id": ["y", "x"]}))
    assert not learners.all_learners_known(pd.DataFrame({"learner_id": ["", "x"]}))


@pytest.mark.parametrize(
    "cell", ["", " ", "NA", "n/a", "NaN", "null", "None", r"\N", "#N/A", "#REF!", "#VALUE!", "#WERT!", "#NV", "<NA>"]
)
def test_what_says_that_a_learner_is_unknown_names_nobody(tmp_path, cell):
    rows = many(6).assign(learner_id=["7", cell, "8", cell, cell, "NAT7"], l1=cell, topic_id=cell)
    found, (source,) = reading.read_corpus(write_csv(rows, tmp_path / "c.csv"), settings())
    assert found["learner_id"].tolist() == ["7", "", "8", "", "", "NAT7"] and source["learners_unknown"] == 3
    assert set(found["l1"]) == set(found["topic_id"]) == {""}


@pytest.mark.parametrize("sign", ["1.00111E+11", "1e+16", "2,5E+12"])
@pytest.mark.parametrize("column", ["learner_id", "writing_id"])
def test_ids_with_a_power_of_ten_are_refused(tmp_path, sign, column):
    rows = many(6).astype({column: object})
    rows.loc[4, column] = sign
    with pytest.raises(CorpusError, match=f"c.csv: 1 of .* ids in {column} are shown with a power of ten"):
        read(write_csv(rows, tmp_path / "c.csv", sep="\t"))


def test_ids_rounded_to_15_digits_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="9 of 9 ids in learner_id are rounded to 15 digits"):
        read(write_csv(many(9).assign(learner_id=LONG), tmp_path / "c.csv"))


def test_long_ids_in_number_cells_are_refused(tmp_path):
    rows = many(9).assign(learner_id=[number + 117 for number in LONG])
    with pytest.raises(CorpusError, match="ids in learner_id are shown with a power of ten"):
        read(write_xlsx(rows, tmp_path / "c"))


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_long_ids_that_are_text_are_ids(tmp_path, write):
    ids = [str(number + 117 + n) for n, number in enumerate(LONG)]
    assert read(write(many(9).assign(learner_id=ids), tmp_path / "c"))["learner_id"].tolist() == ids
    assert read(write(many(2).assign(learner_id=["1e5", "2E7"]), tmp_path / "c"))["learner_id"].tolist() == [
        "1e5",
        "2E7",
    ]


def test_learners_with_two_first_languages_are_counted():
    texts = pd.DataFrame(
        {"learner_id": ["1", "1", "2", "2", "", ""], "l1": ["Thai", "Urdu", "Thai", "", "Thai", "Urdu"]}
    )
    assert learners.learners_with_two_values(texts, "l1") == 1


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_learners_with_two_nationalities_are_counted(tmp_path, write):
    rows = many(6).assign(nationality=["br", "cn", "NA", "br", "br", "br"])  # learners 0, 0, 1, 1, 1, 2
    assert learners.learners_with_two_values(read(write(rows, tmp_path / "c")), "nationality") == 1
    renamed = rows.rename(columns={"nationality": "country"})
    found = read(write(renamed, tmp_path / "d"), columns={"nationality": "country"})
    assert learners.learners_with_two_values(found, "nationality") == 1


@pytest.mark.parametrize(
    ("ids", "words"), [(["a", "b", "a"], "2"), (["a", "b", ""], "at least 2"), (["", "", ""], "unknown")]
)
def test_where_some_learners_are_named_there_are_at_least_so_many(ids, words):
    assert learners.count_in_words(pd.DataFrame({"learner_id": ids})) == words
