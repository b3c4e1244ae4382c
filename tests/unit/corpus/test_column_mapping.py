"""Claims about columns found by name, and files that are parts of one corpus or know more of the same texts."""

import pytest

from lib.corpus import cleaning, reading
from lib.errors import CorpusError
from lib.experiment import parameters
from tests.helpers.corpora import many, read, read_bytes, settings, table, write_csv, write_xlsx, write_xml


def test_columns_are_found_by_name_in_any_order_case_and_number(tmp_path):
    rows = read_bytes(tmp_path, "\ufeffTEXT, Cefr_Level,l1,Writing_ID,more\nHello,B1,Arabic,9,x\n")
    assert rows.to_dict("records") == [
        {
            "text_id": "9",
            "learner_id": "",
            "level": "B1",
            "l1": "Arabic",
            "nationality": "",
            "topic_id": "",
            "text": "Hello",
        }
    ]
    assert set(map(str, rows.dtypes)) == {"str"}


def test_the_corrected_column_is_taken_when_asked(tmp_path):
    path = write_csv(table({"text_corrected": "I like cats!"}), tmp_path / "c")
    rows, sources = reading.read_corpus(path, settings(text_column="text_corrected"))
    assert rows["text"].tolist() == ["I like cats!"] and sources[0]["columns"]["text"] == "text_corrected"


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_parts_of_a_corpus_stand_one_below_the_other(tmp_path, suffix):
    rows, write = many(9), {"csv": write_csv, "xlsx": write_xlsx}[suffix]
    parts = [write(rows[:4], tmp_path / f"a b.{suffix}"), write(rows[4:], tmp_path / f"2.{suffix}")]
    whole = cleaning.clean_texts(read(write(rows, tmp_path / "whole")))[0]
    for files in (parts, parts[::-1], [str(file) for file in parts]):
        assert cleaning.clean_texts(read(files))[0].equals(whole)


def four_columns(rows):
    return rows[["writing_id", "l1", "cefr", "text"]].rename(columns={"cefr": "cefr_level"})


@pytest.mark.parametrize("order", [1, -1])
def test_the_four_column_file_regains_learners_and_prompts(tmp_path, order):
    rows = many(10)
    ours = four_columns(rows[:8]).assign(l1="").assign(text=lambda t: t["text"] + " ok")
    theirs = rows[2:].assign(writing_id=rows["writing_id"].astype(float))  # as a workbook keeps numbers
    files = [write_csv(ours, tmp_path / "four.csv"), write_xlsx(theirs, tmp_path / "book.xlsx")]
    found, sources = reading.read_corpus(files[::order], settings())
    assert found["text_id"].tolist() == rows["writing_id"][:8].tolist()
    assert found["text"].tolist() == ours["text"].tolist()
    assert found["learner_id"].tolist() == ["", "", *rows["learner_id"][2:8]]
    assert found["topic_id"].tolist() == ["", "", *["3"] * 6] == [t and "3" for t in found["l1"]]
    assert [source["ids_not_found"] for source in sources][::order] == [2, None]


def test_ef_levels_and_cefr_levels_agree_when_files_are_joined(tmp_path):
    rows = many(5)
    theirs = rows.assign(level=["6", "9", "12", "15", "1"])[["writing_id", "learner_id", "level", "topic_id", "text"]]
    files = [write_csv(four_columns(rows), tmp_path / "four"), write_xml(theirs, tmp_path / "xml")]
    assert read(files)["learner_id"].tolist() == rows["learner_id"].tolist()


def test_levels_that_contradict_each_other_are_refused_with_ids(tmp_path):
    rows = many(9)
    files = [write_csv(four_columns(rows), tmp_path / "four"), write_csv(rows.assign(cefr="C1"), tmp_path / "all")]
    with pytest.raises(CorpusError, match=r"8 text ids have another level .*first: 1, 2, 3\)|7 text ids"):
        read(files)


def test_an_id_with_two_learners_is_refused_when_files_are_joined(tmp_path):
    rows = many(4)
    twice = table(*rows.to_dict("records"), rows.iloc[1].to_dict() | {"learner_id": "99"})
    with pytest.raises(CorpusError, match="1 text ids have two learners.*first: 2"):
        read([write_csv(four_columns(rows), tmp_path / "four"), write_csv(twice, tmp_path / "all")])


def test_a_part_without_learners_and_with_other_ids_is_no_join(tmp_path):
    rows = many(9)
    files = [write_csv(four_columns(rows[:5]), tmp_path / "four"), write_csv(rows[4:], tmp_path / "all")]
    assert len(read(files)) == 10  # one id is in both, 4 of 5 are not


@pytest.mark.parametrize(
    ("header", "cells", "columns", "levels", "wanted"),
    [
        ("answer_id,anon_id,level_id,L1,text", [("1", "eq0", "2", "Korean", "Hi"), ("2", "eq0", "5", "Thai", "Bye")],
         {"text_id": "answer_id", "learner_id": "anon_id", "level": "level_id"},
         {"2": "A2", "3": "B1", "4": "B2", "5": "C1"}, ["A2", "C1"]),  # PELIC
        ("text_id_kaggle,full_text,Overall", [("a", "Hi", "2.5"), ("b", "Bye", "3.0"), ("c", "No", "1.0")],
         {"text_id": "text_id_kaggle", "text": "full_text", "level": "Overall"},
         {"1.0": "drop", "2.5": "B1", "3.0": "B1"}, ["B1", "B1"]),  # ELLIPSE
        ("essay_id,user,automarked_cefr_level,humannotator_cefr_level,text",
         [("x1", "u1", "A2", "A2.i", "Hi"), ("x2", "u2", "B1", "B1+", "Bye")],
         {"text_id": "essay_id", "learner_id": "user", "level": "humannotator_cefr_level"},
         {"a2.i": "A2", "B1+": "B1"}, ["A2", "B1"]),  # Write & Improve
    ],
)  # fmt: skip
def test_other_corpora_are_read_with_their_own_names(tmp_path, header, cells, columns, levels, wanted):
    content = "\n".join([header, *map(",".join, cells)])
    texts, dropped = cleaning.clean_texts(read_bytes(tmp_path, content, columns=columns, levels=levels), levels)
    assert texts["level"].tolist() == wanted
    assert dropped["level left out"] == len(cells) - len(wanted)


PELIC = "answer_id,anon_id,L1,gender,course_id,level_id,class_id,question_id,version,text_len,text,tokens,tok_lem_POS"
WORDS = ["cats", "dogs", "tea", "sun", "rain", "bread", "books", "films", "rice"]
ELLIPSE = "text_id_kaggle,full_text,gender,grade,race_ethnicity,SES,task,prompt,set,Overall,Cohesion,Syntax"


def test_the_ready_parameters_of_pelic_read_its_layout(tmp_path):
    tokens = "\"['I', 'like']\",\"[('I', 'i', 'PRP')]\""
    rows = [
        f",{n},eq{n // 2},Korean,Female,149,{level},w,{n + 60},1,3,I like {WORDS[n]},{tokens}"
        for n, level in enumerate("2345")
    ]
    ready = parameters.load_file("params/corpora/pelic/corpus.yaml")
    (tmp_path / "c.csv").write_text("\n".join([f",{PELIC}", *rows]), encoding="utf-8")
    texts, dropped = cleaning.clean_texts(reading.read_corpus(tmp_path / "c.csv", ready)[0], ready.levels)
    assert texts["level"].tolist() == ["A2", "B1", "B2", "C1"] and not any(dropped.values())
    assert texts["learner_id"].tolist() == ["eq0", "eq0", "eq1", "eq1"] and set(texts["l1"]) == {"Korean"}
    assert texts["topic_id"].tolist() == ["60", "61", "62", "63"] and texts["text"][3] == "I like sun"


def test_the_ready_parameters_of_ellipse_read_its_layout(tmp_path):
    scores = ["1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0", "4.5", "5.0"]
    rows = [
        f'0A{n}F,"I like, {WORDS[n]}",Male,8,Asian,Not,Independent,Phones,train,{score},3.0,2.5'
        for n, score in enumerate(scores)
    ]
    ready = parameters.load_file("params/corpora/ellipse/corpus.yaml")
    (tmp_path / "c.csv").write_text("\n".join([ELLIPSE, *rows]), encoding="utf-8")
    table, sources = reading.read_corpus(tmp_path / "c.csv", ready)
    texts, _ = cleaning.clean_texts(table, ready.levels, sources)
    assert table["level"].tolist() == ["1", "1.5", "2", "2.5", "3", "3.5", "4", "4.5", "5"]
    assert texts["level"].tolist() == ["A1", "A1", "A2", "A2", "B1", "B1", "B2", "B2", "C1"]
    assert texts["text"][8] == "I like, rice"
    assert not (table["learner_id"] != "").any() and set(table["topic_id"]) == {"Phones"}


def test_a_mapped_column_that_the_file_lacks_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no column l_one. Found: writing_id"):
        read(write_csv(table({}), tmp_path / "c"), columns={"l1": "l_one"})


@pytest.mark.parametrize("name", ["CEFR level", "cefr-level", "CefrLevel", " CEFR_Level "])
def test_names_are_the_same_whatever_stands_between_their_words(tmp_path, name):
    rows = read_bytes(tmp_path, f"Writing ID,Level,{name},text\n1,3,B2,Hello\n")
    assert rows[["text_id", "level"]].to_numpy().tolist() == [["1", "B2"]]


def test_an_exact_name_goes_before_one_that_is_spelt_otherwise(tmp_path):
    assert read_bytes(tmp_path, "id,text id,text_id,cefr,text\n1,2,3,B2,Hello\n")["text_id"].tolist() == ["3"]


def test_a_level_beside_another_cefr_column_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="both level and cefr of rater 1 may hold the CEFR level"):
        read_bytes(tmp_path, "id,level,CEFR of rater 1,text\n1,7,B2,Hello\n")


def test_all_missing_columns_are_told_at_once(tmp_path):
    with pytest.raises(
        CorpusError, match="no column writing_id or .*, no column cefr or .*, no column text. Found: a, b"
    ):
        read_bytes(tmp_path, "a,b\n1,2\n")


def test_a_header_that_is_a_text_is_not_shown(tmp_path):
    with pytest.raises(CorpusError) as error:
        read_bytes(tmp_path, "1,A1,I like my cats and dogs\n2,A1,I like tea and milk\n")
    assert "my cats" not in str(error.value) and "first row looks like data" in str(error.value)


def test_a_long_name_is_told_by_its_length(tmp_path):
    with pytest.raises(CorpusError) as error:
        read_bytes(tmp_path, "essay,I like my cats and dogs\n2,I like tea and milk\n")
    assert "my cats" not in str(error.value) and "(23 characters)" in str(error.value)


def test_ids_that_agree_lend_nothing_to_other_texts(tmp_path):
    rows = many(9)
    files = [write_csv(four_columns(rows).assign(text="Now to a new thing " + rows["writing_id"]),
                       tmp_path / "more.csv"), write_csv(rows, tmp_path / "all.csv")]  # fmt: skip
    with pytest.raises(CorpusError, match="more.csv names no learners, .*9 of 9 texts compared are other texts"):
        read(files)


def test_a_file_that_only_lends_says_so(tmp_path):
    rows = many(9)
    files = [write_csv(four_columns(rows[:8]), tmp_path / "four.csv"), write_csv(rows, tmp_path / "all.csv")]
    sources = reading.read_corpus(files, settings())[1]
    assert [source["lends"] for source in sources] == [False, True]
    described = dict(reading.describe_source(sources[1]))
    assert described["rows that only lend learners, prompts and first languages"] == "all 9"
