"""Rows of a workbook (XLSX), once it is known to be whole and not to be a trap."""

import os
import re
import zipfile
import zlib

import python_calamine

from lib.errors import CorpusError

DAMAGE = (zipfile.BadZipFile, zlib.error, python_calamine.CalamineError, OSError, EOFError, RuntimeError)
BLOCK = 2**22  # bytes read at a time
LARGEST, SUSPECT, RATIO = 16 * 2**30, 2**30, 100  # bytes a workbook may unpack to; from SUSPECT on at most RATIO times
# columns beyond CZ or rows beyond 1,999,999: a reader makes room for the whole rectangle, be it empty
FAR_CELL = re.compile(rb" r=[\"'](?:(?:[D-Z][A-Z]|[A-Z]{3,})[0-9]|[A-Z]*(?:[2-9][0-9]{6}|[0-9]{8}))")


def rows(file):
    """Rows of a workbook: of its first sheet, then of other sheets with the same header."""
    try:
        _refuse_bombs(file)
        book = python_calamine.load_workbook(os.fspath(file))
        header = None
        for sheet in book.sheets_metadata:
            if sheet.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            cells = book.get_sheet_by_name(sheet.name).iter_rows()
            first = next(cells, [])
            if header is None:
                header = first
                yield header
            if first == header:
                yield from (row for row in cells if any(cell != "" for cell in row))
    except DAMAGE as error:
        raise CorpusError(
            f"{file} is a damaged or incomplete workbook ({error}). Copy it again from where it came from, "
            "or open it and save it again as .xlsx or as CSV."
        ) from None


def _refuse_bombs(file):
    """Refuse an archive that would fill the memory, first by the sizes it declares, then by what is really in it."""
    with zipfile.ZipFile(file) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST or size > max(SUSPECT, RATIO * os.path.getsize(file)):
            raise CorpusError(
                f"{file} would unpack to {size / 2**30:,.1f} GB, {size / os.path.getsize(file):,.0f} times its size. "
                f"Expected: at most {RATIO} times. Do not open it. Get the file again from its source."
            )
        if "xl/workbook.xml" not in archive.namelist():
            raise CorpusError(f"{file} is a zip archive, not a workbook. Unpack it, and give the file inside.")
        for member in archive.namelist():
            with archive.open(member) as stream:
                _refuse_far_cells(file, stream)


def _refuse_far_cells(file, stream):
    tail = b""
    while block := stream.read(BLOCK):  # to the end, where zipfile compares size and checksum
        if FAR_CELL.search(tail + block):
            raise CorpusError(
                f"{file}: a sheet with a cell beyond column CZ or row 1,999,999. Expected: a table of texts. "
                "Remove the far cells, or save the sheet as CSV."
            )
        tail = block[-40:]
