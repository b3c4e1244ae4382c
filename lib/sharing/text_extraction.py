"""The words of any file that may leave: cells, outputs, metadata, attributes, comments, pages, columns, headers.

Everything is read, also what no reader of the file would see. What cannot be read is said to be unreadable.
"""

import base64
import contextlib
import csv
import html
import io
import json
import re
import struct
import unicodedata
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from lxml import etree

CHARACTERS = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[nrtfv])")  # as repr and JSON write them
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\[\d+(?:;\d+)*m")  # a terminal's, with or without its first character
MARKS = [0xAD, 0x34F, 0x2060, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
INVISIBLE = dict.fromkeys(MARKS) | {ord("_"): " "}  # an underscore is Markdown's emphasis
EMBEDDED = re.compile(r"data:([\w/+.-]+)((?:;[\w=-]+)*),([^\"'\s)>]*)")
PLAIN = {".md", ".txt", ".tex", ".bib", ".cff", ".yaml", ".yml", ".py", ".toml", ".css", ".js", ".log", ""}
MIME = {"image/svg+xml": ".svg", "text/html": ".html", "image/png": ".png", "image/jpeg": ".png", "image/gif": ".png",
        "application/pdf": ".pdf", "application/json": ".json", "text/markdown": ".md"}  # fmt: skip
KEYED = {"text_id", "learner_id", "writing_id"}  # columns of a table with a row for each text or learner


class Piece(NamedTuple):
    """Some text of a file and where it stands; text is None where it cannot be read, and `where` then says why."""

    where: str
    text: str | None


def normal(text):
    """text as it is compared: letters of one form and case, without marks that nobody sees. Keeps line breaks."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.translate(INVISIBLE).lower()


def spoken(text):
    """text without a terminal's colours and without the escapes of JSON, Python and HTML."""
    text = CHARACTERS.sub(lambda found: chr(int(found[1] or found[2] or "20", 16)), text)
    return normal(html.unescape(COLOURS.sub("", text)))


def pieces(path):
    """The pieces of the file `path`, by its suffix; their text as `spoken` gives it."""
    drawn_with_letters = path.suffix == ".png" and path.with_suffix(".svg").exists()  # the same picture
    for piece in _sound(path.suffix.lower(), path.read_bytes()):
        if piece.text is not None:
            yield Piece(piece.where, spoken(piece.text))
        elif not drawn_with_letters:
            yield piece


def _sound(suffix, content):
    """What `_read` gives, and that a file is damaged if it is."""
    try:
        yield from _read(suffix, content)
    except Exception as error:  # whatever a reader stumbles over: what was not read must not leave
        yield Piece(f"it cannot be read as {suffix[1:].upper()} ({type(error).__name__})", None)


def _read(suffix, content):
    if suffix in PLAIN:
        return _plain(_decoded(content), suffix)
    reader = READERS.get(suffix)
    return reader(content) if reader else [Piece(f"{suffix} files are not read by the check", None)]


def _decoded(content):
    return content.decode("utf-8", errors="replace")


def _plain(text, suffix=""):
    embedded = list(EMBEDDED.finditer(text))
    rest = EMBEDDED.sub(" ", text)
    yield Piece("", rest)
    if suffix == ".md" and "<" in rest:
        yield from _html(rest.encode())
    for found in embedded:
        yield from _embedded(*found.groups())


def _embedded(mime, how, data):
    """What a data: URI holds."""
    data = urllib.parse.unquote_to_bytes(data)
    data = _from_base64(data) if "base64" in how else data
    yield from _under(f"embedded {mime}", _sound(MIME.get(mime, ".txt" if mime.startswith("text/") else mime), data))


def _from_base64(text):
    """The bytes, or none where it is no base64; a reader then says that it can read nothing."""
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""


def _json(content):
    text = _decoded(content)
    with contextlib.suppress(ValueError, RecursionError):
        yield from _leaves(json.loads(text), [])
    yield from _plain(text)  # whatever it is, and what JSON's reader passes over


def _leaves(node, path):
    """Each string of a JSON document under its place: cells 3, outputs 1, data, text/html (numbers from 1 on)."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, [*path, str(key)])
    elif isinstance(node, list) and not (node and all(isinstance(item, str) for item in node)):
        for n, value in enumerate(node, 1):
            yield from _leaves(value, [*path[:-1], f"{path[-1] if path else 'item'} {n}"])
    elif isinstance(node, str | list):
        lines = [node] if isinstance(node, str) else [line if line.endswith("\n") else f"{line}\n" for line in node]
        yield from _leaf("".join(lines), path)


def _leaf(text, path):
    kind = MIME.get(path[-1] if path else "", "")
    content = _from_base64(text) if kind in (".png", ".pdf") else text.encode("utf-8", "replace")
    yield from _under(", ".join(path), _sound(kind, content))


def _html(content):
    return _of_tree(etree.fromstring(content, etree.HTMLParser(encoding="utf-8", huge_tree=True)))


def _xml(content):
    return _of_tree(etree.fromstring(content, etree.XMLParser(resolve_entities=False, huge_tree=True)))


def _of_tree(root):
    """The text between tags on about its lines, run together and apart; then attributes, and what they embed."""
    fragments, attributes, line = [], [], 1
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        texts = {"start": [node.text], "end": [node.tail]}.get(event, [node.text, node.tail])
        below = 0 if event == "end" else max(0, (node.sourceline or 0) - line)
        fragments += ["\n" * below, *(text or "" for text in texts)]
        line += below + sum((text or "").count("\n") for text in texts)
        if event == "start":
            attributes += [(f"line {node.sourceline}, {name}", value) for name, value in node.attrib.items()]
    yield from _plain(" ".join(fragments))
    yield Piece("", "".join(fragments))  # a tag may stand within a word
    for place, value in attributes:
        if re.search(r"[^\W\d]{2}", value):  # else the coordinates of a path
            whole = "".join(value.split()) if value.startswith("data:") else value
            yield from _under(place, _plain(whole))


def _under(place, found):
    """The same pieces, their place within `place`."""
    for piece in found:
        yield piece._replace(where=", ".join(filter(None, [place, piece.where])))


def _pdf(content):
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content))
    for n, page in enumerate(reader.pages, 1):
        text = page.extract_text()
        yield Piece(f"page {n}", text)
        yield Piece(f"page {n}", re.sub(r"-\n", "", text))  # words that were divided at a line's end
        for note in page.get("/Annots") or []:
            yield Piece(f"page {n}, note", str(note.get_object().get("/Contents", "")))
    yield Piece("metadata", "\n".join(map(str, (reader.metadata or {}).values())))
    for name, files in reader.attachments.items():
        for attached in files:
            yield from _under(f"attached {name}", _sound(Path(name).suffix.lower(), attached))


def _csv(content):
    text = _decoded(content)
    yield Piece("", text)
    rows = list(csv.reader(io.StringIO(text)))
    yield from _keyed(rows[0] if rows else [])
    for n in range(max(map(len, rows), default=0)):
        yield Piece(f"column {n + 1}", "\n".join(row[n] for row in rows if len(row) > n))


def _keyed(columns):
    for name in sorted(KEYED & set(columns)):
        yield Piece(f"column {name}: a table with a row for each text or learner stays where the corpus is", None)


def _parquet(content):
    import pandas as pd

    table = pd.read_parquet(io.BytesIO(content))
    yield from _keyed(table.columns)
    for name in table.select_dtypes(exclude=["number", "bool"]):
        yield Piece(f"column {name}", "\n".join(map(str, table[name])))


def _picture(content):
    from PIL import Image

    with Image.open(io.BytesIO(content)) as picture:
        yield Piece("metadata", "\n".join(map(str, picture.info.values())))
    yield Piece("a picture made of pixels, whose letters are not read; SVG and PDF are", None)


def _safetensors(content):
    (length,) = struct.unpack("<Q", content[:8])
    yield Piece("header", _decoded(content[8 : 8 + length]))


READERS = {".html": _html, ".htm": _html, ".svg": _xml, ".xml": _xml, ".json": _json, ".ipynb": _json, ".pdf": _pdf,
           ".csv": _csv, ".parquet": _parquet, ".png": _picture, ".jpg": _picture, ".jpeg": _picture,
           ".safetensors": _safetensors}  # fmt: skip
