"""Rows of JSON: an object a line, or one list of objects. Two public layouts are known by their keys.

UniversalCEFR (title, lang, source_name, format, category, cefr_level, license, text) has no ids: a text is known by the
file's name and its line. W&I+LOCNESS of BEA-2019 (id, userid, cefr, text, edits) has its corrections as edits.
"""

import json
from pathlib import Path

from lib.errors import CorpusError

UNIVERSAL = {"title", "lang", "source_name", "cefr_level", "text"}
BEA = {"id", "userid", "cefr", "text", "edits"}


def parts(file, encoding, notes):
    """The one table; a cell that an object lacks is empty. Raises CorpusError for a line that is no object."""
    objects = list(_objects(file, encoding, notes))
    header = list(dict.fromkeys(key for _, one in objects for key in one))
    if not header:
        return [(None, [], iter([]))]
    if set(header) >= BEA:
        header = [{"userid": "learner_id"}.get(key, key) for key in header]
        objects = [
            (n, {**one, "learner_id": one.get("userid"), "text_corrected": _corrected(one)}) for n, one in objects
        ]
        header += ["text_corrected"]
    elif set(header) >= UNIVERSAL and not {"id", "text_id", "writing_id"} & set(header):
        objects = [(n, {**one, "text_id": f"{Path(file).stem}:{n}"}) for n, one in objects]
        header += ["text_id"]
    return [(None, header, _rows(objects, header, notes))]


def _rows(objects, header, notes):
    for number, one in objects:
        notes.read(number)
        yield [_cell(one.get(key)) for key in header]


def _objects(file, encoding, notes):
    """(line or place in the list, object) for each."""
    with open(file, encoding=encoding) as stream:
        if stream.read(4096).lstrip().startswith("["):
            stream.seek(0)
            numbered = enumerate(_loaded(file, 1, stream.read()), 1)
        else:
            stream.seek(0)
            numbered = ((n, _loaded(file, n, line)) for n, line in enumerate(stream, 1) if _filled(line, notes))
        for number, one in numbered:
            if not isinstance(one, dict):
                raise CorpusError(
                    f"{file}: line {number:,} is no JSON object. Expected: {{...}} with names and values."
                )
            yield number, one


def _filled(line, notes):
    notes.empty_rows += not line.strip()
    return bool(line.strip())


def _loaded(file, line, text):
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line += getattr(error, "lineno", 1) - 1
        raise CorpusError(
            f"{file}: line {line:,} is not readable as JSON ({getattr(error, 'msg', 'nested too deeply')}). Expected: "
            "an object a line, or one list of objects. The file is cut, or has been edited by hand. Copy it again."
        ) from None


def _cell(value):
    """Halves of a character (surrogates) that belong together are joined; a lone one is no character."""
    if value is None or isinstance(value, (bool, int, float)):
        return "" if value is None else value
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _corrected(one):
    """The text with the first annotator's edits: [[annotator, [[start, end, new wording or None], ...]], ...]."""
    text = one.get("text") or ""
    edits = one.get("edits") or []
    first = edits[0][1] if edits else []
    for start, end, wording, *_ in sorted(first, key=lambda edit: (edit[0], edit[1]), reverse=True):
        if wording is not None:
            text = text[:start] + wording + text[end:]
    return text
