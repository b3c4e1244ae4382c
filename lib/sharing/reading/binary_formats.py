"""Text of PDF, parquet and safetensors files: everything in them, also what no viewer shows."""

import io
import json
import re
import struct

import numpy as np

from lib.sharing.reading import formats, numbers, row_tables
from lib.sharing.reading.piece import Piece, under

ACTIVE = {"/AcroForm": "a form", "/EmbeddedFile": "an attached file", "/EmbeddedFiles": "an attached file",
          "/Filespec": "an attached file", "/JavaScript": "a script", "/JS": "a script", "/XFA": "a form",
          "/RichMedia": "a film or sound", "/Encrypt": "encryption", "/OCProperties": "hidden layers",
          "/ShadingType": "a shading", "/Thumb": "a thumbnail"}  # fmt: skip
STREAM = re.compile(rb">>\s*stream\r?\n.*?endstream", re.DOTALL)
OBJECT = re.compile(rb"(?<![\d.])(\d+)\s+\d+\s+obj\b")
INTERNAL = {"/XRef", "/ObjStm"}  # streams of which a reader has made objects
FONT_FILES = ["/FontFile", "/FontFile2", "/FontFile3"]  # their bytes draw letters, and are no text
UNREFUSED = {"text", "unknown binary", "text in another encoding than UTF-8"}  # all strings of a stream are read
ARROW_SCHEMA = b"ARROW:schema"  # the schema of a parquet file once more, in base64; pyarrow reads it
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
    """Pages, all strings and streams of all objects, and what stands between streams, such as comments.

    Forms, attachments, images and scripts cannot be read, nor objects of which there are two, nor compressed bytes.
    """
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content))
    for number, page in enumerate(reader.pages, 1):
        yield Piece(f"page {number}", page.extract_text())
    objects = _objects(reader)
    fonts = {item.raw_get(name).idnum for item in objects.values() for name in FONT_FILES if _refers(item, name)}
    strings, unread = [], set()
    _walk(reader.trailer, strings, unread)
    for number, item in objects.items():
        _walk(item, strings, unread)
        if number not in fonts:
            unread |= _unread_stream(item)
    yield Piece("strings of objects", "\n".join(strings))
    between = STREAM.sub(b"\n", content)
    yield Piece("what is between streams", between.decode("latin-1"))
    named = OBJECT.findall(between)
    if len(named) > len(set(named)):
        unread.add("two versions of an object")
    before, _, after = content.partition(b"%%EOF")
    if not before.startswith(b"%PDF") or after.strip():
        unread.add("bytes before or after the document, or an earlier version of it")
    for reason in sorted(unread):
        yield Piece(f"it has {reason}, which the check does not read", None)


def _objects(reader):
    """{number: object} of a PDF, also those that nothing refers to."""
    from pypdf.generic import IndirectObject

    numbers = {number for generation in reader.xref.values() for number in generation} | set(reader.xref_objStm)
    return {number: IndirectObject(number, 0, reader).get_object() for number in sorted(numbers) if number}


def _refers(item, name):
    """Whether an object is a dictionary with a reference under a name."""
    return hasattr(item, "raw_get") and name in item and hasattr(item.raw_get(name), "idnum")


def _unread_stream(item):
    """What of a stream is no text: an image among the commands of a page, or bytes of another format."""
    if not hasattr(item, "get_data") or item.get("/Subtype") == "/Image" or item.get("/Type") in INTERNAL:
        return set()
    data = item.get_data()
    found = {"an image within a page"} if INLINE_IMAGE.search(data) else set()
    return found | ({formats.detect(data)} - UNREFUSED)


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
    if isinstance(item, ArrayObject):
        for value in item:
            _walk(value, strings, unread)
    if isinstance(item, TextStringObject | ByteStringObject):
        strings.append(item.decode("latin-1") if isinstance(item, bytes) else str(item))


def read_parquet(content, read, decode_ids=None, known_ids=frozenset()):
    """Metadata, names, cells of all columns (indexes too), categories without a cell, and the integers in cells.

    read: from bytes to Pieces, for values of metadata. Bytes in cells that are no text, and bytes in no column, are
    refused.
    """
    import pyarrow.parquet as pq

    leaves = pq.read_metadata(io.BytesIO(content)).schema
    paths = [leaves.column(number).path for number in range(len(leaves))]
    file = pq.ParquetFile(io.BytesIO(content), read_dictionary=paths)  # so that values without a cell are read, too
    yield from _metadata(file, read)
    for reason in row_tables.reasons("", rows=[file.schema_arrow.names]):
        yield Piece(reason, None)
    table = file.read()
    for name, column in zip(table.column_names, table.columns):
        yield from under(f"column {name}", _column(column, decode_ids, known_ids))
    if len(content) != _described(file.metadata, content):
        yield Piece("it has bytes that belong to no column, which the check does not read", None)


def _metadata(file, read):
    """Keys and values of the metadata of the file and of each field, and names."""
    found = [file.metadata.metadata, file.schema_arrow.metadata]
    found += [field.metadata for field in _fields(file.schema_arrow)]
    pairs = [pair for metadata in found for pair in (metadata or {}).items() if pair[0] != ARROW_SCHEMA]
    keys = "\n".join(key.decode("utf-8", "replace") for key, _ in pairs)
    yield Piece("metadata", "\n".join([keys, *file.schema.names, file.metadata.created_by or ""]))
    for value in dict.fromkeys(value for _, value in pairs):
        yield from under("metadata", read(value))


def _fields(fields):
    """All fields of a schema, also nested ones."""
    for field in fields:
        yield field
        yield from _fields([field.type.field(number) for number in range(field.type.num_fields)])


def _column(column, decode_ids, known_ids):
    """Cells, categories without a cell, and integers of a ChunkedArray."""
    values = column.to_pylist()
    cells = [_flat(value) for value in values]
    yield Piece("", "\n".join(cells))
    categories = list(dict.fromkeys(map(_flat, _categories(column.chunks))))
    if not set(categories) <= set(cells):
        yield Piece("categories", "\n".join(categories))
    if any(map(_has_bytes, values)):
        yield Piece("bytes that are no text, which the check does not read", None)
    whole = [int(cell) for cell in numbers.whole(" ".join(cells)).split() if re.fullmatch(r"\d{1,7}", cell)]
    yield from (Piece(position, text) for position, text in numbers.as_texts(whole, decode_ids))
    if row_tables.has_ids(cells, known_ids) or row_tables.has_ids(categories, known_ids):
        yield Piece(row_tables.REASON, None)


def _categories(arrays):
    """All values that the dictionaries of arrays hold, of nested arrays too."""
    import pyarrow as pa

    for array in arrays:
        if pa.types.is_dictionary(array.type):
            yield from array.dictionary.to_pylist()
        elif pa.types.is_struct(array.type):
            yield from _categories([array.field(number) for number in range(array.type.num_fields)])
        elif pa.types.is_nested(array.type):
            yield from _categories([array.keys, array.items] if pa.types.is_map(array.type) else [array.values])


def _flat(value):
    if isinstance(value, list | tuple | dict):
        return " ".join(map(_flat, value.values() if isinstance(value, dict) else value))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _has_bytes(value):
    """Whether bytes that are no text are in a cell."""
    if isinstance(value, list | tuple | dict):
        return any(map(_has_bytes, value.values() if isinstance(value, dict) else value))
    return isinstance(value, bytes) and not formats.is_text(value)


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
