"""Claims about workbooks: what a cell holds, and that one made to fill the memory is not opened."""

import struct
import zipfile

import pytest

from lib.corpus.formats import xlsx
from lib.errors import CorpusError
from tests.helpers.corpora import read, write_xlsx


def test_empty_cells_of_a_workbook_are_empty_text(tmp_path):
    sheet = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>level</t></is></c>'
        '<c r="C1" t="inlineStr"><is><t>text</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row><row r="4"/>'
    )
    rows = read(write_xlsx(None, tmp_path / "c", sheet=sheet))
    assert rows[["text_id", "level", "text"]].to_numpy().tolist() == [["1", "", ""]]


@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, lies):
    path, size = tmp_path / "bomb.xlsx", 2**25
    monkeypatch.setattr(xlsx, "SUSPECT", 2**20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", " " * size)
    if lies:  # the archive's table of contents says 1 kB
        path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 1024)))
    words = "damaged or incomplete" if lies else "would unpack to"
    with pytest.raises(CorpusError, match=f"bomb.xlsx.*{words}"):
        read(path)
