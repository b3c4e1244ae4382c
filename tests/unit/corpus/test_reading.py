"""Claims about reading a corpus: every format gives the same texts, and what is damaged is refused in words."""

import json
import tempfile
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import hypothesis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as any_of

from lib.corpus import reading
from lib.errors import CorpusError
from tests.helpers.any_text import quickly
from tests.helpers.bad_corpora import BAD, HEADER
from tests.helpers.corpora import (
    RELEASE2,
    ROW,
    STRANGE,
    many,
    read,
    read_bytes,
    settings,
    table,
    write_csv,
    write_xlsx,
    write_xml,
    writing,
)

WRITE = {
    "csv": write_csv,
    "semicolons": lambda frame, path: write_csv(frame, path, sep=";"),
    "tabs": lambda frame, path: write_csv(frame, path, sep="\t"),
    "inline strings": write_xlsx,
    "shared strings": lambda frame, path: write_xlsx(frame, path, shared=True, dimension="A1"),
}


@pytest.mark.parametrize("file_format", WRITE)
def test_every_text_comes_back_as_it_was_written(tmp_path, file_format):
    wanted = table(*({"writing_id": str(i), "text": text} for i, text in enumerate(STRANGE)))
    assert read(WRITE[file_format](wanted, tmp_path / "corpus"))["text"].tolist() == STRANGE


def test_all_formats_give_the_same_table(tmp_path):
    rows = many(9).assign(level=[str(n) for n in range(1, 10)], nationality="mx").drop(columns="cefr")
    tables = [read(write(rows, tmp_path / "c")) for write in [*WRITE.values(), write_xml]]
    assert all(other.equals(tables[0]) for other in tables) and len(tables[0]) == 9


def test_whole_numbers_kept_as_floats_are_whole_again(tmp_path):
    rows = table({"writing_id": 1234.0, "learner_id": 7.0, "cefr": 3.0, "topic_id": "12.0", "text": 2.5},
                 {"writing_id": 1e15, "learner_id": "x1.0", "cefr": "A1", "topic_id": 0, "text": True})  # fmt: skip
    found = read(write_xlsx(rows, tmp_path / "c.xlsx", dimension="A1"), levels={"3": "A1"})
    assert found["text_id"].tolist() == ["1234", "1000000000000000"]
    assert found[["learner_id", "level", "topic_id"]].to_numpy().tolist() == [["7", "3", "12"], ["x1.0", "A1", "0"]]
    assert found["text"].tolist() == ["2.5", "TRUE"]


def test_the_source_is_known_by_name_and_hash_never_by_its_folder(tmp_path):
    path = write_csv(many(3), tmp_path / "my corpus.csv")
    source = reading.read_corpus([path], settings())[1][0]
    assert (source["file"], source["format"], source["rows"], len(source["sha256"])) == ("my corpus.csv", "csv", 3, 64)
    assert source["columns"]["text_id"] == "writing_id" and "topic_id" in source["columns"]
    assert str(tmp_path) not in str(source)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-8"])
def test_a_named_encoding_is_read(tmp_path, encoding):
    content = "writing_id,cefr,text\n1,A1,café “ok”\n".encode(encoding)
    assert read_bytes(tmp_path, content, encoding=encoding)["text"].tolist() == ["café “ok”"]


@pytest.mark.parametrize(("name", "content", "words"), BAD, ids=[name for name, *_ in BAD])
def test_bad_input_is_refused_in_words(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("corpus.csv", HEADER)
    with pytest.raises(CorpusError) as error:
        read(path)
    assert all(word in str(error.value) for word in [name, *words]), str(error.value)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_no_refusal_quotes_a_learners_text(tmp_path):
    secret = "my secret " * 20
    for content in (HEADER + f'1,A1,"{secret}', HEADER + f"1,A1,{secret},\n", f"1,A1,{secret}\n2,A1,{secret}\n"):
        with pytest.raises(CorpusError) as error:
            read_bytes(tmp_path, content)
        assert secret[:50] not in str(error.value)


@pytest.mark.parametrize("files", ["no such file.csv", ".", []])
def test_what_is_no_file_is_refused(files):
    with pytest.raises(CorpusError, match="Expected: "):
        read(files)


def test_one_file_need_not_be_in_a_list(tmp_path):
    path = write_csv(table({}), tmp_path / "c d.csv")
    assert read(path).equals(read([str(path)])) and read(str(path))["text"].tolist() == [ROW["text"]]


NAMES = {
    "text_id": ["writing_id", "Writing ID", "text-id", "ID"],
    "learner_id": ["learner_id", "Learner ID", "LEARNERID"],
    "level": ["cefr", "CEFR level", "cefr-label"],
    "text": ["text", " Text "],
}
UNKNOWN = ["", "NA", "n/a", "NaN", "null", r"\N", "#N/A", "#REF!"]
WORDS = any_of.lists(any_of.sampled_from([*"aäé,;\t\"'\n1", "NA", "cat", "“ok”", "A1"]), min_size=1, max_size=9).map(
    " ".join
)
ROW_OF_TRUTH = any_of.tuples(any_of.sampled_from(["7", "8", "x1", *UNKNOWN]), any_of.sampled_from(["A1", "B2"]), WORDS)


def write_json_lines(frame, path, encoding):
    lines = [json.dumps(record, ensure_ascii=False) for record in frame.to_dict("records")]
    path.write_text("\n\n".join(lines) + "\n", encoding=encoding)


def write_json_list(frame, path, encoding):
    path.write_text(json.dumps(frame.to_dict("records"), indent=1), encoding=encoding)


def write_parquet(frame, path, encoding):
    missing = {name: frame[name].mask(frame[name].isin(UNKNOWN), None) for name in frame if "learner" in name.lower()}
    frame.assign(**missing).to_parquet(path)


def write_release2(frame, path, encoding):
    """The rows as XML in that encoding, with the EF level of each CEFR level; names and order are those of XML."""
    named = frame.rename(columns={name: column for column, names in NAMES.items() for name in names})
    rows = [writing(row.text_id, EF_LEVEL[row.level], escape(row.text), row.learner_id) for row in named.itertuples()]
    path.write_text(RELEASE2.format("\n".join(rows)).replace("UTF-8", encoding), encoding=encoding)


EF_LEVEL = {"A1": "2", "B2": "11"}
ONE_TABLE = {
    "json lines": write_json_lines, "json list": write_json_list, "parquet": write_parquet, "release 2": write_release2
}  # fmt: skip


@any_of.composite
def corpora(draw):
    """(truth, tables to write one below the other, separator, encoding): the same rows with any names and orders."""
    rows = draw(any_of.lists(ROW_OF_TRUTH, min_size=1, max_size=8))
    truth = pd.DataFrame(rows, columns=["learner_id", "level", "text"]).assign(
        text_id=[str(n) for n in range(101, 101 + len(rows))]
    )
    cut, tables = draw(any_of.integers(0, len(rows))), []
    for split in (truth[:cut], truth[cut:]):
        columns = draw(any_of.permutations(list(truth)))
        tables.append(split[columns].rename(columns={name: draw(any_of.sampled_from(NAMES[name])) for name in columns}))
    separator = draw(any_of.sampled_from(",;\t"))
    encoding = draw(any_of.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    return truth, [table for table in tables if len(table)], separator, encoding


def between_blank_rows(table, n_blank):
    blank = pd.DataFrame([[""] * len(table.columns)] * n_blank, columns=table.columns, dtype="str")
    return pd.concat([blank, table, blank])


def written(folder, kind, tables, separator, encoding, n_blank):
    """The files of one corpus."""
    if kind == "xlsx":
        first, *others = [between_blank_rows(table, n_blank) for table in tables]
        return [
            write_xlsx(first, folder / "c", more=[(f"more{n}", table, "visible") for n, table in enumerate(others)])
        ]
    files = [folder / f"{n}" for n in range(len(tables))]
    for rows, file in zip(tables, files):
        if kind == "csv":
            write_csv(between_blank_rows(rows, n_blank), file, sep=separator, encoding=encoding)
        else:
            ONE_TABLE[kind](rows, file, encoding)
    return files


@pytest.mark.parametrize("kind", ["csv", "xlsx", *ONE_TABLE])
def test_what_is_read_is_the_truth_or_a_refusal(kind):
    n_read = 0
    known = settings()

    @hypothesis.settings(quickly, max_examples=200)
    @given(corpora(), any_of.integers(0, 2))
    def read_back(made, n_blank):
        nonlocal n_read
        truth, tables, separator, encoding = made
        with tempfile.TemporaryDirectory() as folder:
            files = written(Path(folder), kind, tables, separator, encoding, n_blank)
            try:
                found = reading.read_corpus(files, known.model_copy(update={"encoding": encoding}))[0]
            except CorpusError as refusal:
                assert "Expected" in str(refusal) or "Copy it again" in str(refusal)
                return
        wanted = truth.assign(learner_id=truth["learner_id"].mask(truth["learner_id"].isin(UNKNOWN), ""))
        if kind == "release 2":  # spaces around a text are layout there
            wanted = wanted.assign(text=wanted["text"].str.strip(), level=wanted["level"].map(EF_LEVEL))
        assert found[list(wanted)].to_numpy().tolist() == wanted.to_numpy().tolist()
        n_read += 1

    read_back()
    assert n_read > 150  # else hardly anything was read


def test_a_text_is_cut_after_its_first_words(tmp_path):
    rows = many(3)
    rows["text"] = [" I like\n it very much. ", "Yes", ""]
    found = read(write_csv(rows, tmp_path / "c.csv"), max_words=3)
    assert found["text"].tolist() == [" I like\n it", "Yes", ""]
    assert read(tmp_path / "c.csv")["text"].tolist() == rows["text"].tolist()
