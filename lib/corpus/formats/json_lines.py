"""Rows of JSON: an object a line, or one list of objects. Two public layouts are known by their keys.

UniversalCEFR (title, lang, source_name, format, category, cefr_level, license, text) has no ids: a text is identified
by the file's name and its line. W&I+LOCNESS of BEA-2019 (id, userid, cefr, text, edits) has its corrections as edits.
"""

import json
from pathlib import Path

from lib.errors import CorpusError

UNIVERSAL_CEFR = {"title", "lang", "source_name", "cefr_level", "text"}
BEA_2019 = {"id", "userid", "cefr", "text", "edits"}
MAX_NAMES = 1_000  # in all objects; more are no columns of a table, and a table with all of them would fill the memory
IDS = {"id", "text_id", "writing_id"}


def open_tables(file, encoding, notes):
    """The one table of the file; a cell that an object lacks is empty. Raises CorpusError for a line without object."""
    records = list(_records(file, encoding, notes))
    header = list(dict.fromkeys(key for _, record in records for key in record))
    if len(header) > MAX_NAMES:
        raise CorpusError(
            f"{file}: its {len(records):,} objects have {len(header):,} different names. Expected: the same few names "
            "in each object, such as text_id, level, text."
        )
    if set(header) >= BEA_2019:
        header = ["learner_id" if key == "userid" else key for key in header] + ["text_corrected"]
        records = [(number, _from_bea(record)) for number, record in records]
    elif set(header) >= UNIVERSAL_CEFR and not IDS & set(header):
        header = [*header, "text_id"]
        records = [(number, record | {"text_id": f"{Path(file).stem}:{number}"}) for number, record in records]
    return [(None, header, _rows(records, header, notes))]


def _rows(records, header, notes):
    for number, record in records:
        cells = [_cell(record.get(key)) for key in header]
        if not any(str(cell).strip() for cell in cells):
            notes.empty_rows += 1
            continue
        notes.count_row(number)
        yield cells


def _records(file, encoding, notes):
    """(line, or position in the list, and object) of each text."""
    for number, record in _numbered(file, encoding, notes):
        if not isinstance(record, dict):
            raise CorpusError(f"{file}: line {number:,} is no JSON object. Expected: {{...}} with names and values.")
        yield number, record


def _numbered(file, encoding, notes):
    with open(file, encoding=encoding) as stream:
        is_list = stream.read(4096).lstrip().startswith("[")
        stream.seek(0)
        notes.row_name = "entry" if is_list else "line"
        if is_list:
            yield from enumerate(_parse(file, 1, stream.read()), 1)
            return
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield number, _parse(file, number, line)
            else:
                notes.empty_rows += 1


def _parse(file, line, text):
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        line += getattr(error, "lineno", 1) - 1
        raise CorpusError(
            f"{file}: line {line:,} is not readable as JSON ({getattr(error, 'msg', 'nested too deeply')}). Expected: "
            "an object a line, or one list of objects. The file is cut, or has been edited by hand. Copy it again."
        ) from None


def _cell(value):
    """A value as text or number. Halves of a character (surrogates) are joined; a single half is no character."""
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return value
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if any("\ud800" <= character <= "\udfff" for character in value):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _from_bea(record):
    return record | {"learner_id": record.get("userid"), "text_corrected": _corrected(record)}


def _corrected(record):
    """The text with the first annotator's edits: [[annotator, [[start, end, new wording or None], ...]], ...]."""
    text = record.get("text") or ""
    annotators = record.get("edits") or []
    edits = annotators[0][1] if annotators else []
    for start, end, wording, *_ in sorted(edits, key=lambda edit: (edit[0], edit[1]), reverse=True):
        if wording is not None:
            text = text[:start] + wording + text[end:]
    return text
