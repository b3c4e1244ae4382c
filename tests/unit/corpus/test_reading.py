"""Claims about reading a corpus: every format gives the same texts, and what is damaged is refused in words."""

import codecs
import zipfile

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


@any_of.composite
def corpora(draw):
    """(truth, tables to write one below the other, how): the same rows under any names, orders and gaps."""
    rows = draw(any_of.lists(ROW_OF_TRUTH, min_size=1, max_size=8))
    truth = pd.DataFrame(rows, columns=["learner_id", "level", "text"]).assign(
        text_id=[str(n) for n in range(101, 101 + len(rows))]
    )
    cut, tables = draw(any_of.integers(0, len(rows))), []
    for part in (truth[:cut], truth[cut:]):
        columns = draw(any_of.permutations(list(truth)))
        table = part[columns].rename(columns={name: draw(any_of.sampled_from(NAMES[name])) for name in columns})
        blank = pd.DataFrame([[""] * len(columns)] * draw(any_of.integers(0, 2)), columns=table.columns, dtype="str")
        tables.append(pd.concat([blank, table, blank]))
    sep, encoding = (
        draw(any_of.sampled_from(",;\t")),
        draw(any_of.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
    )
    return truth, [table for table in tables if len(table)], draw(any_of.sampled_from(["csv", "xlsx"])), sep, encoding


@hypothesis.settings(quickly, max_examples=200)
@given(corpora())
def test_what_is_read_is_the_truth_or_a_refusal(tmp_path_factory, made):
    truth, tables, kind, sep, encoding = made
    folder = tmp_path_factory.mktemp("any")
    if kind == "xlsx":
        more = [(f"more{n}", table, "visible") for n, table in enumerate(tables[1:])]
        files = [write_xlsx(tables[0], folder / "c.xlsx", more=more)]
    else:
        files = [write_csv(table, folder / f"{n}.csv", sep=sep, encoding=encoding) for n, table in enumerate(tables)]
    try:
        found = read(files, encoding=codecs.lookup(encoding).name)
    except CorpusError as refusal:
        assert "Expected" in str(refusal) or "Copy it again" in str(refusal)
        return
    wanted = truth.assign(learner_id=truth["learner_id"].mask(truth["learner_id"].isin(UNKNOWN), ""))
    assert found[list(wanted)].to_numpy().tolist() == wanted.to_numpy().tolist()
