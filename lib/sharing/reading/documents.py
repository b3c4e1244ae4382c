"""The text of any file, read by its content: plain text, JSON, HTML, XML and tables, and what is embedded in them.

Everything is read, also what no viewer shows. What cannot be read is reported as unreadable.
"""

import hashlib
import html
import re
import urllib.parse
from collections import Counter

from lxml import etree

from lib.sharing.reading import binary_formats, embedded, escapes, formats, numbers, row_tables
from lib.sharing.reading.piece import Piece, under

UNREAD_IMAGE = "that this run has not drawn as it is. Letters in images are not read, those in SVG and PDF are"
DEEPEST = 6  # documents within documents
EMBEDDED = re.compile(r"data:([\w/+.-]+)((?:;[\w=-]+)*),([^\"'\s)>]*)")
TAG = re.compile(r"<[A-Za-z!?/]")
ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)
SHORTEST = 12  # letters of a string that becomes a piece of its own
FEWEST_VALUES = 5  # of a field
LONGEST_CELL = 200  # characters; longer strings are pieces of their own only, and not joined with others
CELLS = {"td", "th"}  # their columns are read as those of tables
DIGITS = re.compile(r"\d{1,6}")
NUMBERS = re.compile(r"(?:\d+\D+){7}\d")  # as many as may be a text
COLUMNS = 12  # of a table that is aligned with spaces, from the left
CONTAINERS = {"gzip", "zip archive", "xz", "bzip2", "PNG image", "JPEG image", "GIF image", "PDF", "parquet"}
CONTAINERS |= {"zlib", "pickle", "numpy array"}


class Reader:
    """Reads the pieces of files.

    certified: hashes (`certificate`) of files without text that this run made, which pass unread; decode_ids: from
    token ids to text, with the tokenizer that is shared, or None; known_ids: ids of the corpus' texts.
    """

    def __init__(self, certified=frozenset(), decode_ids=None, known_ids=frozenset()):
        self.certified, self.decode_ids, self.known_ids = certified, decode_ids, known_ids

    def pieces(self, content, depth=0):
        """Yield the Pieces of a file's content; one that is damaged is unreadable."""
        if certificate(content) in self.certified:
            return
        kind = formats.detect(content)
        try:
            yield from self._read(kind, content, depth)
        except Exception as error:  # whatever a reader stumbles over: what was not read must not leave
            yield Piece(f"it cannot be read as {kind} ({type(error).__name__})", None)

    def _read(self, kind, content, depth):
        if depth > DEEPEST:
            return [Piece("documents within documents, too deep to be read", None)]
        if kind == "text":
            return self._text(content.decode("utf-8-sig"), depth)
        if kind == "PDF":
            return binary_formats.read_pdf(content)
        if kind == "parquet":
            return binary_formats.read_parquet(content, self.pieces, self.decode_ids, self.known_ids)
        if kind == "safetensors":
            return binary_formats.read_safetensors(content, self.decode_ids)
        if kind.endswith("image"):
            return [Piece(f"{kind} {UNREAD_IMAGE}", None)]
        return [Piece(f"{kind}, which the check does not read", None)]

    def _text(self, text, depth):
        if "&#" in text:
            text = html.unescape(text)  # entities within base64 or the address of an image
        urls = list(EMBEDDED.finditer(text))
        rest = EMBEDDED.sub(" ", text)
        if ENTITY.search(text):
            yield Piece("it declares entities, which the check does not read", None)
        parsed = embedded.parsed_json(rest)
        if parsed is not None:
            yield from self._json(parsed, depth)
        else:
            yield from self._plain(rest, depth)
        for found in urls:
            mime, options, data = found.groups()
            data = urllib.parse.unquote_to_bytes(data)
            data = numbers.from_base64(data.decode("ascii", "replace").rstrip("=")) if "base64" in options else data
            yield from under(f"embedded {mime}", self.pieces(data, depth + 1))

    def _plain(self, text, depth):
        """A text that is no JSON, with what is in it as markup, tables, numbers, base64 or hexadecimal."""
        without = text
        for found, position, data in numbers.encoded(text):
            yield from under(position, self._decoded_bytes(data, depth))
            if found and formats.detect(data) in CONTAINERS:
                without = without.replace(found, " ")
        yield Piece("", escapes.decode(without))
        yield from (Piece(position, words) for position, words in numbers.encoded_words(without))
        yield Piece("masks filled in", embedded.filled(without))
        for document in embedded.records(without):
            yield from under("records", self._json(document, depth, few=row_tables.FEWEST_FIELDS))
        for name, values in embedded.fields(without).items():
            if len(values) >= FEWEST_VALUES:
                yield Piece(f"all {name}", escapes.decode("\n".join(values)))
        if TAG.search(without):
            yield from self._markup(without)
        for reason in row_tables.reasons(without):
            yield Piece(reason, None)
        if NUMBERS.search(without) or self.known_ids:
            yield from self._numbers(numbers.whole(without))

    def names(self, text):
        """Names of files and folders, a line each, with what is in them as base64 or hexadecimal."""
        yield Piece("", escapes.decode(text))
        for part in [text, re.sub(r"[/._-]", " | ", text)]:
            for _, position, data in numbers.encoded(part):
                yield from under(position, self._decoded_bytes(data, 0))
        yield from (Piece(position, words) for position, words in numbers.encoded_words(re.sub(r"[/._-]", " ", text)))

    def _decoded_bytes(self, data, depth):
        """What bytes say that were written in base64 or hexadecimal; nothing if they say nothing."""
        kind = formats.detect(data) if data else "unknown binary"
        if kind in CONTAINERS or kind == "text":
            yield from self.pieces(data, depth + 1)
        elif numbers.text_in(data):
            yield Piece("", numbers.text_in(data))

    def _numbers(self, text):
        """Texts that are written as numbers, in a row or in a column; columns of text ids; rows in another order."""
        tables = list(row_tables.delimited(text))
        lines = [line.split() for line in text.splitlines()]
        columns = [column for table in tables for column in zip(*table, strict=False)]
        columns += [[words[k] for words in lines if len(words) > k] for k in range(COLUMNS)]
        lists = numbers.runs(text)
        for column in columns:
            lists.append([int(cell) for cell in column if DIGITS.fullmatch(cell)])
            if row_tables.has_ids(column, self.known_ids):
                yield Piece(row_tables.REASON, None)
        for values in lists:
            yield from self._decoded(values)
        for table in [*tables, _aligned(lines)]:
            yield from _in_order(table)

    def _decoded(self, values):
        """What a list of integers says as character codes or token ids."""
        for position, text in numbers.as_texts(values, self.decode_ids):
            yield Piece(position, text)

    def _json(self, document, depth, few=0):
        """The strings of a JSON document, each by its path, all that have the same path without numbers, and all of the
        same key. few: rows of a list that are no table yet."""
        strings, integers, everything, by_key = {}, {}, [], {}
        for path, value in embedded.leaves(document, ()):
            names = ", ".join(name for name, _ in path)
            if isinstance(value, int):
                integers.setdefault(names, []).append(value)
                continue
            if names.rpartition(", ")[2].startswith("image/") and "svg" not in names:
                yield from under(names, self.pieces(numbers.from_base64(re.sub(r"\s", "", value)), depth + 1))
            if len(value) <= LONGEST_CELL:
                strings.setdefault(names, []).append(value)
                everything.append(value)
                by_key.setdefault(names.rpartition(", ")[2], []).append(value)
            if sum(map(str.isalpha, value)) >= SHORTEST or NUMBERS.search(value):
                position = ", ".join(f"{name} {number}".strip() for name, number in path)
                yield from under(position, self.pieces(value.encode("utf-8", "replace"), depth + 1))
        yield Piece("all short strings", escapes.decode("\n".join(everything)))
        for names, values in strings.items():
            if len(values) > 1:
                yield Piece(f"all of {names}", escapes.decode("\n".join(values)))
                if row_tables.has_ids(values, self.known_ids):
                    yield Piece(row_tables.REASON, None)
        for key, values in by_key.items():
            if len(values) > 1 and values not in strings.values():
                yield Piece(f"all of key {key}", escapes.decode("\n".join(values)))
        for names, values in integers.items():
            yield from under(f"all of {names}", self._decoded(values))
        yield from (Piece(position, words) for position, words in numbers.encoded_words("\n".join(everything)))
        for name in sorted(embedded.id_keys(document)) if len(document) >= few else []:
            yield Piece(f"{name}: {row_tables.REASON}", None)

    def _markup(self, text):
        """HTML or XML: text without tags, values of each attribute, and the cells of tables."""
        root = etree.fromstring(text.encode("utf-8", "replace"), etree.HTMLParser(encoding="utf-8", huge_tree=True))
        if root is None:
            return
        yield Piece("", escapes.decode("".join(root.itertext())))
        yield Piece("", escapes.decode("\n".join(map(str.strip, root.itertext()))))  # a line for each element
        yield Piece("comments", escapes.decode("\n".join(node.text or "" for node in root.iter(etree.Comment))))
        elements, attributes = {}, {}
        for node in root.iter(etree.Element):
            if node.text and node.tag not in CELLS:
                elements.setdefault((node.tag, node.get("class")), []).append(node.text)
            for name, value in node.attrib.items():
                attributes.setdefault(name, []).append(value)
        groups = {f"<{tag}> {kind or ''}".strip(): values for (tag, kind), values in elements.items()} | attributes
        for name, values in groups.items():
            if len(values) > 1 and re.search(r"[^\W\d]{2}", " ".join(values)):
                yield Piece(f"all {name}", escapes.decode("\n".join(values)))
        for number, table in enumerate(root.iter("table"), 1):
            rows = [[" ".join(cell.itertext()).split() for cell in row.iter("td", "th")] for row in table.iter("tr")]
            rows = [[" ".join(words) for words in row] for row in rows]
            yield Piece(f"table {number}", escapes.decode("\n".join("\t".join(row) for row in rows)))
            yield from under(f"table {number}", _in_order(rows))
            for reason in row_tables.reasons("", rows):
                yield Piece(f"table {number}, {reason}", None)
            for column in zip(*rows, strict=False):
                values = [int(cell) for cell in column if DIGITS.fullmatch(cell)]
                yield from self._decoded(values)


def _aligned(lines):
    """Those lines, lists of words, that have as many words as most of them: a table that is aligned with spaces."""
    if not lines:
        return []
    ((width, _),) = Counter(map(len, lines)).most_common(1)
    return [words for words in lines if len(words) == width]


def _in_order(table):
    for rows in row_tables.in_order(table):
        yield Piece("rows in order", escapes.decode("\n".join("\t".join(row) for row in rows)))


def certificate(content):
    """The hash by which a file is certified: 16 hexadecimal digits of its SHA-256, as in manifests."""
    return hashlib.sha256(content).hexdigest()[:16]
