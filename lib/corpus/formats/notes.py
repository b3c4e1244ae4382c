"""What is met in a file beside its rows of texts, and where its user finds a row again."""

import bisect
from collections import Counter
from dataclasses import dataclass, field

FIRST_ROW = [0, None, 2]  # the first row read is row 2 of the file, below one header


@dataclass
class Notes:
    """unreadable: {reason: writings left out}. sheets: {name: what was done with it}. empty_rows: number skipped.
    starts: [row among those read, sheet or None, row in the file], wherever rows in the file are not consecutive.
    row_name: what the file's rows are called, such as line or writing."""

    unreadable: Counter = field(default_factory=Counter)
    sheets: dict = field(default_factory=dict)
    empty_rows: int = 0
    n_read: int = 0
    starts: list = field(default_factory=list)
    row_name: str = "row"

    def count_row(self, row, sheet=None):
        """One more row was read: `row` of the file, as its user counts, from 1."""
        start = self.starts[-1] if self.starts else FIRST_ROW
        if sheet != start[1] or row - start[2] != self.n_read - start[0]:
            self.starts.append([self.n_read, sheet, row])
        self.n_read += 1


def locate_row(source, n):
    """File, sheet and row of the n-th row read, as words. source: a dict of file, starts, row_name."""
    starts = source.get("starts") or [FIRST_ROW]
    first, sheet, row = starts[max(0, bisect.bisect_right(starts, n, key=lambda start: start[0]) - 1)]
    in_sheet = f"sheet {sheet}, " if sheet else ""
    return f"{source['file']}, {in_sheet}{source.get('row_name', 'row')} {row + n - first:,}"


def locate_rows(sources, numbers):
    """File, sheet and row of rows of the joined table, as a list of words.

    sources: as `reading.read_corpus` returns them. A row of none of them gets its number below one header.
    """
    return [_locate_in_table(sources or [], n) for n in numbers]


def _locate_in_table(sources, n):
    for source in sources:
        if source.get("lends"):
            continue
        if n < source["rows"]:
            return locate_row(source, n)
        n -= source["rows"]
    return f"row {n + 2}"
