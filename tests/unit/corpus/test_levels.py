"""Claims about levels: none is guessed, and what is refused comes with a block to paste."""

import re

import pytest
import yaml

from lib.corpus import cleaning, levels
from lib.errors import CorpusError
from tests.helpers.corpora import read, table, write_csv, write_xml

EF = [str(n) for n in range(1, 17)]


def numbered(labels, column="level"):
    rows = table(*({"writing_id": str(n), "text": "so " * n} for n in range(1, len(labels) + 1)))
    return rows.drop(columns="cefr").assign(**{column: labels})


def block(error):
    return yaml.safe_load(str(error.value)[str(error.value).index("\nlevels:") :])["levels"]


def test_efs_numbers_are_unknown_where_the_levels_are_named():
    found = levels.to_cefr(table({"cefr": "2"}, {"cefr": "3"})["cefr"], {"2": "B1"})
    assert found.fillna("?").tolist() == ["B1", "?"]


def test_efs_numbers_are_read_in_efcamdats_own_column(tmp_path):
    texts, _ = cleaning.clean_texts(read(write_csv(numbered(EF), tmp_path / "c.csv")))
    assert texts["level"].unique().tolist() == ["A1", "A2", "B1", "B2", "C1"]


def test_release_2_may_end_at_any_level(tmp_path):
    assert read(write_xml(numbered(["1", "2", "5"]), tmp_path / "c"))["level"].tolist() == ["1", "2", "5"]


@pytest.mark.parametrize(
    ("labels", "column", "words"),
    [
        (["1", "2", "3", "4", "5", "5"], "level", "The scale ends at 5"),
        (["1", "2", "3", "4", "5", "6"], "cefr", "The scale ends at 6"),
        (EF, "cefr_level", "The column is called cefr_level"),
        (["A1", "2", "9"], "cefr", "The column is called cefr"),
    ],
)
def test_other_numbers_are_refused_with_a_block_to_fill_in(tmp_path, labels, column, words):
    with pytest.raises(CorpusError, match=words) as error:
        read(write_csv(numbered(labels, column), tmp_path / "c.csv"))
    assert "'2' 1" in str(error.value) and set(block(error)) == set(labels) - {"A1"}


def test_a_mapped_level_column_of_numbers_needs_levels(tmp_path):
    path, columns = write_csv(numbered(EF, "level_id"), tmp_path / "c.csv"), {"level": "level_id"}
    with pytest.raises(CorpusError, match="The column is called level_id") as error:
        read(path, columns=columns)
    asked = block(error)
    assert asked["2"] == "A1" and asked["16"] == "C2"
    assert len(cleaning.clean_texts(read(path, columns=columns, levels=asked), asked)[0]) == 15


def test_scores_are_refused_with_every_label_and_its_count(tmp_path):
    rows = read(write_csv(numbered(["2.5", "3.5", "2.5", "x"], "cefr"), tmp_path / "c.csv"))
    with pytest.raises(CorpusError, match=re.escape("'2.5' 2, '3.5' 1, 'x' 1")) as error:
        cleaning.clean_texts(rows)
    assert block(error) == {"2.5": "FILL_IN", "3.5": "FILL_IN", "x": "FILL_IN"}


def test_a_label_that_names_one_level_gets_it_in_the_block():
    labels = ["A1.i", "Advanced (C1)", "A1/A2", "b1+", 'say "B2"', "A12", "B2"]
    with pytest.raises(CorpusError) as error:
        levels.cefr_levels(numbered(labels).rename(columns={"writing_id": "text_id"}), {"x": "drop"})
    assert block(error) == {"x": "drop", "A1.i": "A1", "Advanced (C1)": "C1", "A1/A2": "FILL_IN", "b1+": "B1",
                            'say "B2"': "B2", "A12": "FILL_IN"}  # fmt: skip


def test_no_label_moves_the_cursor():
    with pytest.raises(CorpusError) as error:
        levels.cefr_levels(numbered(["\x1b[2JB", "a\\b"]).rename(columns={"writing_id": "text_id"}), None)
    assert "\x1b" not in str(error.value) and set(block(error)) == {"\x1b[2JB", "a\\b"}


def test_a_long_cell_is_told_by_its_length():
    assert levels.shorten_label("Upper B2") == "Upper B2"
    assert levels.shorten_label("I am a cat of") == "(13 characters)"
    assert levels.shorten_label("x" * 31) == "(31 characters)"


@pytest.mark.parametrize(("n", "shown"), [(100, True), (101, False)])
def test_a_column_of_too_many_labels_is_not_shown(n, shown):
    labels = [f"my own word {number}" for number in range(n)]
    with pytest.raises(CorpusError, match="text id 1") as error:
        levels.cefr_levels(numbered(labels).rename(columns={"writing_id": "text_id"}), None)
    assert ("my own" in str(error.value)) == shown == ("FILL_IN" in str(error.value))
    assert str(error.value).count("my own") >= 2 * n if shown else "101 different ones" in str(error.value)
