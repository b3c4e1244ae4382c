"""Text of PDF, parquet and safetensors files: everything in them, also what no viewer shows."""

import io
import json
import re
import struct

import numpy as np

from lib.sharing.reading import numbers, row_tables
from lib.sharing.reading.piece import Piece, under

ACTIVE = {"/AcroForm": "a form", "/EmbeddedFile": "an attached file", "/EmbeddedFiles": "an attached file",
          "/Filespec": "an attached file", "/JavaScript": "a script", "/JS": "a script", "/XFA": "a form",
          "/RichMedia": "a film or sound", "/Encrypt": "encryption", "/OCProperties": "hidden layers"}  # fmt: skip
STREAM = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
INLINE_IMAGE = re.compile(rb"(?:^|\s)BI\s[^<>]{0,300}?\sID\s")
INTEGERS = {  # dtypes of tensors
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U8": "<u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
}


def read_pdf(content):
    """Pages, and all strings and streams of all objects. Forms, attachments, images and scripts cannot be read."""
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content))
    for number, page in enumerate(reader.pages, 1):
        yield Piece(f"page {number}", page.extract_text())
    strings, unread = [], set()
    for item in [reader.trailer, *_objects(reader)]:
        _walk(item, strings, unread)
    yield Piece("strings of objects", "\n".join(strings))
    yield Piece("what is between streams", STREAM.sub(b" ", content).decode("latin-1"))
    before, _, after = content.partition(b"%%EOF")
    if not before.startswith(b"%PDF") or after.strip():
        unread.add("bytes before or after the document, or an earlier version of it")
    for reason in sorted(unread):
        yield Piece(f"it has {reason}, which the check does not read", None)


def _objects(reader):
    """All objects of a PDF, also those that nothing refers to."""
    from pypdf.generic import IndirectObject

    numbers = {number for generation in reader.xref.values() for number in generation} | set(reader.xref_objStm)
    return [IndirectObject(number, 0, reader).get_object() for number in sorted(numbers) if number]


def _walk(item, strings, unread):
    """Collect the strings of a PDF object, and what of it cannot be read. References are not followed."""
    from pypdf.generic import ArrayObject, ByteStringObject, DictionaryObject, StreamObject, TextStringObject

    if hasattr(item, "idnum"):
        return
    if isinstance(item, DictionaryObject):
        unread |= {reason for name, reason in ACTIVE.items() if name in item or item.get("/Type") == name}
        if item.get("/Subtype") == "/Image":
            unread.add("an image")
        for key, value in item.items():
            strings.append(key[1:])
            _walk(value, strings, unread)
    if isinstance(item, StreamObject) and item.get("/Subtype") != "/Image":
        strings.append(item.get_data().decode("latin-1"))
        if INLINE_IMAGE.search(item.get_data()):
            unread.add("an image within a page")
    if isinstance(item, ArrayObject):
        for value in item:
            _walk(value, strings, unread)
    if isinstance(item, TextStringObject | ByteStringObject):
        strings.append(item.decode("latin-1") if isinstance(item, bytes) else str(item))


def read_parquet(content, decode_ids=None, known_ids=frozenset()):
    """Metadata, names, cells of all columns (indexes too) and the integers in them. Bytes in no column are refused."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    metadata = [*_metadata(file.metadata), *(words for field in file.schema_arrow for words in _field_metadata(field))]
    yield Piece("metadata", "\n".join([*metadata, *file.schema.names, file.metadata.created_by or ""]))
    for reason in row_tables.reasons("", rows=[file.schema_arrow.names]):
        yield Piece(reason, None)
    table = file.read()
    for name, values in _categories(content, table):
        yield Piece(f"categories of {name}", "\n".join(values))
        if row_tables.has_ids(values, known_ids):
            yield Piece(f"categories of {name}: {row_tables.REASON}", None)
    for name in table.column_names:
        cells = [_flat(value) for value in table[name].to_pylist()]
        yield Piece(f"column {name}", "\n".join(cells))
        yield from under(f"column {name}", _numbers(cells, decode_ids))
        if row_tables.has_ids(cells, known_ids):
            yield Piece(f"column {name}: {row_tables.REASON}", None)
    if len(content) != _described(file.metadata, content):
        yield Piece("it has bytes that belong to no column, which the check does not read", None)


def _metadata(holder):
    """Keys and values of the metadata of a file or a field, as a list of str."""
    return [part.decode("utf-8", "replace") for pair in (holder.metadata or {}).items() for part in pair]


def _field_metadata(field):
    """The same of a field and of all fields in it."""
    yield from _metadata(field)
    for number in range(field.type.num_fields):
        yield from _field_metadata(field.type.field(number))


def _categories(content, table):
    """(name, values) of the dictionary of each column of texts: all of it, also values that no row uses."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [field.name for field in table.schema if _is_text(field.type)]
    coded = pq.ParquetFile(io.BytesIO(content), read_dictionary=names).read()
    for name in coded.column_names:
        chunks = [chunk for chunk in coded[name].chunks if pa.types.is_dictionary(chunk.type)]
        values = [_flat(value) for chunk in chunks for value in chunk.dictionary.to_pylist()]
        if values:
            yield name, values


def _is_text(kind):
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)


def _flat(value):
    if isinstance(value, list | tuple):
        return " ".join(map(_flat, value))
    if isinstance(value, dict):
        return " ".join(map(_flat, value.values()))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _numbers(cells, decode_ids):
    whole = [int(cell) for cell in numbers.whole(" ".join(cells)).split() if re.fullmatch(r"\d{1,7}", cell)]
    return [Piece(position, text) for position, text in numbers.as_texts(whole, decode_ids)]


def _described(metadata, content):
    """Bytes of the column chunks, the footer and the magic numbers."""
    (footer,) = struct.unpack("<I", content[-8:-4])
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    chunks = sum(group.column(number).total_compressed_size for group in groups for number in range(group.num_columns))
    return 4 + chunks + footer + 8


def read_safetensors(content, decode_ids=None):
    """The header, and tensors of integers. Floating-point tensors cannot be read: only this run's own weights pass."""
    (length,) = struct.unpack("<Q", content[:8])
    text = content[8 : 8 + length].decode("utf-8")
    yield Piece("header", text)
    tensors = {name: facts for name, facts in json.loads(text).items() if name != "__metadata__"}
    for name, facts in tensors.items():
        begin, end = facts["data_offsets"]
        data = content[8 + length + begin : 8 + length + end]
        if facts["dtype"] in INTEGERS:
            values = np.frombuffer(data, INTEGERS[facts["dtype"]]).astype(np.int64)
            found = numbers.as_texts([int(value) for value in values if value < 0x110000], decode_ids)
            yield from under(f"tensor {name}", [Piece(position, text) for position, text in found])
    yield Piece("its numbers are not those of a model that this run trained, and the check cannot read them", None)
