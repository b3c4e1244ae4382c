"""Files that are no plain text, with a learner's sentence in them: images, PDF, parquet, weights, archives."""

import base64
import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, PngImagePlugin
from pypdf import PdfWriter
from pypdf.annotations import FreeText
from pypdf.generic import DictionaryObject, NameObject, StreamObject, TextStringObject
from safetensors.numpy import save


def png(info=None, text=""):
    file, figure = io.BytesIO(), plt.figure(figsize=(2, 1))
    figure.text(0, 0.5, text)
    figure.savefig(file, metadata=info)
    plt.close(figure)
    return file.getvalue()


def image(kind):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind)
    return file.getvalue()


def png_text(text):
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_itxt("note", text, zip=True)
    Image.new("L", (4, 4)).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def pdf(text="", change=lambda writer: None):
    """A PDF page with a text, changed by a function of its PdfWriter."""
    file, figure = io.BytesIO(), plt.figure(figsize=(9, 2))
    figure.text(0, 0.5, text)
    with plt.rc_context({"pdf.fonttype": 42}):
        figure.savefig(file, format="pdf")
    plt.close(figure)
    writer, out = PdfWriter(clone_from=io.BytesIO(file.getvalue())), io.BytesIO()
    change(writer)
    writer.write(out)
    return out.getvalue()


def with_xmp(writer, text):
    stream = StreamObject()
    stream.set_data(f"<x:xmpmeta><dc:title>{text}</dc:title></x:xmpmeta>".encode())
    writer._root_object[NameObject("/Metadata")] = writer._add_object(stream)


def with_form(writer, text):
    field = DictionaryObject({NameObject("/FT"): NameObject("/Tx"), NameObject("/V"): TextStringObject(text)})
    form = DictionaryObject({NameObject("/Fields"): writer._add_object(field)})
    writer._root_object[NameObject("/AcroForm")] = writer._add_object(form)


def with_image(writer, text):
    figure = io.BytesIO(png(text=text))
    file = io.BytesIO()
    Image.open(figure).convert("RGB").save(file, "PDF")
    writer.append(file)


def with_orphan(writer, text):
    writer._add_object(TextStringObject(text))


PDFS = {
    "page": lambda text: pdf(text),
    "title": lambda text: pdf(change=lambda writer: writer.add_metadata({"/Title": text})),
    "attachment": lambda text: pdf(change=lambda writer: writer.add_attachment("a.txt", text.encode())),
    "outline": lambda text: pdf(change=lambda writer: writer.add_outline_item(title=text, page_number=0)),
    "XMP": lambda text: pdf(change=lambda writer: with_xmp(writer, text)),
    "form": lambda text: pdf(change=lambda writer: with_form(writer, text)),
    "image": lambda text: pdf(change=lambda writer: with_image(writer, text)),
    "annotation": lambda text: pdf(
        change=lambda writer: writer.add_annotation(page_number=0, annotation=FreeText(text=text, rect=(0, 0, 9, 9)))
    ),
    "unused object": lambda text: pdf(change=lambda writer: with_orphan(writer, text)),
    "after the end": lambda text: pdf() + text.encode(),
    "before the start": lambda text: text.encode() + b"\n" + pdf(),
}


def parquet(frame=None, metadata=None):
    file, arrow = io.BytesIO(), pa.Table.from_pandas(pd.DataFrame({"n": [1]}) if frame is None else frame)
    pq.write_table(arrow.replace_schema_metadata(metadata) if metadata else arrow, file)
    return file.getvalue()


def tensors(text="", dtype="uint8", note=None):
    return save({"w": np.array([ord(letter) for letter in text or "x"]).astype(dtype)}, note)


def zipped(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def tarred(content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        facts = tarfile.TarInfo("a.txt")
        facts.size = len(content)
        archive.addfile(facts, io.BytesIO(content))
    return file.getvalue()


def array(text):
    file = io.BytesIO()
    np.save(file, np.array(text.split()))
    return file.getvalue()


def database(text):
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(f"{folder}/a.db")
        connection.execute("create table t (a)")
        connection.execute("insert into t values (?)", [text])
        connection.commit()
        connection.close()
        return (Path(folder) / "a.db").read_bytes()


def git_object(text):
    return zlib.compress(b"blob %d\0" % len(text) + text.encode())


READABLE_BINARY = {
    "cell.parquet": lambda text: parquet(pd.DataFrame({"a": [text]})),
    "index.parquet": lambda text: parquet(pd.DataFrame({"a": [1] * len(text.split())}, index=text.split())),
    "metadata.parquet": lambda text: parquet(metadata={"note": text}),
    "column names.parquet": lambda text: parquet(pd.DataFrame({word: [1] for word in text.split()})),
    "lists.parquet": lambda text: parquet(pd.DataFrame({"a": [text.split()]})),
    "code points.parquet": lambda text: parquet(pd.DataFrame({"a": [ord(letter) for letter in text]})),
}
REFUSED = {  # these are refused whatever they say
    "header.safetensors": lambda text: tensors(note={"note": text}),
    "bytes.safetensors": lambda text: tensors(text),
    "numbers.safetensors": lambda text: tensors(text, "float32"),
    "picture.png": lambda text: png(text=text),
    "picture's title.png": lambda text: png({"Title": text}),
    "compressed note.png": png_text,
    "after the end.png": lambda text: image("PNG") + text.encode(),
    "picture.txt": lambda text: png(text=text),
    "picture.jpg": lambda text: image("JPEG") + text.encode(),
    "picture.gif": lambda text: image("GIF") + text.encode(),
    "picture in base64.txt": lambda text: base64.encodebytes(png(text=text)),
    "a.txt.gz": lambda text: gzip.compress(text.encode()),
    "gzip in base64.txt": lambda text: base64.b64encode(gzip.compress(text.encode())),
    "a.bz2": lambda text: bz2.compress(text.encode()),
    "a.xz": lambda text: lzma.compress(text.encode()),
    "a.zip": lambda text: zipped("a.txt", text),
    "a.docx": lambda text: zipped("word/document.xml", f"<w>{text}</w>"),
    "a.tar": lambda text: tarred(text.encode()),
    "git object": git_object,
    "a.npy": array,
    "a.pkl": lambda text: pickle.dumps(text),
    "a.db": database,
    "16.txt": lambda text: text.encode("utf-16"),
    "16 without mark.txt": lambda text: text.encode("utf-16-le"),
    "32.txt": lambda text: text.encode("utf-32"),
    "latin.txt": lambda text: f"{text} café".encode("latin-1"),
    "private use.txt": lambda text: "".join(chr(0xE000 + ord(letter)) for letter in text).encode(),
    "bell.txt": lambda text: text.replace(" ", "\x07").encode(),
}
