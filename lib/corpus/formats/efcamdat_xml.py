"""EFCAMDAT's release 2: writings from XML that is not well-formed, one at a time, without expanding entities of a DTD.

<writing id level><learner id nationality/><topic id/>...<text>...</text></writing>; corrections are written as
<change><selection>wrong</selection><tag><symbol/><correct>right</correct></tag></change> and may nest.
No XML parser is used: strict ones stop at the first raw <br>, and tolerant ones drop what they do not understand. lxml,
set to recover, returned 109 of 100,000 made-up writings with such damage. Here a < that begins none of the known tags
was typed by the learner, and damage is confined to its writing and counted.
"""

import html
import html.entities
import re

from lib.errors import CorpusError

BLOCK = 2**22  # characters read at a time
LONGEST_WRITING = 2**26  # characters; a longer writing has lost its end tag
L1S = {  # nationality -> first language, where the country has one
    "br": "Portuguese",
    "cn": "Mandarin",
    "de": "German",
    "fr": "French",
    "it": "Italian",
    "jp": "Japanese",
    "mx": "Spanish",
    "ru": "Russian",
    "sa": "Arabic",
    "tr": "Turkish",
    "tw": "Mandarin",
}
# No pattern may start at each of many characters and read to the end each time: a small file would take hours.
ATTRIBUTE = re.compile(r"""(?<![\w-])([\w-]+)\s*=\s*(["'])(.*?)\2""", re.DOTALL)
WRITING = re.compile(r"<writing\s")
LEARNER, TOPIC = re.compile(r"<learner\s([^<>]*)>"), re.compile(r"<topic\s([^<>]*)>")
TEXT, EMPTY_TEXT = re.compile(r"<text(?:\s[^<>]*)?(?<!/)>"), re.compile(r"<text(?:\s[^<>]*)?/>")
CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
CHANGE = re.compile(r"(</?(?:change|selection|tag|symbol|correct)(?:\s[^<>]*)?/?>)")
LINE_BREAK, CODE = re.compile(r"</?br\s*/?>", re.IGNORECASE), re.compile(r"</?code\s*/?>", re.IGNORECASE)
ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
SURROGATES = re.compile(r"&#(x[0-9a-f]{4}|[0-9]{5});&#(x[0-9a-f]{4}|[0-9]{5});", re.IGNORECASE)
DEEPEST = 100  # tags of corrections within each other
MAX_ESCAPES = 8  # times that an entity may have been escaped


class Unreadable(ValueError):
    """One writing is too damaged to be read. The message is the reason under which it is counted."""


def open_tables(file, encoding, text_column, notes):
    """The one table, a row for each writing. text_column: text, or text_corrected with corrections carried out.

    Raises CorpusError, while it is read, for a cut file and for a DTD.
    """
    header = ["writing_id", "level", "learner_id", "l1", "nationality", "topic_id", text_column]
    notes.row_name = "writing"
    return [(None, header, _rows(file, encoding, text_column == "text_corrected", notes))]


def _rows(file, encoding, corrected, notes):
    for number, writing in enumerate(_writings(file, encoding), 1):
        try:
            row = _row(writing, corrected)
        except Unreadable as damage:
            notes.unreadable[str(damage)] += 1
            continue
        notes.count_row(number)
        yield row


def _writings(file, encoding):
    """Yield the characters between `<writing ` and `</writing>` of each writing."""
    n_complete = 0
    with open(file, encoding=encoding) as stream:
        rest = block = stream.read(BLOCK)
        closing = _closing_tag(file, block)
        while block:
            *ended, rest = rest.split("</writing>")
            n_complete += len(ended)
            for characters in ended:
                yield from WRITING.split(characters)[1:]  # more than one where an end tag is missing
            if len(rest) > LONGEST_WRITING:
                raise CorpusError(
                    f"{file}: writing {n_complete + 1:,} does not end within {LONGEST_WRITING:,} characters."
                )
            block = stream.read(BLOCK)
            rest += block
    if closing not in rest or WRITING.search(rest):
        raise CorpusError(
            f"{file} is cut: {n_complete:,} writings are complete, then it ends without {closing}. "
            "Expected: the whole file. Download or copy it again."
        )


def _closing_tag(file, block):
    """The tag at the end of a complete file. Refuses a file that does not begin like release 2."""
    prolog, *rest = WRITING.split(block, maxsplit=1)
    if re.search(r"<!(doctype|entity)", prolog, re.IGNORECASE):
        raise CorpusError(
            f"{file} begins with a declaration of a document type or an entity (DTD). Release 2 has none, and it can "
            "make a small file fill the memory. Get the file again from its source, or remove the declaration."
        )
    if not rest:
        raise CorpusError(
            f"{file} is XML without <writing ...>. Expected: EFCAMDAT's release 2. Give other corpora as XLSX or CSV."
        )
    root = re.search(r"<(selection|writings)[\s>]", prolog)
    return f"</{root[1] if root else 'selection'}>"


def _row(writing, corrected):
    """The cells of one writing, in the order of the header."""
    around, text = _separate_text(writing)
    attributes = _attributes(around[: around.find(">")])
    learner = _tag_attributes(LEARNER, around)
    topic = _tag_attributes(TOPIC, around)
    if not attributes.get("id"):
        raise Unreadable("no writing id")
    nationality = learner.get("nationality", "").lower()
    l1 = L1S.get(nationality, "")
    text = _as_typed(_resolve_corrections(text, corrected))
    level, learner_id, topic_id = attributes.get("level", ""), learner.get("id", ""), topic.get("id", "")
    return attributes["id"], level, learner_id, l1, nationality, topic_id, text


def _separate_text(writing):
    """(the characters around the text, the text)"""
    start, end = TEXT.search(writing), writing.rfind("</text>")
    if not start and end < 0 and (empty := EMPTY_TEXT.search(writing)):
        return writing[: empty.start()] + writing[empty.end() :], ""
    if not start or end < start.end():
        raise Unreadable("text without begin or end")
    text = writing[start.end() : end]
    if "<![" in text:
        closed = text.rfind("]]>") + len("]]>")  # what begins later has no end
        text = CDATA.sub(r"\1", text[:closed]) + text[closed:]
    return writing[: start.start()] + writing[end:], text


def _tag_attributes(pattern, writing):
    tag = pattern.search(writing)
    return _attributes(tag[1]) if tag else {}


def _attributes(tag):
    return {name: value for name, _, value in ATTRIBUTE.findall(tag)}


def _resolve_corrections(text, corrected):
    """The text without markup: each correction is replaced by the wording it marks, or by the one it proposes."""
    stack = [{"tag": "text", "pieces": []}]  # open tags, the innermost last
    for n, piece in enumerate(CHANGE.split(text)):
        if n % 2 == 0:
            stack[-1]["pieces"].append(piece)
            continue
        tag = piece.strip("</>").split()[0]
        if not piece.startswith("</"):
            stack.append({"tag": tag, "pieces": []})
        if len(stack) > DEEPEST:
            raise Unreadable("corrections nested too deeply")
        if piece.startswith("</") or piece.endswith("/>"):
            _close(stack, tag, corrected)
    if len(stack) > 1:
        raise Unreadable("a correction without end")
    return "".join(stack[0]["pieces"])


def _close(stack, tag, corrected):
    """Close the innermost tag and pass its content to the enclosing one."""
    closed = stack.pop()
    words = "".join(closed["pieces"])
    if closed["tag"] != tag or not stack:
        raise Unreadable("corrections that do not nest")
    if tag in ("change", "tag") and words.strip():
        raise Unreadable("words between the parts of a correction")
    enclosing = stack[-1]
    if tag == "change":
        enclosing["pieces"].append(_wording(closed, corrected))
    elif tag == "tag":  # of several proposals the first counts
        enclosing.setdefault("symbol", closed.get("symbol", ""))
        enclosing.setdefault("correct", closed.get("correct", ""))
    else:
        enclosing[tag] = words


def _wording(change, corrected):
    """The proposal if `corrected`, else the selection. Without a proposal the selection is kept, unless the symbol says
    delete (D)."""
    deleted = change.get("symbol", "").strip() == "D"
    if corrected and (change.get("correct", "").strip() or deleted):
        return change.get("correct", "")
    if "selection" not in change:
        raise Unreadable("a correction without selection")
    return change["selection"]


def _as_typed(text):
    """Characters for entities, however often escaped; line ends for <br>; no spaces at the ends of lines."""
    for _ in range(MAX_ESCAPES):
        before = text
        if ";&#" in text:
            text = SURROGATES.sub(_join_surrogates, text)
        text = ENTITY.sub(_character, text)
        if text == before:
            break
    if "<" in text:
        text = "\n".join(line.strip() for line in LINE_BREAK.split(CODE.sub("", text)))
    return text.strip()


def _join_surrogates(pair):
    """The character of which two entities are the halves in UTF-16 (surrogates)."""
    first, second = (int(half[1:], 16) if half[0] in "xX" else int(half) for half in pair.groups())
    if 0xD800 <= first < 0xDC00 <= second < 0xE000:
        return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    return pair[0]


def _character(entity):
    name = entity[1]
    if name.startswith("#"):
        return html.unescape(entity[0])
    return {"quote": '"', "nbsp": " "}.get(name) or html.entities.html5.get(f"{name};", entity[0])
