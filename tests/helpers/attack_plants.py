"""Files in which a stranger hid a sentence from the share check; each is caught since. As helpers/plants.py."""

import base64
import io
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from tests.helpers.planted_files import pdf


def encoded(sentence):
    return base64.b64encode(sentence.encode()).decode()


def parquet(frame=None, table=None):
    file = io.BytesIO()
    pyarrow.parquet.write_table(table or pa.Table.from_pandas(frame), file)
    return file.getvalue()


def notebook(data):
    output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
    cell = {"cell_type": "code", "execution_count": 1, "id": "a", "metadata": {}, "source": "rows", "outputs": [output]}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def in_parquet(sentence):
    """Parquet that holds a text outside its cells."""
    unused = pd.Categorical(["short"] * 2, categories=["short", sentence])
    missing = pd.Categorical([None] * 2, categories=[sentence])
    note = pa.field("a", pa.int64(), metadata={"note": sentence})
    nested = pa.field("b", pa.list_(note))
    yield "parquet, unused category", "", parquet(pd.DataFrame({"level": ["A1", "A2"], "kind": unused}))
    yield "parquet, category of a column without values", "", parquet(pd.DataFrame({"level": [1, 2], "kind": missing}))
    yield "parquet, metadata of a field", "", parquet(table=pa.table({"a": [1]}, schema=pa.schema([note])))
    yield "parquet, metadata within a field", "", parquet(table=pa.table({"b": [[1]]}, schema=pa.schema([nested])))


def in_markup(sentence):
    """Words in elements without spaces between them, in comments, and between marks."""
    words = sentence.split()
    spans = "".join(f"<p><span>{word}</span><span>guess</span></p>" for word in words)
    comments = "".join(f'<!-- {word} --><path d="m"/><text>{n} b c d e f g h i</text>' for n, word in enumerate(words))
    sections = "".join(f"<![CDATA[{' '.join(words[n : n + 6])}]]>" for n in range(0, len(words), 6))
    letters = "".join(letter if n % 15 else f"&#{ord(letter)};" for n, letter in enumerate(encoded(sentence)))
    yield "flat spans with a word after each", "", spans
    yield "svg, comments at varying distances", "", f"<svg>{comments}</svg>"
    yield "CDATA sections", "", f"<s>{sections}</s>"
    yield "base64 with entities", "", f"<p>{letters}</p>"


def in_records(sentence):
    """A word in each of several records, outside of JSON files, or under keys of their own."""
    rows = [{"token": word, "guess": "model", "second": "level", "third": "score"} for word in sentence.split()]
    widgets = {f"{n:x}": {"a": "b c d e f g h", "state": {"description": row["token"]}} for n, row in enumerate(rows)}
    yield "records in a script", "", f"<html><script>var spec = {{values: {json.dumps(rows)}}};</script></html>"
    yield "records in Markdown", "", f"```json\n{json.dumps(rows, indent=1)}\n```\n"
    yield "records as Python shows them", "", notebook({"text/plain": repr(rows)})
    yield "words under keys of their own", "", json.dumps({"widgets": widgets})


def in_encodings(sentence):
    """Base64, hexadecimal and numbers as programs write them."""
    letters = encoded(sentence)
    lines = [letters[n : n + 40] for n in range(0, len(letters), 40)]
    codes = pd.Series([float(ord(letter)) for letter in sentence] + [None])
    yield "base64 of UTF-16", "", base64.b64encode(sentence.encode("utf-16")).decode()
    yield "hexadecimal of UTF-16", "", sentence.encode("utf-16-le").hex()
    yield "base64 in a mail that is quoted", "", "\n".join(f"> {line}" for line in lines)
    yield "base64 in strings of code", "", "x = (" + "\n".join(f'    "{line}"' for line in lines) + ")"
    yield "character codes as floats", "", pd.DataFrame({"code": codes}).to_csv(index=False)
    yield "character codes as floats, parquet", "", parquet(pd.DataFrame({"code": codes}))


def in_masks(sentence):
    words = sentence.split()
    masked = " ".join("<|infill_word|>" if n % 4 == 0 else word for n, word in enumerate(words))
    answers = "".join(f"{word}<|endofinfill|>" for word in words[::4])
    yield "masks with their answers", "", f"{masked}<|startofinfill|>{answers}"


def in_pdf_comments(sentence):
    yield "PDF, comment", "", pdf("hello").replace(b"\n", b"\n% " + sentence.encode() + b"\n", 1)


def unreadable(sentence):
    """Files that are refused whatever they hold."""
    lines = [f"{encoded('PNG' + sentence)[n : n + 20]}\n" for n in range(0, 60, 20)]
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(90)).decode()
    yield "PNG in short lines", "", notebook({"image/png": [f"{png[n : n + 20]}\n" for n in range(0, len(png), 20)]})
    yield "EPS", "", f"%!PS-Adobe-3.0 EPSF-3.0\n{lines[0]}"
    yield "PBM", "", "P1\n4 4\n" + "0 1 0 1\n" * 4
    yield "XBM", "", "#define a_width 8\n#define a_height 8\nstatic char a_bits[] = {0x01};"


ALL = [in_parquet, in_markup, in_records, in_encodings, in_masks, in_pdf_comments]
