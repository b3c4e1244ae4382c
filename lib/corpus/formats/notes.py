"""What is met in a file beside its rows of texts, and where its user finds a row again."""

import bisect
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Notes:
    """unreadable: {reason: writings left out}. sheets: {name: what became of it}. empty_rows: how many were skipped.
    starts: [number among the rows read, sheet or None, the row's own number], wherever the own numbers jump."""

    unreadable: Counter = field(default_factory=Counter)
    sheets: dict = field(default_factory=dict)
    empty_rows: int = 0
    n_read: int = 0
    starts: list = field(default_factory=list)

    def read(self, row, sheet=None):
        """One more row is read: this one of the file, as its user counts from 1."""
        start = self.starts[-1] if self.starts else [0, None, 2]
        if sheet != start[1] or row - start[2] != self.n_read - start[0]:
            self.starts.append([self.n_read, sheet, row])
        self.n_read += 1


def own_row(source, n):
    """Where the row n of those read of a file stands in it, in words. source: a dict of file and starts."""
    starts = source.get("starts") or [[0, None, 2]]
    first, sheet, row = starts[max(0, bisect.bisect_right(starts, n, key=lambda start: start[0]) - 1)]
    row += n - first
    return f"{source['file']}, {f'sheet {sheet}, ' if sheet else ''}row {row:,}"


def own_rows(sources, numbers):
    """The same for rows of the table of several files. sources: as `reading.read` returns them; for a row that none of
    them has, its number is counted below one header."""
    return [_in_table(sources or [], n) for n in numbers]


def _in_table(sources, n):
    for source in sources:
        if source.get("lends"):
            continue
        if n < source["rows"]:
            return own_row(source, n)
        n -= source["rows"]
    return f"row {n + 2}"
