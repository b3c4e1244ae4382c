"""Claims about `make inspect`: it says what a file holds, proposes what to paste, and shows and writes no text."""

import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from lib.__main__ import main
from lib.corpus import cleaning
from lib.corpus.report import inspection
from lib.errors import CorpusError, ParameterError
from lib.experiment import parameters
from tests.helpers.corpora import many, read, table, write_csv, write_xlsx

OTHER_NAMES = {"writing_id": "essay_id", "learner_id": "student", "l1": "native_language", "text": "full_text"}


@pytest.fixture
def inspected(tmp_path, capsys):
    """Function of files: what make inspect prints of them."""

    def run(*files):
        inspection.show([str(file) for file in files], "params/demo")
        return capsys.readouterr().out

    return run


def pasted(printed):
    block = printed[printed.index("\ncolumns:") :]
    return yaml.safe_load(block.split("\n\n")[0])


def test_what_it_proposes_is_what_01_then_reads(tmp_path, inspected):
    rows = many(40).assign(cefr=[f"{level}.i" for level in many(40)["cefr"]], topic_id="")
    path = write_csv(rows.rename(columns=OTHER_NAMES), tmp_path / "c.csv")
    block = pasted(inspected(path))
    assert block == {
        "columns": {
            "text_id": "essay_id",
            "learner_id": "student",
            "level": "cefr",
            "l1": "native_language",
            "text": "full_text",
        },
        "levels": {f"{level}.i": level for level in ["A1", "A2", "B1", "B2", "C1"]},
    }
    texts, _ = cleaning.clean_texts(read(path, **block), block["levels"])
    assert texts["level"].value_counts().to_dict() == {"A1": 8, "A2": 8, "B1": 8, "B2": 8, "C1": 8}


def test_the_block_replaces_both_lines_of_a_copied_profile(tmp_path, inspected):
    printed = inspected(write_csv(many(12).rename(columns=OTHER_NAMES), tmp_path / "c.csv"))
    assert "Replace the lines columns: and levels: of params/mine/corpus.yaml by:" in printed.replace("`", "")
    copied = Path("params/demo/corpus.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in copied if not line.startswith(("columns:", "levels:"))]
    (tmp_path / "corpus.yaml").write_text("\n".join(kept) + printed[printed.index("\ncolumns:") :], encoding="utf-8")
    settings = parameters.load_file(tmp_path / "corpus.yaml")
    assert settings.columns["text"] == "full_text" and settings.levels == {}


def test_counts_are_those_of_the_file(tmp_path, inspected):
    rows = many(20).astype(object)
    rows.loc[[2, 3, 4], "learner_id"] = ["NA", "", "#N/A"]
    rows.loc[5, "text"] = rows.loc[0, "text"]
    rows.loc[6, "text"] = " "
    rows.loc[7, ["l1", "text"]] = ["Thai", "I see <br> it"]
    printed = inspected(write_csv(rows.assign(notes="x"), tmp_path / "c.csv"))
    assert "c.csv: csv, 20 rows" in printed and "not used     notes" in printed
    assert "Labels of the level column: A1 4, A2 4, B1 4, B2 4, C1 4" in printed
    assert "Learners: 6 named, with at most 3 texts; 3 texts name no learner." in printed
    assert "!! 3 of 20 texts name no learner: every verdict is provisional." in printed
    assert "First languages: Spanish 19, Thai 1; unknown in 0 texts." in printed
    assert "!! Signs of damage: remains of markup 5.6 %" in printed
    assert "01 would keep 18. Dropped: empty text 1, same words as another text 1." in printed
    assert "Nothing to paste" in printed


def test_spellings_of_a_first_language_are_counted(tmp_path, inspected):
    rows = many(12).assign(l1=["Chinese"] * 7 + ["chinese"] * 3 + ["Thai"] * 2)
    printed = inspected(write_csv(rows, tmp_path / "c.csv"))
    assert "First languages: Chinese 10 (written in 2 spellings), Thai 2; unknown" in printed


def test_each_level_has_its_row(tmp_path, inspected):
    lines = inspected(write_csv(many(30), tmp_path / "c.csv")).splitlines()
    (row,) = [line.split() for line in lines if line.startswith("  B1")]
    assert row == ["B1", "6", "6", "1", "17.5"]  # texts 2, 7, ..., 27: of 5, 10, ..., 30 words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learner_id": "1.00111E+11"}, "ids in learner_id are shown with a power of ten"),
        ({"cefr": ["1", "2", "3", "4"] * 5}, "the levels in cefr are numbers. The scale ends at 4"),
        ({"cefr": ["B3", *["A1"] * 19]}, "1 texts have an unknown level (c.csv, row 2: 'B3'"),
        ({"writing_id": ["1", "1", *map(str, range(18))]}, "text ids stand for two different rows (first: 1"),
    ],
)
def test_what_01_would_refuse_is_told_beforehand(tmp_path, inspected, change, words):
    printed = inspected(write_csv(many(20).assign(**change), tmp_path / "c.csv"))
    assert "!! 01 WOULD REFUSE: " in printed and words in printed and "once this is mended" in printed


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 0),
        ({"cefr": ["B1+", *["A1"] * 19]}, 0),  # the proposed lines are enough
        ({"cefr": ["", *["A1"] * 19]}, 2),
        ({"learner_id": "1.00111E+11"}, 2),
    ],
)
def test_a_file_that_must_be_mended_first_ends_with_that(tmp_path, capsys, change, status):
    path = write_csv(many(20).assign(**change).rename(columns={"text": "essay"}), tmp_path / "c.csv")
    assert main(["inspect", "--corpus", str(path), "--params", "params/demo"]) == status
    *_, last = capsys.readouterr().out.strip().split("\n\n")
    assert last.startswith("MEND THIS FIRST, since these lines are not enough.") == (status == 2)
    assert ("!! 01 WOULD REFUSE: " in last) == (status == 2)


def test_named_learners_of_a_level_are_its_least_number(tmp_path, inspected):
    rows = many(30).astype(object)
    rows.loc[1, "learner_id"] = ""  # of the text with id 2, which is B1
    lines = inspected(write_csv(rows, tmp_path / "c.csv")).splitlines()
    (row,) = [line for line in lines if line.startswith("  B1")]
    assert row.split()[1:5] == ["6", "at", "least", "5"]


def test_numbers_that_are_levels_wait_to_be_filled_in(tmp_path, inspected):
    printed = inspected(write_csv(many(20).assign(cefr=["1", "2", "3", "4"] * 5), tmp_path / "c.csv"))
    assert "Unknown level: 20." in printed and "Replace each FILL_IN" in printed
    assert pasted(printed)["levels"] == dict.fromkeys("1234", "FILL_IN")


def test_learners_of_two_countries_are_counted(tmp_path, inspected):
    rows = many(12).assign(nationality=["br", "cn", *["mx"] * 10])
    assert "0 learners have two first languages, 1 two nationalities" in inspected(write_csv(rows, tmp_path / "c.csv"))


def test_sheets_are_listed_with_what_became_of_them(tmp_path, inspected):
    path = write_xlsx(many(12), tmp_path / "c.xlsx", more=[("old", many(4), "hidden"), ("empty", None, "visible")])
    assert "c.xlsx: xlsx, 12 rows; sheets: s (read: 12 rows); old (hidden, not read); empty (empty)" in inspected(path)


def test_several_files_may_be_named_in_one_string(tmp_path, inspected):
    files = [write_csv(many(12)[:6], tmp_path / "a b.csv"), write_csv(many(12)[6:], tmp_path / "c.csv")]
    printed = inspected(f"'{files[0]}' {files[1]}")
    assert "a b.csv: csv, 6 rows\nc.csv: csv, 6 rows" in printed and "Of 12 rows" in printed


def test_no_text_and_no_header_that_is_one_is_printed(tmp_path, inspected):
    secret = "my own secret"
    printed = inspected(
        write_csv(many(12).assign(text=[f"{secret} {n}" for n in range(12)], notes=secret), tmp_path / "c")
    )
    assert secret not in printed
    (tmp_path / "d").write_text(f"1,A1,{secret}\n2,A1,{secret}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="first row looks like data") as error:
        inspected(tmp_path / "d")
    assert secret not in str(error.value)


def test_labels_that_may_be_texts_are_only_counted(tmp_path, inspected):
    rows = many(120).assign(cefr=[f"my own word {n}" for n in range(120)])
    printed = inspected(write_csv(rows, tmp_path / "c.csv"))
    assert "my own" not in printed and "120 more labels" in printed and "120 different ones" not in printed


def test_nothing_is_written(tmp_path, inspected):
    path = write_csv(many(12), tmp_path / "c.csv")
    inspected(path)
    assert list(tmp_path.iterdir()) == [path]


def test_twenty_thousand_rows_cost_seconds_of_cpu(tmp_path, inspected):
    rows = pd.concat([many(50)] * 400, ignore_index=True).assign(writing_id=range(20_000))
    path = write_csv(rows.rename(columns=OTHER_NAMES), tmp_path / "c.csv")
    before = time.process_time()
    assert "Of 20,000 rows" in inspected(path)
    assert time.process_time() - before < 6  # 1.3 when measured


def test_the_command_needs_a_corpus_and_its_parameters(tmp_path, capsys):
    with pytest.raises(CorpusError, match="make inspect CORPUS=file.csv"):
        inspection.show([""], "params/demo")
    with pytest.raises(ParameterError, match="PARAMS=folder with a corpus.yaml"):
        inspection.show(["c.csv"], str(tmp_path))
    assert main(["inspect", "--corpus", str(tmp_path / "no.csv")]) == 2
    assert "no.csv does not exist. Expected: a corpus file, XLSX, CSV, XML, JSON or Parquet" in capsys.readouterr().err


def test_a_file_without_rows_is_refused(tmp_path, inspected):
    with pytest.raises(CorpusError, match="c.csv holds no texts"):
        inspected(write_csv(table({})[:0], tmp_path / "c.csv"))
