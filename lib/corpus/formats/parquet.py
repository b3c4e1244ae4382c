"""Rows of a Parquet file, the format of data frames and of collections of data sets."""

import pyarrow
import pyarrow.parquet

from lib.errors import CorpusError

BATCH = 50_000  # rows at a time


def open_tables(file, notes):
    """The one table of the file; a missing cell is empty. Raises CorpusError for a damaged file."""
    try:
        table = pyarrow.parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise CorpusError(_damage_message(file, error)) from None
    return [(None, table.schema_arrow.names, _rows(file, table, notes))]


def _rows(file, table, notes):
    number = 0
    try:
        for batch in table.iter_batches(BATCH):
            for row in zip(*(column.to_pylist() for column in batch.columns)):
                number += 1
                cells = ["" if _is_missing(cell) else cell for cell in row]
                if not any(str(cell).strip() for cell in cells):
                    notes.empty_rows += 1
                    continue
                notes.count_row(number)
                yield cells
    except (pyarrow.ArrowException, OSError) as error:
        raise CorpusError(_damage_message(file, error)) from None


def _is_missing(cell):
    return cell is None or cell != cell  # NaN differs from itself


def _damage_message(file, error):
    reason = str(error).splitlines()[0][:80]
    return f"{file} is a damaged or incomplete Parquet file ({reason}). Copy it again from where it came from."
