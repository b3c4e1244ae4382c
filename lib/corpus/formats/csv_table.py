"""Rows of a CSV or TSV, separated by comma, semicolon or tab as its header is, or as a first line `sep=;` says."""

import csv
import itertools
import re

from lib.errors import CorpusError

LONGEST_CELL = 10_000_000  # characters; a longer cell is a quote that was never closed
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\s,;]*', re.IGNORECASE)  # how spreadsheets declare the separator
SEPARATORS = ",;\t"
LETTERS, DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+")


def open_tables(file, encoding, notes):
    """The one table of a CSV. Raises CorpusError, while it is read, for a row that is not as long as the header."""
    rows = _rows(file, encoding, notes)
    return [(None, next(rows, []), rows)]


def _rows(file, encoding, notes):
    """Yield the header, then each row that is not empty."""
    csv.field_size_limit(LONGEST_CELL)
    with open(file, encoding=encoding, newline="") as stream:
        first, skipped, separator = _header_line(stream)
        rows = csv.reader(itertools.chain([first], stream), delimiter=separator, strict=True)
        number = line = skipped + 1  # of the row, and of the line in which it begins
        width = None
        try:
            for cells in rows:
                last_line = skipped + rows.line_num
                if not any(map(str.strip, cells)):
                    notes.empty_rows += 1
                elif width is None:
                    width = len(cells)
                    yield cells
                else:
                    if len(cells) != width:
                        raise CorpusError(_width_message(file, number, line, len(cells), width))
                    if last_line > line:
                        _refuse_swallowed(file, number, line, cells, separator)
                    notes.count_row(number)
                    yield cells
                number += 1
                line = last_line + 1
        except csv.Error as error:
            raise CorpusError(_format_message(file, number, line, str(error))) from None


def _header_line(stream):
    """(header line, number of lines before it, separator)"""
    line = stream.readline()
    declared = SEPARATOR_LINE.fullmatch(line)
    skipped = 0
    while line and (SEPARATOR_LINE.fullmatch(line) or not line.strip()):
        line = stream.readline()
        skipped += 1
    if declared:
        return line, skipped, declared[1]
    return line, skipped, max(SEPARATORS, key=lambda separator: _n_cells(line, separator))


def _n_cells(line, separator):
    return len(next(csv.reader([line], delimiter=separator), []))


def _refuse_swallowed(file, number, line, cells, separator):
    """A quote that opens by mistake ends rows later, at the next quote. Then lines in its cell look like rows."""
    longest = max(range(len(cells)), key=lambda column: cells[column].count("\n") + cells[column].count("\r"))
    for after, inner in enumerate(cells[longest].splitlines()[1:], 1):
        pieces = inner.split(separator)
        whole_row = len(pieces) >= len(cells) and _similar(pieces, cells, longest, len(cells))
        row_start = len(pieces) > longest >= 2 and _similar(pieces, cells, longest, longest)
        if whole_row or row_start:
            raise CorpusError(
                f"{file}: row {number:,}, which begins in line {line:,}, has a cell of {len(cells[longest]):,} "
                f"characters with other rows in it, the first in line {line + after:,} (id {pieces[0][:20]}). "
                "Expected: one text a cell. The text's closing quote is missing: add it. Or a quote opens the text "
                "without being part of the format: write it twice and put quotes around that text, or remove it. "
                "Or export the table as XLSX."
            )


def _similar(pieces, cells, longest, width):
    """Do the first cells of two rows have the same shapes, leaving out empty cells and the longest column?"""
    pairs = [(a, b) for n, (a, b) in enumerate(zip(pieces[:width], cells)) if n != longest and a and b]
    if len(pairs) < 2 or abs(len(pairs[0][0]) - len(pairs[0][1])) > 1:
        return False
    shapes = [(_shape(a), _shape(b)) for a, b in pairs]
    return all(a == b for a, b in shapes) and any("9" in a for a, _ in shapes)


def _shape(cell):
    """Every word as a, every number as 9: A1-27 becomes a9-9."""
    return DIGITS.sub("9", LETTERS.sub("a", cell))


def _width_message(file, number, line, found, width):
    return (
        f"{file}: row {number:,} (line {line:,}) has {found} cells. Expected: {width}, as in the header. "
        "Put quotes around a text that holds a separator or line break; or the file is cut."
    )


def _format_message(file, number, line, error):
    where = f"{file}: row {number:,}, which begins in line {line:,},"
    if "unexpected end" in error or "field larger" in error:
        return f"{where} opens a quote that is never closed. The file is cut, or a quote is missing. Copy it again."
    return (
        f"{where} is not readable as CSV ({error}). Expected: every quote that opens a text is closed at its end, and "
        'a quote within a quoted text is written twice (""). Look for the first of these faults from that line on.'
    )
