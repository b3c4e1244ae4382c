"""Files in which a stranger hid a sentence from the share check; each is caught since. As helpers/plants.py."""

import base64
import io
import json
import pickle
import zlib

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, StreamObject

from tests.helpers.planted_files import pdf

OTHERS = ["guess", "of a", "the model", "for every", "a token here"]  # words beside a word, as many as no rule says


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
    blocks = [f"token: {row['token']}\nguess: model\nrank: second\nother: score\n" for row in rows]
    tables = [f'[[row]]\ntoken = "{row["token"]}"\na = "model"\nb = "second"\nc = "score"\n' for row in rows]
    widgets = {f"{n:x}": {"a": "b c d e f g h", "state": {"description": row["token"]}} for n, row in enumerate(rows)}
    yield "records in a script", "", f"<html><script>var spec = {{values: {json.dumps(rows)}}};</script></html>"
    yield "records in Markdown", "", f"```json\n{json.dumps(rows, indent=1)}\n```\n"
    yield "records as Python shows them", "", notebook({"text/plain": repr(rows)})
    yield "fields, a line each", "", "\n".join(blocks)
    yield "TOML", "", "\n".join(tables)
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


def in_other_parquet(sentence):
    """Parquet with a text in categories within lists, in keys, and in decimals."""
    words = sentence.split()
    categories = pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array(["short", sentence]))
    nested = pa.table({"a": pa.ListArray.from_arrays([0, 2], categories)})
    kind = pd.Categorical(["-"], categories=["-", *dict.fromkeys(words)])
    keys = pa.schema([pa.field("a", pa.int64())], metadata={word: str(n) for n, word in enumerate(words)})
    yield "parquet, category within a list", "", parquet(table=nested)
    yield "parquet, words as categories", "", parquet(pd.DataFrame({"kind": kind}))
    yield "parquet, keys of metadata", "", parquet(table=pa.table({"a": [1]}, schema=keys))


def in_lines(sentence):
    """Text beside what a program writes into each line."""
    words = sentence.replace(".", "").split()
    fives = [" ".join(words[at : at + 5]) for at in range(0, len(words), 5)]
    width = max(map(len, words))
    other = [*OTHERS, *OTHERS, *OTHERS]
    yield "lines of a log", "", "\n".join(f"12:0{n} INFO {five}" for n, five in enumerate(fives))
    yield "lines of print", "", "\n".join(f'print("{five}")' for five in fives)
    yield "lines of echo", "", "\n".join(f"echo {five}" for five in fives)
    yield "columns of a box", "", "\n".join(f"│ {word} │ {more} │" for word, more in zip(words, other))
    yield "columns apart", "", "\n".join(f"{more:<14}{word:<{width}}  x" for word, more in zip(words, other))
    rows = sorted(f"{word},{n}" for n, word in enumerate(words))
    yield "rows in another order", "", "word,position\n" + "\n".join(rows)
    frame = pd.DataFrame([row.split(",") for row in rows], columns=["word", "position"])
    yield "rows in another order, printed", "", frame.to_string(index=False)
    yield "rows in another order, HTML", "", frame.to_html()


def in_words(sentence):
    """Words that are encoded one by one, dumps, and base64 beside letters that do not belong to it."""
    words, content = sentence.replace(".", "").split(), sentence.encode()
    base = [encoded(word) for word in words]
    lines = [content[at : at + 16] for at in range(0, len(content), 16)]
    shown = [line.decode() for line in lines]
    pairs = [" ".join(line[at : at + 2].hex() for at in range(0, len(line), 2)) for line in lines]
    letters = encoded(sentence)
    parts = [letters[at : at + 36] for at in range(0, len(letters), 36)]
    yield "base64 words in cells", "", "\n".join(f"{n},{word}" for n, word in enumerate(base))
    yield "base64 words in lines", "", "\n".join(base)
    yield "base64 words in JSON", "", json.dumps([{"n": n, "w": word} for n, word in enumerate(base)])
    yield "hexadecimal words", "", "\n".join(f"{n},{word.encode().hex()}" for n, word in enumerate(words))
    yield "xxd", "", "\n".join(f"{16 * n:08x}: {two:<39}  {text}" for n, (two, text) in enumerate(zip(pairs, shown)))
    dump = [f"{16 * n:08x}  {line.hex(' '):<47}  |{line.decode()}|" for n, line in enumerate(lines)]
    yield "hexdump", "", "\n".join(dump)
    yield "base64 behind a name", "", f"data_{letters}"
    yield "base64 that is added up", "", "x = " + " + ".join(f'"{part}"' for part in parts)
    yield "numbers with exponents", "", "\n".join(f"{ord(letter):.18e}" for letter in sentence)


def in_elements(sentence):
    """A word in each element of one name, between elements of other names."""
    pairs = zip(sentence.split(), [*OTHERS, *OTHERS, *OTHERS])
    yield "elements by name", "", "".join(f"<i>{word}</i> <b>{more}</b> " for word, more in pairs)


def unreadable_pdf(sentence):
    """Parts of a PDF that are drawn, or are bytes of another format."""

    def stream(data):
        item = StreamObject()
        item.set_data(data)
        return item

    def page(writer, name, item):
        writer.pages[0][NameObject(name)] = writer._add_object(item)

    image = b"q BI /W 8 /H 8 /CS /G /BPC 1 ID 12345678 EI Q"
    shading = DictionaryObject({NameObject("/ShadingType"): NumberObject(1)})
    hidden = zlib.compress(sentence.encode())
    yield "PDF, inline image", "", pdf(change=lambda writer: page(writer, "/Contents", stream(image)))
    yield "PDF, shading", "", pdf(change=lambda writer: writer._add_object(ArrayObject([shading])))
    yield "PDF, thumbnail", "", pdf(change=lambda writer: page(writer, "/Thumb", stream(b"x")))
    yield "PDF, compressed bytes", "", pdf(change=lambda writer: writer._add_object(stream(hidden)))
    yield "PDF, an object twice", "", pdf().replace(b"\n", b"\n1 0 obj\n(x)\nendobj\n", 1)


def unreadable(sentence):
    """Files that are refused whatever they hold."""
    lines = [f"{encoded('PNG' + sentence)[n : n + 20]}\n" for n in range(0, 60, 20)]
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(90)).decode()
    yield "PNG in short lines", "", notebook({"image/png": [f"{png[n : n + 20]}\n" for n in range(0, len(png), 20)]})
    yield "EPS", "", f"%!PS-Adobe-3.0 EPSF-3.0\n{lines[0]}"
    yield "PBM", "", "P1\n4 4\n" + "0 1 0 1\n" * 4
    yield "XBM", "", "#define a_width 8\n#define a_height 8\nstatic char a_bits[] = {0x01};"
    yield "XPM", "", '/* XPM */\nstatic char *a[] = {"1 1 1 1", "a c #000000", "a"};'
    yield "PBM of bytes", "", b"P4\n8 2\n\x01\xff"
    yield "zlib", "", zlib.compress(sentence.encode())
    yield "zlib in base64", "", base64.b64encode(zlib.compress(sentence.encode())).decode()
    yield "pickle in base64", "", base64.b64encode(pickle.dumps(sentence)).decode()
    yield "parquet, compressed cell", "", parquet(pd.DataFrame({"a": [zlib.compress(sentence.encode())]}))
    note = pa.schema([pa.field("a", pa.int64())], metadata={"a": zlib.compress(sentence.encode())})
    yield "parquet, compressed metadata", "", parquet(table=pa.table({"a": [1]}, schema=note))
    yield "ids as elements", "", "".join(f"<row><text_id>{n}</text_id></row>" for n in (24, 25, 26))
    yield "ids as attributes", "", "".join(f"<div data-text-id='{n}'>x</div>" for n in (24, 25, 26))


ALL = [in_parquet, in_markup, in_records, in_encodings, in_masks, in_pdf_comments]
ALL += [in_other_parquet, in_lines, in_words, in_elements]
REFUSED = [unreadable, unreadable_pdf]
