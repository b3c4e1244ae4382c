"""Claims about cleaning and parting a corpus."""

import re

import pandas as pd
import pytest

from lib import errors
from lib.corpus import cleaning, reading
from lib.design import LEVELS
from lib.errors import CorpusError
from tests.helpers.corpora import many, read, settings, table, write_csv, write_xlsx


def named(*rows):
    """Rows in this project's names, as reading leaves them."""
    return table(*rows).rename(columns={"writing_id": "text_id", "cefr": "level"})


@pytest.mark.parametrize("level", ["B1+", "Z9", "17", "0", "", "1e400", "1e999", "inf", "-1", "3.5"])
def test_an_unknown_level_is_refused_with_its_row(level):
    with pytest.raises(errors.CorpusError, match=re.escape(f"1 texts have an unknown level (row 3: '{level}'")):
        cleaning.clean_texts(named({}, {"writing_id": "2", "cefr": level}))


def test_the_refusal_of_a_level_names_the_nearest_and_the_way_on():
    with pytest.raises(errors.CorpusError, match="text id 1.*Expected: A1.*or 'B1-'.*Nearest: B1.*levels:"):
        cleaning.clean_texts(named({"cefr": "b1+"}), {"B1-": "B1"})


def test_the_refusal_of_a_level_quotes_no_text():
    with pytest.raises(errors.CorpusError) as error:
        cleaning.clean_texts(named({"cefr": "my own words " * 3}))
    assert "(39 characters)" in str(error.value) and "own words" not in str(error.value)


def test_refusals_name_the_file_and_its_own_row(tmp_path):
    files = [write_csv(many(4), tmp_path / "one.csv"), tmp_path / "two.csv"]
    files[1].write_text("writing_id,cefr,text\n\n71,A1,Hi\n\n72,B3,So\n,A1,Ho\n", encoding="utf-8")
    rows, sources = reading.read_corpus(files, settings())
    with pytest.raises(errors.CorpusError, match=r"no id \(two.csv, row 6\)"):
        cleaning.clean_texts(rows, None, sources)
    with pytest.raises(errors.CorpusError, match=r"two.csv, row 5: 'B3' \(text id 72\)"):
        cleaning.clean_texts(rows[rows["text_id"] != ""], None, sources)


def test_ef_levels_become_cefr_bands():
    rows = named(*({"cefr": str(n), "writing_id": str(n), "text": "x" * n} for n in range(1, 17)))
    texts, dropped = cleaning.clean_texts(rows)
    assert texts["level"].tolist() == [band for band in LEVELS for _ in range(3)]
    assert dropped["level C2"] == 1


def test_each_dropped_text_is_counted_under_its_reason():
    rows = named(
        {}, {}, {"writing_id": "2", "cefr": "C2"}, {"writing_id": "3", "text": " \n"},
        {"writing_id": "4", "text": "I like cats!! 2"}, {"writing_id": "5", "text": "Something else."},
    )  # fmt: skip
    texts, dropped = cleaning.clean_texts(rows)
    assert texts["text_id"].tolist() == [1, 5]
    assert dropped == {"level C2": 1, "empty text": 1, "same row twice": 1, "same words as another text": 1}


def test_levels_that_are_left_out_are_counted():
    rows = named({"cefr": "A2.i"}, {"cefr": "0", "writing_id": "2"}, {"cefr": "b1", "writing_id": "3", "text": "Hi"})
    texts, dropped = cleaning.clean_texts(rows, {"A2.I": "A2", "0": "drop"})
    assert texts["level"].tolist() == ["A2", "B1"] and dropped["level left out"] == 1


@pytest.mark.parametrize("change", [{"text": "Another text."}, {"text": ""}, {"cefr": "C2"}, {"learner_id": "8"}])
def test_one_id_for_two_rows_is_refused(change):
    with pytest.raises(errors.CorpusError, match=r"1 text ids stand for two different rows \(first: 1\)"):
        cleaning.clean_texts(named({}, change, {"writing_id": "2"}))


def test_an_id_in_two_files_is_refused_with_both_rows(tmp_path):
    one, two = write_csv(many(3), tmp_path / "one.csv"), write_csv(many(3)[1:].assign(text="So"), tmp_path / "two.csv")
    rows, sources = reading.read_corpus([one, two], settings())
    with pytest.raises(errors.CorpusError, match="first: 2, 3.* is in one.csv, row 3; two.csv, row 2.*counts from 1"):
        cleaning.clean_texts(rows, None, sources)


def test_a_text_without_id_is_refused():
    with pytest.raises(errors.CorpusError, match="1 texts have no id .row 3"):
        cleaning.clean_texts(named({}, {"writing_id": ""}))


def test_ids_beyond_any_number_stay_text():
    ids = ["9" * 400, "9" * 399 + "8", "٣"]
    texts, _ = cleaning.clean_texts(
        named(*({"writing_id": name, "text": f"So {word}"} for name, word in zip(ids, "abc")))
    )
    assert sorted(texts["text_id"]) == sorted(ids)


def test_what_looks_like_no_value_is_a_text():
    texts = ["NA", "None", "null", "=1+1", "TRUE", "nan", '"', "\u202bright\u202c", "😀"]
    kept, dropped = cleaning.clean_texts(named(*({"writing_id": str(n), "text": text} for n, text in enumerate(texts))))
    assert kept["text"].tolist() == texts and not any(dropped.values())


@pytest.mark.parametrize("ids", [["10", "9", "2"], ["b", "a10", "a9"]])
def test_which_of_two_like_texts_stays_does_not_depend_on_the_order(ids):
    rows = named(*({"writing_id": name, "text": text} for name, text in zip(ids, ["Hi you", "hi, YOU!", "Hi you 2"])))
    kept = [cleaning.clean_texts(rows.iloc[order])[0] for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2])]
    assert len(kept[0]) == 1 and kept[0].equals(kept[1]) and kept[0].equals(kept[2])


def test_letters_of_every_script_tell_texts_apart():
    folded = cleaning.fold_case_and_space(pd.Series(["Hi привет 1", "Hi пока", "hi, Привет!", "!?", "123"]))
    assert folded.tolist() == ["hiпривет", "hiпока", "hiпривет", "!?", "123"]


def test_numbers_beyond_range_are_no_level_and_no_number(tmp_path):
    rows = many(3).assign(writing_id=["9" * 400, "8" * 400, "7"]).astype(object)
    assert [len(name) for name in read(write_xlsx(rows, tmp_path / "c"))["text_id"]] == [400, 400, 1]
    rows.loc[1, "cefr"] = 1e999
    with pytest.raises(CorpusError, match="unknown level .row 3: 'inf'"):
        cleaning.clean_texts(read(write_xlsx(rows, tmp_path / "c")))


def test_repeated_texts_are_counted_by_who_repeats():
    rows = named(
        {"text": "Hi you", "learner_id": "1"}, {"text": "hi YOU!", "learner_id": "1"},
        {"text": "So do I", "learner_id": "1"}, {"text": "So do I.", "learner_id": "2"},
        {"text": "so do I 2", "learner_id": "3"},
        {"text": "Good", "learner_id": "4"}, {"text": "Good", "learner_id": "5", "cefr": "B1"},
        {"text": "Alone", "learner_id": "6"}, {"text": ""}, {"text": ""},
    )  # fmt: skip
    assert cleaning.count_repeated_texts(rows).to_dict("index") == {
        "by one learner": {"wordings": 1, "texts": 2},
        "by several learners at one level": {"wordings": 1, "texts": 3},
        "at several levels": {"wordings": 1, "texts": 2},
    }


def test_a_repeated_text_without_learner_is_by_another_learner():
    rows = named({"learner_id": ""}, {"learner_id": "", "writing_id": "2"})
    assert cleaning.count_repeated_texts(rows)["texts"].tolist() == [0, 2, 0]
