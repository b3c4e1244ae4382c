"""Documents within a text: records as JSON or as Python shows them, and texts with their masks filled in."""

import ast
import json
import re

BEGIN = re.compile(r"[\[{]\s*(?:[\[{]\s*)?[\"']")  # of a list or dict of strings, or of lists or dicts
MOST_ATTEMPTS = 2_000
SHORTEST = 60  # characters
BLANK = re.compile(r"<\|infill_\w+\|>")
ANSWERS, ANSWER_END = "<|startofinfill|>", "<|endofinfill|>"


def records(text):
    """Yield each list or dict that stands in a text as JSON or as a Python literal."""
    at = 0
    for _ in range(MOST_ATTEMPTS):
        found = BEGIN.search(text, at)
        if not found:
            return
        value, end = _value(text, found.start())
        if end - found.start() >= SHORTEST:
            yield value
        at = max(end, found.end())


def _value(text, begin):
    """(value, its end) of what begins here; (None, begin) where it is neither JSON nor a literal."""
    try:
        return json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        pass
    end = _closing_bracket(text, begin)
    try:
        return ast.literal_eval(text[begin:end]), end
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None, begin


def _closing_bracket(text, begin):
    """The end of the brackets that open here. Those in strings do not count."""
    depth = 0
    for found in re.compile(r"[\[{]|[\]}]|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'").finditer(text, begin):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth == 0:
            return found.end()
    return begin


def filled(text):
    """The lines of masked texts of ILM's format with the answers in their blanks; "" where there is none."""
    lines = [line for line in text.split("\n") if ANSWERS in line and BLANK.search(line)]
    return "\n".join(map(_fill, lines))


def _fill(line):
    masked, _, answers = line.partition(ANSWERS)
    answers = iter(answers.split(ANSWER_END))
    return BLANK.sub(lambda _: next(answers, ""), masked)
