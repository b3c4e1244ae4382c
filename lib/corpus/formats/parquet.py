"""Rows of a Parquet file, as data frames and collections of data sets are kept."""

import pyarrow
import pyarrow.parquet

from lib.errors import CorpusError

BATCH = 50_000  # rows at a time


def parts(file, notes):
    """The one table; a missing cell is empty. Raises CorpusError for a damaged file."""
    try:
        table = pyarrow.parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise CorpusError(_fault(file, error)) from None
    return [(None, table.schema_arrow.names, _rows(file, table, notes))]


def _rows(file, table, notes):
    number = 0
    try:
        for batch in table.iter_batches(BATCH):
            for row in zip(*(column.to_pylist() for column in batch.columns)):
                number += 1
                notes.read(number)
                yield ["" if cell is None or cell != cell else cell for cell in row]
    except (pyarrow.ArrowException, OSError) as error:
        raise CorpusError(_fault(file, error)) from None


def _fault(file, error):
    first = str(error).splitlines()[0][:80]
    return f"{file} is a damaged or incomplete Parquet file ({first}). Copy it again from where it came from."
