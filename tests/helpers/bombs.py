"""Small corpus files that would fill the memory or take hours: {name: (function that writes one, words of refusal)}.

The words are empty where the file is read, in linear time.
"""

import json
import struct
import zipfile

import pyarrow as pa
import pyarrow.parquet

from tests.helpers.corpora import RELEASE2, many, write_xlsx, writing

GB = 2**30


def _zip(path):
    """An archive that says that it unpacks to 3 GB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", " " * 2**20)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 2**20), struct.pack("<I", 3 * GB)))


def _shared_string(path):
    """60,000 cells with the same text of 32,000 characters: 1.8 GB in a file of some 100 kB."""
    rows = many(2).assign(text="word " * 6_400)
    write_xlsx(rows, path, shared=True)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    last = "".join(members["xl/worksheets/sheet1.xml"].rpartition("<row>")[1:]).partition("</row>")[0] + "</row>"
    sheet = members["xl/worksheets/sheet1.xml"].replace("</sheetData>", last * 60_000 + "</sheetData>")
    members["xl/worksheets/sheet1.xml"] = sheet
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _far_cells(path):
    """Two cells that span 200 million."""
    sheet = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1999999"><c r="CZ1999999"><v>1</v></c></row>'
    write_xlsx(None, path, sheet=sheet)


def _long_text(path):
    """50,000 rows with the same text of a megabyte."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, "int32"), ["word " * 2**18])
    ids = pa.array(map(str, range(50_000)))
    table = pa.table({"writing_id": ids, "cefr": pa.array(["A1"] * 50_000), "text": text})
    pyarrow.parquet.write_table(table, path, store_schema=False)  # so that readers see a column of texts


def _many_rows(path):
    """150 million empty cells."""
    group = pa.table({name: pa.nulls(1_000_000, "string") for name in ["writing_id", "cefr", "text"]})
    with pyarrow.parquet.ParquetWriter(path, group.schema) as writer:
        for _ in range(50):
            writer.write_table(group)


def _many_names(path):
    """20,000 objects with a name of their own each: 400 million cells."""
    lines = (json.dumps({"writing_id": str(n), "cefr": "A1", "text": "I like it.", f"k{n}": 1}) for n in range(20_000))
    path.write_text("\n".join(lines), encoding="utf-8")


def _entities(path):
    entities = "".join(f'<!ENTITY e{n} "&e{n - 1};&e{n - 1};">' for n in range(1, 60))
    path.write_text(f'<!DOCTYPE s [<!ENTITY e0 "ha">{entities}]>' + RELEASE2.format(writing(text="&e59;")))


def _xml(text, prolog=""):
    def write(path):
        path.write_text(prolog + RELEASE2.format(writing() + writing(text=text)), encoding="utf-8")

    return write


N = 100_000
BOMBS = {
    "zip.xlsx": (_zip, "would unpack to 3.0 GB"),
    "shared.xlsx": (_shared_string, "would unpack to"),
    "far.xlsx": (_far_cells, "beyond column Z and row 100,000"),
    "long.parquet": (_long_text, "would unpack to"),
    "rows.parquet": (_many_rows, "would unpack to"),
    "names.jsonl": (_many_names, "different names"),
    "entities.xml": (_entities, "make a small file fill the memory"),
    "nested.xml": (_xml("<change><selection>" * N + "</selection></change>" * N), "nested too deeply"),
    "comments.xml": (_xml("Hi", "<!-- c -->\n" * N), ""),
    "attributes.xml": (_xml("<learner " + "a" * N), ""),
    "tags.xml": (_xml("<text " * N + "<![CDATA[" * N + "<learner " * N), ""),
}
