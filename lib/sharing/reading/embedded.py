"""JSON documents, and what is within other texts: records as JSON or as Python shows them, fields, and masked texts."""

import ast
import json
import re

from lib.sharing.reading import row_tables

BEGIN = re.compile(r"[\[{]\s*(?:[\[{]\s*)?[\"']")  # of a list or dict of strings, or of lists or dicts
BRACKET = re.compile(r"[\[{]|[\]}]|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")  # or a string
READINGS = 20
SHORTEST = 60  # characters
VALUE = re.compile(  # behind a name: in double quotes, in single quotes, or without
    r"""[:=]>?\s*(?:"((?:[^"\\\n]|\\.){1,200})"|'((?:[^'\\\n]|\\.){1,200})'|([^\s"'{}\[\](),;:=<>]{1,60}))"""
)
NAME = re.compile(r"""([A-Za-z_][\w.-]{0,30})["']?\s?$""")
LONGEST_NAME = 34  # characters, with a quote and a space
BLANK = re.compile(r"<\|infill_\w+\|>")
ANSWERS, ANSWER_END = "<|startofinfill|>", "<|endofinfill|>"


def records(text):
    """Yield each list or dict that stands in a text as JSON or as a Python literal."""
    at = 0
    budget = READINGS * len(text)  # characters that may be searched for the ends of literals
    while found := BEGIN.search(text, at):
        value, end = _json(text, found.start())
        if value is None and budget > 0:
            value, end, searched = _literal(text, found.start())
            budget -= searched
        if value is not None and end - found.start() >= SHORTEST:
            yield value
        at = max(end, found.end())


def _json(text, begin):
    """(value, its end) of what begins here; (None, begin) where it is no JSON."""
    try:
        return json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        return None, begin


def _literal(text, begin):
    """(value, its end, characters that were searched); (None, begin, ...) where it is no literal of Python."""
    end, searched = _closing_bracket(text, begin)
    try:
        return ast.literal_eval(text[begin:end]), end, searched
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None, begin, searched


def _closing_bracket(text, begin):
    """(the end of the brackets that open here, characters that were searched). Those in strings do not count."""
    depth = 0
    for found in BRACKET.finditer(text, begin):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth == 0:
            return found.end(), found.end() - begin
    return begin, len(text) - begin


def fields(text):
    """{name: its values} of all that a text writes as name: value or name=value, in any notation."""
    found = {}
    for value in VALUE.finditer(text):
        name = NAME.search(text[max(value.start() - LONGEST_NAME, 0) : value.start()])
        if name:
            found.setdefault(name[1], []).append(value[1] or value[2] or value[3])
    return found


def filled(text):
    """The lines of masked texts of ILM's format with the answers in their blanks; "" where there is none."""
    lines = [line for line in text.split("\n") if ANSWERS in line and BLANK.search(line)]
    return "\n".join(map(_fill, lines))


def _fill(line):
    masked, _, answers = line.partition(ANSWERS)
    answers = iter(answers.split(ANSWER_END))
    return BLANK.sub(lambda _: next(answers, ""), masked)


def parsed_json(text):
    """The document of a JSON text, a list of documents of JSON lines, or None."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        pass
    try:
        return [json.loads(line, object_pairs_hook=_object) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None


def _object(pairs):
    """A dict; ValueError where a key comes twice, of which a dict would keep one."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key comes twice")
    return dict(pairs)


def leaves(node, path):
    """Yield (path, string or integer) of a JSON document. path: pairs of a name and a number, "" or from 1 on."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(key, (*path, ("keys", "")))
            yield from leaves(value, (*path, (str(key), "")))
    elif isinstance(node, list) and node and all(isinstance(item, str) for item in node):
        yield path, "".join(item if item.endswith("\n") else f"{item}\n" for item in node)
    elif isinstance(node, list):
        for number, value in enumerate(node, 1):
            name = path[-1][0] if path else "item"
            yield from leaves(value, (*path[:-1], (name, number)))
    elif isinstance(node, float) and node.is_integer():
        yield path, int(node)
    elif isinstance(node, str) or (isinstance(node, int) and not isinstance(node, bool)):
        yield path, node


def id_keys(node):
    """Names of id columns in a JSON document: keys of objects in a list, or keys whose values are lists or objects."""
    if isinstance(node, list):
        rows = [item for item in node if isinstance(item, dict)]
        columns = {key: [row[key] for row in rows if key in row] for key in {key for row in rows for key in row}}
        found = {key for key, values in columns.items() if row_tables.holds_ids(key, values)}
        if node and isinstance(node[0], list):
            found |= {name for name in node[0] if row_tables.is_id_column(name)}
        return found.union(*map(id_keys, node))
    if isinstance(node, dict):
        found = {key for key, value in node.items() if row_tables.is_id_column(key) and isinstance(value, list | dict)}
        headers = [value for value in node.get("columns", []) if isinstance(value, str)] if "data" in node else []
        return found.union(filter(row_tables.is_id_column, headers), *map(id_keys, node.values()))
    return set()
