"""Rows of a Parquet file, the format of data frames and of collections of data sets."""

import pyarrow
import pyarrow.compute
import pyarrow.parquet

from lib.corpus.formats import expansion
from lib.errors import CorpusError

BATCH = 50_000  # rows at a time
VALUE_BYTES = 8  # of a value in memory, at least


def open_tables(file, notes):
    """The one table of the file; a missing cell is empty. Raises CorpusError for a file that is damaged, or that
    unpacks to far more than its size."""
    try:
        schema = pyarrow.parquet.read_schema(file)
        # as codes, so that a long text in many rows is not copied before the rows have been measured
        texts = [field.name for field in schema if _is_text(field.type)]
        table = pyarrow.parquet.ParquetFile(file, read_dictionary=texts)
        expansion.refuse(file, _declared_size(table.metadata))
    except (pyarrow.ArrowException, OSError) as error:
        raise CorpusError(_damage_message(file, error)) from None
    return [(None, schema.names, _rows(file, table, notes))]


def _is_text(kind):
    return pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)


def _declared_size(metadata):
    """Bytes of all values, of which a value that is repeated takes nearly none in the file."""
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    columns = [group.column(n) for group in groups for n in range(metadata.num_columns)]
    return sum(max(column.total_uncompressed_size, VALUE_BYTES * column.num_values) for column in columns)


def _text_bytes(column):
    """Bytes of all texts of a column that was read as codes; of another column none."""
    if not pyarrow.types.is_dictionary(column.type):
        return 0
    lengths = pyarrow.compute.binary_length(column.dictionary).cast("int64")
    return pyarrow.compute.sum(lengths.take(column.indices)).as_py() or 0


def _values(column):
    """The cells of a column, a list."""
    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.to_pylist()


def _rows(file, table, notes):
    number = size = 0
    try:
        for batch in table.iter_batches(BATCH):
            size += sum(map(_text_bytes, batch.columns))
            expansion.refuse(file, size)
            for row in zip(*map(_values, batch.columns)):
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
