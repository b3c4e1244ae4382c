"""Sheets of a workbook (XLSX), opened only when the file is complete and unpacks to a reasonable size."""

import io
import os
import re
import zipfile
import zlib

import python_calamine

from lib.corpus.formats import workbook_limits
from lib.errors import CorpusError

DAMAGE = (zipfile.BadZipFile, zlib.error, python_calamine.CalamineError, OSError, EOFError, RuntimeError)
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
        with zipfile.ZipFile(file) as archive:
            workbook_limits.refuse_declared_size(file, archive)
            _refuse_other_archives(file, archive)
            workbook_limits.refuse_content(file, archive)
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
