"""Corpus files in, one table of text out. A file's shape is recognised by what is in it, never by its name.

Shapes: EFCAMDAT's release 2 as XML (Geertzen, Alexopoulou & Korhonen 2013), workbooks and CSV. Cells stay text: "NA",
"None", "TRUE" and "=1+1" are what a learner wrote. Each shape is a generator of rows, the header first.
"""

import codecs
import csv
import hashlib
import itertools
import operator
import os
import re
from collections import Counter
from pathlib import Path

import pandas as pd

from lib.corpus import efcamdat_xml, xlsx
from lib.corpus.cleaning import plain_number
from lib.corpus.column_mapping import COLUMNS, OPTIONAL, join, place
from lib.errors import CorpusError
from lib.experiment.files import digest

BLOCK = 2**22  # bytes or characters read at a time
CHUNK = 50_000  # rows that are Python objects at a time
LONGEST_CELL = 10_000_000  # characters; a longer one is a quote that was never closed
HTML = re.compile(r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+)?(html|head|body|table|div)\b", re.I | re.S)
XML = re.compile(r"<(\?xml|!doctype|selection|writings?)\b|<!--", re.I)
UNREADABLE = 0.01  # share of a file's writings that may be too damaged to read
FOREIGN = {  # first bytes or characters of what people give instead -> what it is, and the way on
    b"\xd0\xcf\x11\xe0": "an old (.xls) or password-protected workbook. Save it as .xlsx without a password",
    b"\x1f\x8b": "a gzip archive. Unpack it first",
    b"%PDF": "a PDF. Export the table as CSV or XLSX",
}


def read(files, settings):
    """Read a corpus of one or several files. files: a path or a list of paths; settings: a `params.Corpus`.

    Returns (table, sources). table: text_id, learner_id, level, l1, topic_id, text, all str, "" where a file has no
    such column; how several files go together is said at `corpus.join`. sources: for each file a dict of file (its name
    without the folder), sha256, shape (xml, xlsx or csv), rows, columns (name here: name in the file), unreadable
    ({reason: writings left out}), ids_not_found (in the files that a file without learners was joined with; else None).
    Raises CorpusError.
    """
    files = [files] if isinstance(files, str | os.PathLike) else list(files)
    if not files:
        raise CorpusError("No corpus file was named. Expected: CORPUS=file, or CORPUS='one.xlsx two.xlsx'.")
    tables, sources = zip(*(_read_one(file, settings) for file in files))
    return join(tables, sources, settings.levels), list(sources)


def _read_one(file, settings):
    head = _head(file)
    unreadable = Counter()
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        shape, sha256, rows = "xlsx", digest(file, 64), xlsx.rows(file)
    else:
        encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else settings.encoding
        sha256 = _checked_text(file, encoding)
        shape = _text_shape(file, head.decode(encoding, errors="ignore").lstrip())
        xml = shape == "xml"
        rows = efcamdat_xml.rows(file, encoding, settings.text_column, unreadable) if xml else _csv(file, encoding)
    header = next(rows, [])
    places = place([str(name) for name in header], settings, file)
    table = _table(rows, places)
    _refuse_too_few(file, len(table), unreadable)
    columns = {ours: str(header[n]).strip() for ours, n in places.items()}
    source = {"file": Path(file).name, "sha256": sha256, "shape": shape, "rows": len(table), "columns": columns}
    return table, source | {"unreadable": dict(unreadable), "ids_not_found": None}


def _head(file):
    """The first bytes; refuses what is no file, is empty or is known to be something else."""
    if not os.path.isfile(file):
        raise CorpusError(
            f"{file} {'is a folder' if os.path.isdir(file) else 'does not exist'}. Expected: a corpus file, release 2 "
            "XML, XLSX or CSV (CORPUS=...); `make demo` writes the embedded one to runs/synthetic_corpus.csv."
        )
    with open(file, "rb") as stream:
        head = stream.read(BLOCK)
    if not head.strip():
        raise CorpusError(f"{file} is empty. Expected: a corpus. Copy it again from where it came from.")
    for signature, what in FOREIGN.items():
        if head.startswith(signature):
            raise CorpusError(f"{file} is {what}.")
    return head


def _checked_text(file, encoding):
    """SHA-256 of a text file, once all of it is known to be text in that encoding."""
    decoder, sha256, offset, line = codecs.getincrementaldecoder(encoding)(), hashlib.sha256(), 0, 1
    with open(file, "rb") as stream:
        while block := stream.read(BLOCK):
            waiting = len(decoder.getstate()[0])  # bytes of a character that the last block cut
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                raise CorpusError(_encoding_fault(file, encoding, offset - waiting + error.start, line)) from None
            if "\0" in text:
                line += text[: text.index("\0")].count("\n")
                raise CorpusError(
                    f"{file}: a NUL byte in line {line}. Expected: text. The file is damaged, no text table, or UTF-16 "
                    "(then set `encoding: utf-16` in corpus.yaml). Export it again from where it came from."
                )
            sha256.update(block)
            offset, line = offset + len(block), line + text.count("\n")
    return sha256.hexdigest()


def _encoding_fault(file, encoding, byte, line):
    with open(file, "rb") as stream:
        wide = stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    maybe = "utf-16" if wide else "utf-8" if "utf" not in encoding else "cp1252"
    hint = {"utf-16": "It begins like UTF-16", "cp1252": "Files saved on Windows often are cp1252"}
    hint = hint.get(maybe, "It may be UTF-8")
    return (
        f"{file}: byte {byte:,} (line {line:,}) is not {encoding.upper().removesuffix('-SIG')}. {hint}: "
        f"set `encoding: {maybe}` in corpus.yaml, or save the file as UTF-8 and try again."
    )


def _text_shape(file, head):
    """xml or csv; head: the first characters that are no space."""
    if HTML.match(head):
        raise CorpusError(
            f"{file} is a web page (HTML), maybe one that asks you to log in. Expected: release 2 XML, XLSX or CSV. "
            "Download the corpus again, or save the table from the page as CSV."
        )
    if os.fspath(file).lower().endswith((".xlsx", ".xlsm", ".xls")):
        raise CorpusError(f"{file} is text, not a workbook. Rename it to .csv (or .xml), or save it again as .xlsx.")
    return "xml" if XML.match(head) else "csv"


def _table(rows, places):
    """Rows (sequences of cells) as a frame with all of COLUMNS, str. places: name here -> number of the cell."""
    pick = operator.itemgetter(*places.values())
    frames = [pd.DataFrame(columns=list(places), dtype="str")]
    while chunk := [list(map(_shown, pick(row))) for row in itertools.islice(rows, CHUNK)]:
        frames.append(pd.DataFrame(chunk, columns=list(places), dtype="str"))
    table = pd.concat(frames, ignore_index=True)
    for name in ["text_id", "learner_id", "level", "topic_id"]:
        if name in table:
            table[name] = table[name].str.strip().map(plain_number)
    return table.assign(**{name: "" for name in OPTIONAL if name not in places})[list(COLUMNS)].astype("str")


def _shown(cell):
    """A cell of a workbook as the sheet shows it, as nearly as can be."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{cell:.15g}"
    return str(cell)


def _refuse_too_few(file, n_rows, unreadable):
    lost = sum(unreadable.values())
    if not n_rows and not lost:
        raise CorpusError(f"{file} holds no texts, only a header. Expected: one row a text. Export it again.")
    if lost > UNREADABLE * (n_rows + lost):
        reasons = "; ".join(f"{reason}: {n:,}" for reason, n in unreadable.items())
        raise CorpusError(
            f"{file}: {lost:,} of {n_rows + lost:,} writings cannot be read ({reasons}). Expected: at most "
            f"{UNREADABLE:.0%}. Copy the file again from where it came from."
        )


def _csv(file, encoding):
    """Rows of a CSV, parted by comma, semicolon or tab as the header is; each row must be as long as that."""
    csv.field_size_limit(LONGEST_CELL)
    with open(file, encoding=encoding, newline="") as stream:
        first = stream.readline()
        separator = max(",;\t", key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))
        rows = csv.reader(itertools.chain([first], stream), delimiter=separator, strict=True)
        number, line, width = 1, 1, None
        try:
            for cells in rows:
                width = width or len(cells)
                if cells and len(cells) != width:
                    raise CorpusError(
                        f"{file}: row {number:,} (line {line:,}) has {len(cells)} cells. Expected: {width}, as in the "
                        "header. Put quotes around a text that holds a separator or line break; or the file is cut."
                    )
                if cells:
                    yield cells
                number, line = number + 1, rows.line_num + 1
        except csv.Error as error:
            raise CorpusError(_csv_fault(file, number, line, str(error))) from None


def _csv_fault(file, number, line, error):
    where = f"{file}: row {number:,}, which begins in line {line:,},"
    if "unexpected end" in error or "field larger" in error:
        return f"{where} opens a quote that is never closed. The file is cut, or a quote is missing. Copy it again."
    return f'{where} is not readable as CSV ({error}). Expected: a quote within a quoted text, written twice ("").'
