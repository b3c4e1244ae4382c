"""Claims about workbooks that would fill the memory: they are refused before they are opened, and others are not."""

import io
import struct
import zipfile

import numpy as np
import pytest

from lib.corpus.formats import expansion, workbook_limits
from lib.errors import CorpusError
from tests.helpers.corpora import many, read, write_xlsx


@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, lies):
    path, size = tmp_path / "bomb.xlsx", 2**25
    monkeypatch.setattr(expansion, "RATIO_FROM", 2**20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", " " * size)
    if lies:  # the archive's table of contents says 1 kB
        path.write_bytes(path.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 1024)))
    words = "damaged or incomplete" if lies else "would unpack to"
    with pytest.raises(CorpusError, match=f"bomb.xlsx.*{words}"):
        read(path)


def cells(numbers):
    return "".join(f'<c r="A{n}" s="1" t="s"><v>{n}</v></c>' for n in numbers).encode()


@pytest.mark.parametrize("block", [7, 61, 2**22])
def test_every_shared_string_is_counted_once(monkeypatch, block):
    monkeypatch.setattr(workbook_limits, "BLOCK", block)
    lengths = np.array([1, 20, 300, 4000])
    assert workbook_limits._sheet_size("c", io.BytesIO(cells([0, 3, 3, 2, 9])), lengths) == 8301


def test_a_text_in_many_cells_is_read_where_it_is_short(tmp_path):
    assert len(read(write_xlsx(many(50).assign(l1="Spanish"), tmp_path / "c", shared=True))) == 50


def test_a_long_table_and_a_wide_one_are_no_far_cells():
    for far in [b'<c r="C999999"><v>1</v></c>', b'<c r="CZ2"><v>1</v></c>']:
        assert workbook_limits._sheet_size("c", io.BytesIO(cells([1]) + far), np.zeros(0, int)) == 0


def test_cells_far_from_all_others_are_refused():
    far = b'<c r="A1"><v>1</v></c><c r="AA100000"><v>1</v></c>'
    with pytest.raises(CorpusError, match="a sheet of 2 cells reaches beyond"):
        workbook_limits._sheet_size("c", io.BytesIO(far), np.zeros(0, int))
