"""Workbooks that would fill the memory are refused before a reader opens them: first by the sizes that the archive
declares, then by its content.

A reader allocates the whole rectangle of a sheet, even if it is empty, and a copy of a shared string for each cell.
"""

import re

import numpy as np

from lib.corpus.formats import expansion
from lib.errors import CorpusError

BLOCK = 2**22  # bytes read at a time
MAX_SIZE = 16 * 2**30  # bytes that a workbook may unpack to
OVERLAP = 40  # bytes of a block that are read again with the next, for a cell that lies in both
FAR_CELL = re.compile(rb" r=[\"'](?:(?:[D-Z][A-Z]|[A-Z]{3,})[0-9]|[A-Z]*(?:[2-9][0-9]{6}|[0-9]{8}))")
LOW_CELL = re.compile(rb" r=[\"'][A-Z]*[1-9][0-9]{5}")  # in row 100,000 or below it
WIDE_CELL = re.compile(rb" r=[\"'][A-Z]{2}[0-9]")  # beyond column Z
LEAST_CELLS = 1_000_000  # of a sheet with both: an empty rectangle of this size takes up to 5 GB
STRING_END = re.compile(rb"</(?:\w+:)?si>|<(?:\w+:)?si\s*/>")
STRING_CELL = re.compile(rb"\bt=[\"']s[\"'][^<>]*>\s*<(?:\w+:)?v>\s*([0-9]{1,9})\s*<")
CELL = re.compile(rb"<(?:\w+:)?c[ >]")


def refuse_declared_size(file, archive):
    """Raise CorpusError if the archive says that it unpacks to more than MAX_SIZE or to far more than its own size."""
    size = sum(member.file_size for member in archive.infolist())
    expansion.refuse(file, size)
    if size > MAX_SIZE:
        raise CorpusError(
            f"{file} would unpack to {size / 2**30:,.1f} GB. Expected: at most {MAX_SIZE / 2**30:.0f} GB. "
            "Save its sheets as CSV."
        )


def refuse_content(file, archive):
    """Raise CorpusError for a cell far from all others, and for texts that many cells repeat.

    Every member is read to its end, where zipfile compares size and checksum.
    """
    lengths = np.zeros(0, int)
    for name in archive.namelist():
        if name.lower().endswith("sharedstrings.xml"):
            lengths = _string_lengths(archive, name)
    size = 0
    for name in archive.namelist():
        with archive.open(name) as stream:
            size += _sheet_size(file, stream, lengths)
        expansion.refuse(file, size)


def _string_lengths(archive, name):
    """Bytes of each shared string, an int array."""
    lengths = []
    rest = b""
    with archive.open(name) as stream:
        while block := stream.read(BLOCK):
            *ended, rest = STRING_END.split(rest + block)
            lengths += map(len, ended)
    return np.array(lengths, int)


def _sheet_size(file, stream, lengths):
    """Bytes of the shared strings of a sheet, one for each cell; refuses a cell that is far from all others."""
    n_cells = size = 0
    is_low = is_wide = False
    rest = b""
    while block := stream.read(BLOCK):
        block = rest + block
        if FAR_CELL.search(block):
            raise CorpusError(
                f"{file}: a sheet with a cell beyond column CZ or row 1,999,999. Expected: a table of texts. "
                "Remove the far cells, or save the sheet as CSV."
            )
        is_low = is_low or bool(LOW_CELL.search(block))
        is_wide = is_wide or bool(WIDE_CELL.search(block))
        cells, rest = _cut_before_last_cell(block)
        n_cells += len(CELL.findall(cells))
        size += _string_bytes(cells, lengths)
    n_cells += len(CELL.findall(rest))
    size += _string_bytes(rest, lengths)
    if is_low and is_wide and n_cells < LEAST_CELLS:
        raise CorpusError(
            f"{file}: a sheet of {n_cells:,} cells reaches beyond column Z and row 100,000. Expected: a table of "
            "texts. Remove the far cells, or save the sheet as CSV."
        )
    return size


def _string_bytes(cells, lengths):
    """Bytes of the shared strings to which these cells refer."""
    numbers = np.array(STRING_CELL.findall(cells), int)
    return int(lengths[numbers[numbers < len(lengths)]].sum())


def _cut_before_last_cell(block):
    """(whole cells, the rest), so that no cell is counted twice or lost between two blocks."""
    at = max(block.rfind(b"<c "), block.rfind(b":c "))
    if at <= 0:
        at = max(0, len(block) - OVERLAP)
    return block[:at], block[at:]
