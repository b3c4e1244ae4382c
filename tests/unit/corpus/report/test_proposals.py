"""Claims about proposed columns: by name, by content, and what is left for the user to see."""

import pandas as pd
import pytest

from lib.corpus.report import proposals
from tests.helpers.corpora import settings

CELLS = {
    "ids": [f"e{n}" for n in range(20)],
    "people": [f"s{n // 2}" for n in range(20)],
    "levels": ["A1", "b2", "B1+", "C1 (high)"] * 5,
    "languages": ["Thai", "Korean", "", "french"] * 5,
    "texts": [f"I like my {n} cats very much." for n in range(20)],
    "longer": [f"I like my {n} cats very much, and also the dogs." for n in range(20)],
    "scores": ["2.5", "3.0", "3.5", "4.0"] * 5,
    "constant": ["x"] * 20,
}


def proposed(table, **changes):
    """{name here: name in the file} for a table: {name in the file: key of CELLS}."""
    header = list(table)
    sample = pd.DataFrame({n: CELLS[key] for n, key in enumerate(table.values())}, dtype="str")
    found = proposals.propose_columns(header, sample, settings(**changes))
    named = {column: header[position] for column, position in found.columns.items()}
    return named, {header[n]: column for n, column in found.suspects.items()}, found.reasons


def test_columns_of_another_corpus_are_proposed_by_their_names():
    named, suspects, reasons = proposed(
        {"essay_id": "ids", "student": "people", "cefr": "levels", "native_language": "languages", "full_text": "texts"}
    )
    assert named == {
        "text_id": "essay_id", "learner_id": "student", "level": "cefr", "l1": "native_language", "text": "full_text"
    }  # fmt: skip
    assert suspects == {} and reasons["level"] == "name" and reasons["text"] == "similar name"


@pytest.mark.parametrize(
    ("corpus", "wanted"),
    [
        ("answer_id anon_id L1 level_id question_id text", "text_id learner_id l1 level topic_id text"),
        ("text_id_kaggle full_text prompt Overall", "text_id text topic_id level"),
        ("Document ID,Author,Mother Tongue,Proficiency,Essay Text", "text_id learner_id l1 level text"),
    ],
)
def test_names_of_known_corpora_are_proposed(corpus, wanted):
    names = corpus.split("," if "," in corpus else " ")
    assert proposed(dict.fromkeys(names, "constant"))[0] == dict(zip(wanted.split(), names))


def test_unknown_names_are_proposed_by_content():
    named, _, reasons = proposed({"c1": "ids", "c2": "levels", "c3": "languages", "c4": "texts", "c5": "longer"})
    assert named == {"text_id": "c1", "level": "c2", "l1": "c3", "text": "c5"}
    assert set(reasons.values()) == {"content"}


def test_an_unused_column_that_may_be_a_learner_is_a_suspect():
    known = {"writing_id": "ids", "cefr": "levels", "text": "texts"}
    assert proposed(known | {"learner_id": "people", "student_nickname": "people"})[1] == {
        "student_nickname": "learner_id"
    }
    assert proposed(known | {"learner_id": "people", "student age": "scores", "constant": "constant"})[1] == {}


@pytest.mark.parametrize("name", ["Student no.", "Learner number", "writer-nr"])
def test_a_learner_word_with_a_word_for_ids_is_proposed(name):
    named, suspects, _ = proposed({"writing_id": "ids", "cefr": "levels", "text": "texts", name: "people"})
    assert named["learner_id"] == name and suspects == {}


def test_of_two_possible_learners_none_is_proposed():
    named, suspects, _ = proposed({"cefr": "levels", "Student no.": "people", "Writer no.": "people"})
    assert "learner_id" not in named and set(suspects.values()) == {"learner_id"} and len(suspects) == 2


def test_unused_languages_and_levels_are_suspects():
    columns = {
        "writing_id": "ids",
        "cefr": "levels",
        "l1": "languages",
        "text": "texts",
        "c5": "languages",
        "c6": "levels",
    }
    assert proposed(columns)[1] == {"c5": "l1", "c6": "level"}


def test_the_level_of_human_raters_goes_first():
    named, suspects, _ = proposed({"automarked_cefr_level": "levels", "humannotator_cefr_level": "levels"})
    assert named["level"] == "humannotator_cefr_level" and suspects == {"automarked_cefr_level": "level"}


def test_a_cefr_column_goes_before_one_called_level():
    assert proposed({"level": "scores", "CEFR of rater 1": "levels"})[0]["level"] == "CEFR of rater 1"


def test_columns_that_are_already_mapped_stay_so():
    columns = {"student": "people", "teacher": "people", "cefr": "levels"}
    assert proposed(columns, columns={"learner_id": "teacher"})[0]["learner_id"] == "teacher"


def test_scores_are_no_levels_and_short_cells_no_texts():
    assert not proposals.holds_levels(pd.Series(CELLS["scores"])) and proposals.holds_levels(pd.Series(CELLS["levels"]))
    assert proposed({"c1": "scores", "c2": "constant"})[0] == {}
