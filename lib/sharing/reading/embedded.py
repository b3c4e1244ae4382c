"""Documents within a text: records as JSON or as Python shows them, and texts with their masks filled in."""

import ast
import json
import re

BEGIN = re.compile(r"[\[{]\s*(?:[\[{]\s*)?[\"']")  # of a list or dict of strings, or of lists or dicts
BRACKET = re.compile(r"[\[{]|[\]}]|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")  # or a string
READINGS = 20
SHORTEST = 60  # characters
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
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None, begin, searched


def _closing_bracket(text, begin):
    """(the end of the brackets that open here, characters that were searched). Those in strings do not count."""
    depth = 0
    for found in BRACKET.finditer(text, begin):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth == 0:
            return found.end(), found.end() - begin
    return begin, len(text) - begin


def filled(text):
    """The lines of masked texts of ILM's format with the answers in their blanks; "" where there is none."""
    lines = [line for line in text.split("\n") if ANSWERS in line and BLANK.search(line)]
    return "\n".join(map(_fill, lines))


def _fill(line):
    masked, _, answers = line.partition(ANSWERS)
    answers = iter(answers.split(ANSWER_END))
    return BLANK.sub(lambda _: next(answers, ""), masked)
