"""Sheets of a workbook (XLSX), once it is known to be whole and not to be a trap."""

import io
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

MAIN_PART = re.compile(r"xl/workbook[0-9]*\.xml")
OTHERS = {  # a member of the archive, or its declared kind -> what it is
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "opendocument.spreadsheet": "a spreadsheet of LibreOffice (.ods)",
    "opendocument.text": "a text document (.odt)",
    "word/document.xml": "a Word document (.docx)",
    "Index/Document.iwa": "a spreadsheet of Numbers",
}


def parts(file, wanted, notes):
    """Each sheet with something in it as (name, header, rows). wanted: names of the sheets to read, hidden ones too;
    without any, all that can be seen. Raises CorpusError for a file that is damaged, a trap or no workbook.
    """
    try:
        _refuse_bombs(file)
        book = _opened(file)
        sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet]
        _refuse_unknown(file, wanted, [sheet.name for sheet in sheets])
        for sheet in sheets:
            if wanted and sheet.name not in wanted:
                notes.sheets[sheet.name] = "not asked for"
            elif not wanted and sheet.visible != python_calamine.SheetVisibleEnum.Visible:
                notes.sheets[sheet.name] = "hidden, not read"
            else:
                yield from _part(book, sheet.name, notes)
    except DAMAGE as error:
        raise CorpusError(
            f"{file} is a damaged or incomplete workbook ({error}). Copy it again from where it came from, "
            "or open it and save it again as .xlsx or as CSV."
        ) from None


def _part(book, name, notes):
    cells = book.get_sheet_by_name(name)
    numbered = enumerate(cells.iter_rows(), 1)
    number, header = next(((n, row) for n, row in numbered if not _empty(row)), (0, None))
    if header is None:
        notes.sheets[name] = "empty"
    else:
        yield name, header, _rows(numbered, name, notes)


def _rows(numbered, name, notes):
    for number, row in numbered:
        if _empty(row):
            notes.empty_rows += 1
            continue
        notes.read(number, name)
        yield row


def _empty(row):
    return not any(cell != "" and (not isinstance(cell, str) or cell.strip()) for cell in row)


def _refuse_unknown(file, wanted, names):
    if wanted and not set(wanted) & set(names):
        raise CorpusError(
            f"{file} has no sheet {' or '.join(wanted)}. It has: {', '.join(names)}. Correct `sheets:` in corpus.yaml."
        )


def _refuse_others(file, archive):
    """Refuse a zip archive that is no workbook, by its right name."""
    names = archive.namelist()
    kind = archive.read("mimetype")[:80].decode(errors="replace") if "mimetype" in names else ""
    for sign, what in OTHERS.items():
        if sign in names or sign in kind:
            raise CorpusError(f"{file} is {what}. Open it and save the table as .xlsx or as CSV.")
    if not any(MAIN_PART.fullmatch(name) for name in names):
        raise CorpusError(f"{file} is a zip archive, not a workbook. Unpack it, and give the file inside.")


def _opened(file):
    """The workbook; one whose main part has another name than the reader looks for is handed over with that name."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if "xl/workbook.xml" in names:
            return python_calamine.load_workbook(os.fspath(file))
        main = next(name for name in names if MAIN_PART.fullmatch(name)).removeprefix("xl/")
        copy = io.BytesIO()
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as renamed:
            for name in names:
                content = archive.read(name)
                if name in ("[Content_Types].xml", "_rels/.rels"):
                    content = content.replace(main.encode(), b"workbook.xml")
                renamed.writestr(name.replace(main, "workbook.xml"), content)
    copy.seek(0)
    return python_calamine.load_workbook(copy)


def _refuse_bombs(file):
    """Refuse an archive that would fill the memory, first by the sizes it declares, then by what is really in it."""
    with zipfile.ZipFile(file) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST or size > max(SUSPECT, RATIO * os.path.getsize(file)):
            raise CorpusError(
                f"{file} would unpack to {size / 2**30:,.1f} GB, {size / os.path.getsize(file):,.0f} times its size. "
                f"Expected: at most {RATIO} times. Do not open it. Get the file again from its source."
            )
        _refuse_others(file, archive)
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
