"""The kind of a corpus file, recognised by its content and never by its name; text files are checked to be text."""

import codecs
import hashlib
import os
import re

from lib.corpus.formats import csv_table, efcamdat_xml, json_lines, parquet, xlsx
from lib.errors import CorpusError
from lib.experiment.files import file_hash

BLOCK = 2**22  # bytes read at a time
COMMENTS = r"(?:(?><!--.*?-->)\s*)*+"  # without backtracking: many comments would take hours
HTML = re.compile(rf"(<\?xml[^>]*>\s*)?{COMMENTS}<(!doctype\s+)?(html|head|body|table|div)\b", re.I | re.S)
XML = re.compile(r"<(\?xml|!doctype|selection|writings?)\b|<!--", re.I)
JSON = re.compile(r"\{\s*\"|\[\s*\{\s*\"")
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
OTHER_FORMATS = {  # first bytes of a file that cannot be read -> what it is, and what to do
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
}
OTHER_FORMATS |= {
    b"\x80" + bytes([protocol]): "a Python pickle, which can run any program when opened. Save it as Parquet or CSV"
    for protocol in range(2, 6)
}


def open_tables(file, settings, notes):
    """(format, SHA-256, tables) of a file. settings: a `schemas.Corpus`; notes: a `Notes`.

    format: xlsx, parquet, xml, csv or json; tables as `formats` describes. Raises CorpusError.
    """
    head = _head(file)
    if head.startswith(ZIP):
        return "xlsx", file_hash(file, 64), xlsx.open_tables(file, settings.sheets, notes)
    if head.startswith(b"PAR1"):
        return "parquet", file_hash(file, 64), parquet.open_tables(file, notes)
    encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else settings.encoding
    sha256 = _check_encoding(file, encoding)
    text_format = _text_format(file, head.decode(encoding, errors="ignore").lstrip())
    if text_format == "xml":
        return "xml", sha256, efcamdat_xml.open_tables(file, encoding, settings.text_column, notes)
    if text_format == "json":
        return "json", sha256, json_lines.open_tables(file, encoding, notes)
    return "csv", sha256, csv_table.open_tables(file, encoding, notes)


def _head(file):
    """The first bytes of a file. Refuses a missing or empty file, and known other formats."""
    if not os.path.isfile(file):
        problem = "is a folder" if os.path.isdir(file) else "does not exist"
        raise CorpusError(
            f"{file} {problem}. Expected: a corpus file, XLSX, CSV, XML, JSON or Parquet (CORPUS=...); `make demo` "
            "writes the synthetic one to runs/synthetic_corpus.csv."
        )
    with open(file, "rb") as stream:
        head = stream.read(BLOCK)
    if not head.strip():
        raise CorpusError(f"{file} is empty. Expected: a corpus. Copy it again from where it came from.")
    for first_bytes, description in OTHER_FORMATS.items():
        if head.startswith(first_bytes):
            raise CorpusError(f"{file} is {description}.")
    return head


def _check_encoding(file, encoding):
    """SHA-256 of a text file, after checking that all of it is text in that encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    sha256 = hashlib.sha256()
    offset = 0
    line = 1
    with open(file, "rb") as stream:
        while block := stream.read(BLOCK):
            pending = len(decoder.getstate()[0])  # bytes of a character that the last block cut
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                raise CorpusError(_encoding_message(file, encoding, offset - pending + error.start, line)) from None
            if "\0" in text:
                line += text[: text.index("\0")].count("\n")
                raise CorpusError(
                    f"{file}: a NUL byte in line {line}. Expected: text. The file is damaged, no text table, or UTF-16 "
                    "(then set `encoding: utf-16` in corpus.yaml). Export it again from where it came from."
                )
            sha256.update(block)
            offset += len(block)
            line += text.count("\n")
    return sha256.hexdigest()


def _encoding_message(file, encoding, byte, line):
    with open(file, "rb") as stream:
        starts_as_utf16 = stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if starts_as_utf16:
        other, hint = "utf-16", "It begins like UTF-16"
    elif "utf" in encoding:
        other, hint = "cp1252", "Files saved on Windows often are cp1252"
    else:
        other, hint = "utf-8", "It may be UTF-8"
    return (
        f"{file}: byte {byte:,} (line {line:,}) is not {encoding.upper().removesuffix('-SIG')}. {hint}: "
        f"set `encoding: {other}` in corpus.yaml, or save the file as UTF-8 and try again."
    )


def _text_format(file, head):
    """xml, json or csv. head: the first characters after any spaces."""
    if HTML.match(head):
        raise CorpusError(
            f"{file} is a web page (HTML), maybe one that asks you to log in. Expected: XLSX, CSV, XML, JSON or "
            "Parquet. Download the corpus again, or save the table from the page as CSV."
        )
    if os.fspath(file).lower().endswith((".xlsx", ".xlsm", ".xls")):
        raise CorpusError(f"{file} is text, not a workbook. Rename it to .csv (or .xml), or save it again as .xlsx.")
    if JSON.match(head):
        return "json"
    return "xml" if XML.match(head) else "csv"
