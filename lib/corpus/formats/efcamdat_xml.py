"""EFCAMDAT's release 2: writings out of XML that is not well-formed, one at a time, nothing expanded.

<writing id level><learner id nationality/><topic id/>...<text>...</text></writing>; corrections stand in the text as
<change><selection>wrong</selection><tag><symbol/><correct>right</correct></tag></change> and may nest.
No XML parser is used: strict ones stop at the first raw <br>, and tolerant ones drop what they do not understand. lxml,
told to recover, gave 109 of 100,000 made-up writings with such damage. Here a sign that begins none of the known tags
is one that the learner typed; damage stays within its writing and is counted.
"""

import html
import html.entities
import re

from lib.errors import CorpusError

BLOCK = 2**22  # characters read at a time
LONGEST = 2**26  # characters; a longer writing has lost its end
L1S = {
    "br": "Portuguese", "cn": "Mandarin", "tw": "Mandarin", "mx": "Spanish", "ru": "Russian", "de": "German",
    "it": "Italian", "fr": "French", "sa": "Arabic", "jp": "Japanese", "tr": "Turkish",
}  # fmt: skip
ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(["'])(.*?)\2""", re.DOTALL)
WRITING = re.compile(r"<writing\s")
LEARNER, TOPIC = re.compile(r"<learner\s([^>]*)>"), re.compile(r"<topic\s([^>]*)>")
TEXT, EMPTY = re.compile(r"<text(?:\s[^>]*)?(?<!/)>"), re.compile(r"<text(?:\s[^>]*)?/>")
CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
CHANGE = re.compile(r"(</?(?:change|selection|tag|symbol|correct)(?:\s[^<>]*)?/?>)")
LINE_BREAK, CODE = re.compile(r"</?br\s*/?>", re.IGNORECASE), re.compile(r"</?code\s*/?>", re.IGNORECASE)
ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
PAIR = re.compile(r"&#(x[0-9a-f]{4}|[0-9]{5});&#(x[0-9a-f]{4}|[0-9]{5});", re.IGNORECASE)
DEEPEST = 8  # times that an entity may have been escaped


class Unreadable(ValueError):
    """One writing is too damaged; the message is the reason under which it is counted."""


def parts(file, encoding, text_column, notes):
    """The one table, a row for each writing. text_column: text, or text_corrected with corrections carried out.

    Raises CorpusError, on the way, for a cut file and for a DTD.
    """
    header = ["writing_id", "level", "learner_id", "l1", "topic_id", text_column]
    return [(None, header, _rows(file, encoding, text_column == "text_corrected", notes))]


def _rows(file, encoding, corrected, notes):
    for number, piece in enumerate(_pieces(file, encoding), 1):
        try:
            row = _writing(piece, corrected)
        except Unreadable as damage:
            notes.unreadable[str(damage)] += 1
            continue
        notes.read(number)
        yield row


def _pieces(file, encoding):
    """Yield what stands between `<writing ` and `</writing>`, as a stream."""
    n_whole = 0
    with open(file, encoding=encoding) as stream:
        rest = block = stream.read(BLOCK)
        closing = _closing_tag(file, block)
        while block:
            *done, rest = rest.split("</writing>")
            n_whole += len(done)
            for piece in done:
                yield from WRITING.split(piece)[1:]  # more than one where an end tag is missing
            if len(rest) > LONGEST:
                raise CorpusError(f"{file}: writing {n_whole + 1:,} does not end within {LONGEST:,} characters.")
            block = stream.read(BLOCK)
            rest += block
    if closing not in rest or WRITING.search(rest):
        raise CorpusError(
            f"{file} is cut: {n_whole:,} writings are whole, then it ends without {closing}. "
            "Expected: the whole file. Download or copy it again."
        )


def _closing_tag(file, block):
    """The tag that a whole file ends with; refuses what does not begin like release 2."""
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


def _writing(piece, corrected):
    about, text = _parted(piece)
    own = _attributes(about[: about.find(">")])
    learner, topic = (_attributes(tag[1]) if (tag := kind.search(about)) else {} for kind in (LEARNER, TOPIC))
    if not own.get("id"):
        raise Unreadable("no writing id")
    l1 = L1S.get(learner.get("nationality", "").lower(), "")
    text = _as_typed(_resolved(text, corrected))
    return own["id"], own.get("level", ""), learner.get("id", ""), l1, topic.get("id", ""), text


def _parted(piece):
    """(what stands around the text, the text)"""
    start, end = TEXT.search(piece), piece.rfind("</text>")
    if not start and end < 0 and (empty := EMPTY.search(piece)):
        return piece[: empty.start()] + piece[empty.end() :], ""
    if not start or end < start.end():
        raise Unreadable("text without begin or end")
    text = piece[start.end() : end]
    return piece[: start.start()] + piece[end:], CDATA.sub(r"\1", text) if "<![" in text else text


def _attributes(tag):
    return {name: value for name, _, value in ATTRIBUTE.findall(tag)}


def _resolved(text, corrected):
    """The text without its corrections: each replaced by the wording it marks, or by the one it proposes."""
    stack = [{"tag": "text", "words": ""}]  # open tags, the innermost last
    for n, piece in enumerate(CHANGE.split(text)):
        if n % 2 == 0:
            stack[-1]["words"] += piece
            continue
        tag = piece.strip("</>").split()[0]
        if not piece.startswith("</"):
            stack.append({"tag": tag, "words": ""})
        if piece.startswith("</") or piece.endswith("/>"):
            _close(stack, tag, corrected)
    if len(stack) > 1:
        raise Unreadable("a correction without end")
    return stack[0]["words"]


def _close(stack, tag, corrected):
    """Close the innermost tag and hand what it holds to the one around it."""
    done = stack.pop()
    if done["tag"] != tag or not stack:
        raise Unreadable("corrections that do not nest")
    if tag in ("change", "tag") and done["words"].strip():
        raise Unreadable("words between the parts of a correction")
    around = stack[-1]
    if tag == "change":
        around["words"] += _wording(done, corrected)
    elif tag == "tag":  # of several proposals the first counts
        around.setdefault("symbol", done.get("symbol", ""))
        around.setdefault("correct", done.get("correct", ""))
    else:
        around[tag] = done["words"]


def _wording(change, corrected):
    """Without a proposal the selection stays, unless the symbol says delete (D)."""
    deleted = change.get("symbol", "").strip() == "D"
    if corrected and (change.get("correct", "").strip() or deleted):
        return change.get("correct", "")
    if "selection" not in change:
        raise Unreadable("a correction without selection")
    return change["selection"]


def _as_typed(text):
    """Characters for entities, however often escaped; line ends for <br>; spaces at the ends of lines are layout."""
    for _ in range(DEEPEST):
        before, text = text, ENTITY.sub(_character, PAIR.sub(_joined, text) if ";&#" in text else text)
        if text == before:
            break
    if "<" in text:
        text = "\n".join(line.strip() for line in LINE_BREAK.split(CODE.sub("", text)))
    return text.strip()


def _joined(pair):
    """The character of which two entities give a half each, as UTF-16 writes it (surrogates)."""
    first, second = (int(half[1:], 16) if half[0] in "xX" else int(half) for half in pair.groups())
    if 0xD800 <= first < 0xDC00 <= second < 0xE000:
        return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    return pair[0]


def _character(entity):
    name = entity[1]
    if name.startswith("#"):
        return html.unescape(entity[0])
    return {"quote": '"', "nbsp": " "}.get(name) or html.entities.html5.get(f"{name};", entity[0])
