"""Claims about the kind of a file: recognised by content, whatever the file is called."""

import codecs

import pytest

from lib.corpus.formats import detection
from lib.corpus.formats.notes import Notes
from lib.errors import CorpusError
from lib.experiment.files import file_hash
from tests.helpers.corpora import RELEASE2, many, settings, table, write_csv, write_xlsx, writing

JSON_LINE = '{"id": 1, "cefr": "A1", "text": "Hi"}\n'


def opened(path):
    return detection.open_tables(path, settings(), Notes())


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (RELEASE2.format(writing()), "xml"),
        ("<!-- exported -->\n" + RELEASE2.format(writing()), "xml"),
        (JSON_LINE, "json"),
        (f"\n[{JSON_LINE}]", "json"),
        ("id,cefr,text\n1,A1,<b>Hi\n", "csv"),
    ],
)
def test_text_files_are_told_apart_by_their_beginning(tmp_path, content, kind):
    path = tmp_path / "corpus.dat"
    path.write_text(content, encoding="utf-8")
    assert opened(path)[0] == kind


def test_workbooks_and_parquet_are_known_by_their_first_bytes(tmp_path):
    many(3).to_parquet(tmp_path / "a.csv")
    assert opened(tmp_path / "a.csv")[0] == "parquet"
    assert opened(write_xlsx(many(3), tmp_path / "b.csv"))[0] == "xlsx"


def test_the_hash_is_that_of_the_whole_file(tmp_path, monkeypatch):
    path = write_csv(many(30), tmp_path / "c.csv")
    monkeypatch.setattr(detection, "BLOCK", 7)
    assert opened(path)[1] == file_hash(path, 64)


def test_a_byte_order_mark_goes_before_the_named_encoding(tmp_path):
    path = tmp_path / "c.csv"
    path.write_bytes(codecs.BOM_UTF8 + "id,text\n1,é\n".encode())
    tables = detection.open_tables(path, settings(encoding="cp1252"), Notes())[2]
    assert [[header, *rows] for _, header, rows in tables] == [[["id", "text"], ["1", "é"]]]


def test_a_wrong_byte_is_found_in_any_block(tmp_path, monkeypatch):
    path = tmp_path / "c.csv"
    path.write_bytes("id,text\n1,éé\n".encode() + b"2,\xff\n")
    monkeypatch.setattr(detection, "BLOCK", 3)
    with pytest.raises(CorpusError, match=r"byte 17 \(line 3\) is not UTF-8"):
        opened(path)


def test_a_text_that_starts_a_table_is_no_json(tmp_path):
    rows = table({}).rename(columns={"writing_id": "[id"})
    assert opened(write_csv(rows, tmp_path / "c"))[0] == "csv"
