"""Claims about the columns that `make inspect` finds: the block is complete, and no learner column is overlooked."""

from lib.corpus.report.column_inspection import inspect_columns, overlooked_columns
from tests.helpers.corpora import many, settings, write_csv, write_xlsx


def columns_of(*files, **changes):
    return inspect_columns([str(file) for file in files], settings(**changes))


def test_a_required_column_that_01_finds_is_in_the_block(tmp_path):
    rows = many(12).rename(columns={"text": "essay", "learner_id": "Student no."})
    needed, doubtful, _ = columns_of(write_csv(rows, tmp_path / "c.csv"))
    assert list(needed.items()) == [
        ("text_id", "writing_id"), ("learner_id", "Student no."), ("level", "cefr"), ("text", "essay")
    ]  # fmt: skip
    assert doubtful == []


def test_a_column_with_two_names_in_two_files_is_left_to_01(tmp_path):
    rows = many(12).rename(columns={"text": "essay"})
    files = [
        write_csv(rows[:6], tmp_path / "a.csv"),
        write_csv(rows[6:].rename(columns={"cefr": "cefr_level"}), tmp_path / "b.csv"),
    ]
    assert columns_of(*files)[0] == {"text_id": "writing_id", "text": "essay"}


def test_a_file_whose_names_are_known_needs_nothing(tmp_path):
    assert columns_of(write_csv(many(12), tmp_path / "c.csv"))[:2] == ({}, [])


def test_a_learner_column_that_is_left_is_a_loud_warning(tmp_path):
    rows = many(12).rename(columns={"learner_id": "Nickname of student"})
    needed, doubtful, lines = columns_of(write_csv(rows, tmp_path / "c.csv"))
    assert needed == {} and doubtful == [("learner_id", "Nickname of student")]
    assert "!! NOT USED: Nickname of student looks like learner_id (5 different values in 12 rows)" in lines
    assert "!! NO LEARNERS" in lines


def test_different_values_are_counted_over_all_sheets(tmp_path):
    rows = many(12).rename(columns={"learner_id": "Nickname of student"})
    rows["Nickname of student"] = [f"s{n}" for n in range(12)]
    path = write_xlsx(rows[:5], tmp_path / "c.xlsx", more=[("second", rows[5:], "visible")])
    assert "(12 different values in 12 rows)" in columns_of(path)[2]


def test_01_says_loudly_which_learners_and_languages_it_did_not_use(tmp_path):
    rows = many(12).rename(columns={"learner_id": "student", "l1": "native_language"})
    file = str(write_csv(rows, tmp_path / "c.csv"))
    assert overlooked_columns([file], settings()) == [
        "!! NOT USED: student looks like learners. If it is, map it: columns: {learner_id: student}",
        "!! NOT USED: native_language looks like first languages. If it is, map it: columns: {l1: native_language}",
    ]
    mapped = settings(columns={"learner_id": "student", "l1": "native_language"})
    assert overlooked_columns([file], mapped) == []
