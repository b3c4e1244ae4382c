"""Sheets of a workbook (XLSX), opened only when the file is complete and unpacks to a reasonable size."""

import io
import os
import re
import zipfile
import zlib

import python_calamine

from lib.errors import CorpusError

DAMAGE = (zipfile.BadZipFile, zlib.error, python_calamine.CalamineError, OSError, EOFError, RuntimeError)
BLOCK = 2**22  # bytes read at a time
MAX_SIZE = 16 * 2**30  # bytes that a workbook may unpack to
MAX_RATIO = 100  # unpacked to packed size, for workbooks that unpack to more than RATIO_FROM bytes
RATIO_FROM = 2**30
# columns beyond CZ or rows beyond 1,999,999: a reader allocates the whole rectangle, even if it is empty
FAR_CELL = re.compile(rb" r=[\"'](?:(?:[D-Z][A-Z]|[A-Z]{3,})[0-9]|[A-Z]*(?:[2-9][0-9]{6}|[0-9]{8}))")

MAIN_PART = re.compile(r"xl/workbook[0-9]*\.xml")
OTHER_ARCHIVES = {  # a member of the archive, or its declared kind -> what it is
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "opendocument.spreadsheet": "a spreadsheet of LibreOffice (.ods)",
    "opendocument.text": "a text document (.odt)",
    "word/document.xml": "a Word document (.docx)",
    "Index/Document.iwa": "a spreadsheet of Numbers",
}


def open_tables(file, wanted, notes):
    """Yield each sheet that is not empty as (name, header, rows).

    wanted: names of the sheets to read, hidden ones too; without any, all visible sheets are read. Raises CorpusError
    for a file that is damaged, unpacks to far more than its size, or is no workbook.
    """
    try:
        _refuse_zip_bombs(file)
        book = _open_workbook(file)
        sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet]
        _refuse_unknown_sheets(file, wanted, [sheet.name for sheet in sheets])
        for sheet in sheets:
            if wanted and sheet.name not in wanted:
                notes.sheets[sheet.name] = "not listed under sheets, not read"
            elif not wanted and sheet.visible != python_calamine.SheetVisibleEnum.Visible:
                notes.sheets[sheet.name] = "hidden, not read"
            else:
                yield from _open_sheet(book, sheet.name, notes)
    except DAMAGE as error:
        raise CorpusError(
            f"{file} is a damaged or incomplete workbook ({error}). Copy it again from where it came from, "
            "or open it and save it again as .xlsx or as CSV."
        ) from None


def _open_sheet(book, name, notes):
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
        notes.count_row(number, name)
        yield row


def _empty(row):
    return all(isinstance(cell, str) and not cell.strip() for cell in row)


def _refuse_unknown_sheets(file, wanted, names):
    if wanted and not set(wanted) & set(names):
        raise CorpusError(
            f"{file} has no sheet {' or '.join(wanted)}. It has: {', '.join(names)}. Correct `sheets:` in corpus.yaml."
        )


def _refuse_other_archives(file, archive):
    """Refuse a zip archive that is no workbook, and say what it is."""
    names = archive.namelist()
    kind = archive.read("mimetype")[:80].decode(errors="replace") if "mimetype" in names else ""
    for mark, description in OTHER_ARCHIVES.items():
        if mark in names or mark in kind:
            raise CorpusError(f"{file} is {description}. Open it and save the table as .xlsx or as CSV.")
    if not any(MAIN_PART.fullmatch(name) for name in names):
        raise CorpusError(f"{file} is a zip archive, not a workbook. Unpack it, and give the file inside.")


def _open_workbook(file):
    """The workbook. If its main part has another name than the reader expects, a renamed copy is opened."""
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


def _refuse_zip_bombs(file):
    """Refuse an archive that would fill the memory: first by the sizes it declares, then by its real content."""
    with zipfile.ZipFile(file) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > MAX_SIZE or size > max(RATIO_FROM, MAX_RATIO * os.path.getsize(file)):
            raise CorpusError(
                f"{file} would unpack to {size / 2**30:,.1f} GB, {size / os.path.getsize(file):,.0f} times its size. "
                f"Expected: at most {MAX_RATIO} times. Do not open it. Get the file again from its source."
            )
        _refuse_other_archives(file, archive)
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
