"""Corpus files in, one table of text out. A file's shape is recognised by what is in it, never by its name.

Shapes: EFCAMDAT's release 2 as XML (Geertzen, Alexopoulou & Korhonen 2013), workbooks and CSV. Cells stay text: "NA",
"None", "TRUE" and "=1+1" are what a learner wrote. Each shape is a generator of rows, the header first.
"""

import codecs
import hashlib
import itertools
import math
import operator
import os
import re
from pathlib import Path

import pandas as pd

from lib.corpus import learners
from lib.corpus.column_mapping import COLUMNS, OPTIONAL, join_tables, map_columns, named
from lib.corpus.damage import fold_spellings
from lib.corpus.formats import csv_table, efcamdat_xml, json_lines, parquet, xlsx
from lib.corpus.formats.notes import Notes
from lib.corpus.levels import plain_number, refuse_numbers, shown
from lib.errors import CorpusError
from lib.experiment.files import file_hash

BLOCK = 2**22  # bytes or characters read at a time
CHUNK = 50_000  # rows that are Python objects at a time
EXACT = 2**53  # from here on a number cell holds only some of the whole numbers
HTML = re.compile(r"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+)?(html|head|body|table|div)\b", re.I | re.S)
XML = re.compile(r"<(\?xml|!doctype|selection|writings?)\b|<!--", re.I)
JSON = re.compile(r"\{\s*\"|\[\s*\{\s*\"")
UNREADABLE = 0.01  # share of a file's writings that may be too damaged to read
FOREIGN = {  # first bytes or characters of what people give instead -> what it is, and the way on
    b"\xd0\xcf\x11\xe0": "an old (.xls) or password-protected workbook. Save it as .xlsx without a password",
    b"\x1f\x8b": "a gzip archive. Unpack it first",
    b"BZh": "a bzip2 archive. Unpack it first",
    b"\xfd7zXZ": "an xz archive. Unpack it first",
    b"\x28\xb5\x2f\xfd": "a zstd archive. Unpack it first",
    b"7z\xbc\xaf": "a 7z archive. Unpack it first",
    b"Rar!": "a RAR archive. Unpack it first",
    b"%PDF": "a PDF. Export the table as CSV or XLSX",
    b"{\\rtf": "a text document (RTF). Save its table as CSV or XLSX",
    b"ARROW1": "a Feather or Arrow file. Save the data frame as Parquet or CSV, as with pandas' to_parquet",
    b"FEA1": "a Feather file. Save the data frame as Parquet or CSV, as with pandas' to_parquet",
    b"\x89HDF": "an HDF5 file. Save the data frame as Parquet or CSV",
    b"SQLite format 3": "an SQLite database. Export the table as CSV",
    b"$FL": "an SPSS file (.sav). Save it as CSV or XLSX",
    b"<stata_dta>": "a Stata file. Save it as CSV",
    b"RDX": "a file of R (.RData). Save the data frame with write.csv",
} | {
    b"\x80" + bytes([protocol]): "a Python pickle, which can run any program when opened. Save it as Parquet or CSV"
    for protocol in range(2, 6)
}


def read_corpus(files, settings):
    """Read a corpus of one or several files. files: a path or a list of paths; settings: a `params.Corpus`.

    Returns (table, sources). table: text_id, learner_id, level, l1, topic_id, text, all str, "" where a file has no
    such column or says that it does not know; how several files go together is said at `corpus.join`. sources: for each
    file a dict of file (its name without the folder), sha256, shape, rows, columns (name here: name in the file),
    sheets ({name: what became of it}), empty_rows (skipped), learners_unknown (rows), unreadable ({reason: writings
    left out}), ids_not_found and lends (see `column_mapping.join`), starts (see `notes.Notes`). Raises CorpusError.
    """
    files = [files] if isinstance(files, str | os.PathLike) else list(files)
    if not files:
        raise CorpusError("No corpus file was named. Expected: CORPUS=file, or CORPUS='one.xlsx two.xlsx'.")
    tables, sources = zip(*(_read_one(file, settings) for file in files))
    table = join_tables(tables, sources, settings.levels)
    return table.assign(l1=fold_spellings(table["l1"])), list(sources)


def remarks(source):
    """What is to be told of a file beside its rows: pairs of (what, words). source: as `read` returns it."""
    told = {
        "too damaged to read": source["unreadable"],
        "sheets": source["sheets"],
        "empty rows skipped": source["empty_rows"],
        "texts without a learner": source["learners_unknown"],
    }
    found = [(what, words) for what, words in told.items() if words or what == "too damaged to read"]
    found = [(what, f"{words:,}" if isinstance(words, int) else words or "none") for what, words in found]
    if source["lends"]:
        found.append(("rows that only lend learners, prompts and first languages", f"all {source['rows']:,}"))
    if source["ids_not_found"] is not None:
        found.append(("ids without a learner", f"{source['ids_not_found']:,}"))
    return found


def _read_one(file, settings):
    notes = Notes()
    shape, sha256, parts = _opened(file, settings, notes)
    table, columns = _tables(file, parts, settings, notes)
    _refuse_too_few(file, len(table), notes)
    source = {"file": Path(file).name, "sha256": sha256, "shape": shape, "rows": len(table), "columns": columns}
    refuse_numbers(table, source, settings)
    for name in ["text_id", "learner_id"]:
        learners.refuse_rounded(table[name], shown(columns.get(name, name)), file)
    source |= {"sheets": notes.sheets, "empty_rows": notes.empty_rows, "unreadable": dict(notes.unreadable)}
    source |= {"learners_unknown": int((table["learner_id"] == "").sum()), "starts": notes.starts}
    return table, source | {"ids_not_found": None, "lends": False}


def _opened(file, settings, notes):
    """(shape, SHA-256, parts) of a file."""
    head = _head(file)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "xlsx", file_hash(file, 64), xlsx.parts(file, settings.sheets, notes)
    if head[:4] == b"PAR1":
        return "parquet", file_hash(file, 64), parquet.parts(file, notes)
    encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else settings.encoding
    sha256 = _checked_text(file, encoding)
    shape = _text_shape(file, head.decode(encoding, errors="ignore").lstrip())
    if shape == "xml":
        return shape, sha256, efcamdat_xml.parts(file, encoding, settings.text_column, notes)
    return shape, sha256, {"csv": csv_table, "json": json_lines}[shape].parts(file, encoding, notes)


def _tables(file, parts, settings, notes):
    """(the rows of all sheets as one frame, {name here: name in the file})"""
    frames, columns, fault = [], {}, None
    for sheet, header, rows in parts:
        try:
            places = map_columns(header, settings, f"{file}, sheet {sheet}" if sheet else file)
        except CorpusError as error:
            if sheet is None:
                raise
            if named(header, settings) > 1:
                raise CorpusError(f"{error} Or name the sheets to read under `sheets:`.") from None
            notes.sheets[sheet] = f"no texts: skipped, with {sum(1 for _ in rows):,} rows"
            fault = fault or error
            continue
        frames.append(_table(rows, places))
        columns = {ours: str(header[n]).strip() for ours, n in places.items()} | columns
        if sheet:
            notes.sheets[sheet] = f"read: {len(frames[-1]):,} rows"
    if not frames:
        told = "; ".join(f"{sheet}: {what}" for sheet, what in notes.sheets.items())
        raise fault or CorpusError(f"{file} has no sheet to read ({told}). Expected: one row a text, or `sheets:`.")
    return pd.concat(frames, ignore_index=True), columns


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
    """xml, json or csv; head: the first characters that are no space."""
    if HTML.match(head):
        raise CorpusError(
            f"{file} is a web page (HTML), maybe one that asks you to log in. Expected: release 2 XML, XLSX or CSV. "
            "Download the corpus again, or save the table from the page as CSV."
        )
    if os.fspath(file).lower().endswith((".xlsx", ".xlsm", ".xls")):
        raise CorpusError(f"{file} is text, not a workbook. Rename it to .csv (or .xml), or save it again as .xlsx.")
    if JSON.match(head):
        return "json"
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
    for name in OPTIONAL:
        if name in table:
            table[name] = learners.stated(table[name])
    return table.assign(**{name: "" for name in OPTIONAL if name not in places})[list(COLUMNS)].astype("str")


def _shown(cell):
    """A cell of a workbook as the sheet shows it, as nearly as can be."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        if EXACT <= abs(cell) < math.inf:
            return f"{cell:.14E}"
        return str(int(cell)) if cell.is_integer() else f"{cell:.15g}"
    return str(cell)


def _refuse_too_few(file, n_rows, notes):
    unreadable = notes.unreadable
    lost = sum(unreadable.values())
    if not n_rows and not lost:
        raise CorpusError(f"{file} holds no texts, only a header. Expected: one row a text. Export it again.")
    if lost > UNREADABLE * (n_rows + lost):
        reasons = "; ".join(f"{reason}: {n:,}" for reason, n in unreadable.items())
        raise CorpusError(
            f"{file}: {lost:,} of {n_rows + lost:,} writings cannot be read ({reasons}). Expected: at most "
            f"{UNREADABLE:.0%}. Copy the file again from where it came from."
        )
