"""Rows of a CSV or TSV: parted by comma, semicolon or tab as its header is, or as a first line `sep=;` says."""

import csv
import itertools
import re

from lib.errors import CorpusError

LONGEST_CELL = 10_000_000  # characters; a longer one is a quote that was never closed
TOLD = re.compile(r'"?sep=(.)"?[\s,;]*', re.IGNORECASE)  # how spreadsheets tell the separator
LETTERS, DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+")


def parts(file, encoding, notes):
    """The one table of a CSV. Raises CorpusError, on the way, for a row that is not as long as the header."""
    rows = _rows(file, encoding, notes)
    return [(None, next(rows, []), rows)]


def _rows(file, encoding, notes):
    csv.field_size_limit(LONGEST_CELL)
    with open(file, encoding=encoding, newline="") as stream:
        first, before, separator = _first_line(stream)
        rows = csv.reader(itertools.chain([first], stream), delimiter=separator, strict=True)
        number, line, headed, width = before + 1, before + 1, False, None
        try:
            for cells in rows:
                last = before + rows.line_num
                if not any(map(str.strip, cells)):
                    notes.empty_rows += 1
                else:
                    width = width or len(cells)
                    if len(cells) != width:
                        raise CorpusError(_width_fault(file, number, line, len(cells), width))
                    if last > line:
                        _refuse_swallowed(file, number, line, cells, separator)
                    notes.read(number) if headed else None
                    headed = True
                    yield cells
                number, line = number + 1, last + 1
        except csv.Error as error:
            raise CorpusError(_fault(file, number, line, str(error))) from None


def _first_line(stream):
    """(header line, lines before it, separator)"""
    first, before = stream.readline(), 0
    told = TOLD.fullmatch(first)
    while first and (TOLD.fullmatch(first) or not first.strip()):
        first, before = stream.readline(), before + 1
    if told:
        return first, before, told[1]
    return first, before, max(",;\t", key=lambda sign: len(next(csv.reader([first], delimiter=sign), [])))


def _refuse_swallowed(file, number, line, cells, separator):
    """A quote that opens by mistake ends rows later, at the next one: then lines in its cell look like rows."""
    place = max(range(len(cells)), key=lambda n: cells[n].count("\n") + cells[n].count("\r"))
    for after, inner in enumerate(cells[place].splitlines()[1:], 1):
        pieces = inner.split(separator)
        whole = len(pieces) >= len(cells) and _alike(pieces, cells, place, len(cells))
        if whole or (len(pieces) > place >= 2 and _alike(pieces, cells, place, place)):
            raise CorpusError(
                f"{file}: row {number:,}, which begins in line {line:,}, has a cell of {len(cells[place]):,} "
                f"characters with other rows in it, the first in line {line + after:,} (id {pieces[0][:20]}). "
                "Expected: one text a cell. A quote opens a text without being part of the format. Write it "
                "twice and put quotes around that text, or remove it; or export the table as XLSX."
            )


def _alike(pieces, cells, place, width):
    """Do the first cells of both, but that at place, look alike, so far as neither is empty?"""
    pairs = [(a, b) for n, (a, b) in enumerate(zip(pieces[:width], cells)) if n != place and a and b]
    shapes = [(_shape(a), _shape(b)) for a, b in pairs]
    same_length = not pairs or abs(len(pairs[0][0]) - len(pairs[0][1])) <= 1
    return len(pairs) >= 2 and same_length and all(a == b for a, b in shapes) and any("9" in a for a, _ in shapes)


def _shape(cell):
    return DIGITS.sub("9", LETTERS.sub("a", cell))


def _width_fault(file, number, line, found, width):
    return (
        f"{file}: row {number:,} (line {line:,}) has {found} cells. Expected: {width}, as in the header. "
        "Put quotes around a text that holds a separator or line break; or the file is cut."
    )


def _fault(file, number, line, error):
    where = f"{file}: row {number:,}, which begins in line {line:,},"
    if "unexpected end" in error or "field larger" in error:
        return f"{where} opens a quote that is never closed. The file is cut, or a quote is missing. Copy it again."
    return f'{where} is not readable as CSV ({error}). Expected: a quote within a quoted text, written twice ("").'
