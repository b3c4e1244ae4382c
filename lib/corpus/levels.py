"""From a file's level labels to CEFR levels. None is guessed: an unknown label is refused, with a block to fill in."""

import json
import re

import yaml

from lib.corpus.efcamdat import EF_LEVELS
from lib.corpus.formats.notes import locate_rows
from lib.design import CEFR
from lib.errors import CorpusError
from lib.formatting import nearest_sentence

LABEL_CHARACTERS, LABEL_WORDS = 30, 4  # of the longest name or label that a message shows
MAX_LABELS = 100  # labels in a message; a column with more holds no levels, but perhaps texts, and is not shown
CEFR_LABEL = re.compile(r"(?<![A-Z0-9])([ABC][12])(?![0-9])", re.IGNORECASE)
SHORT_SCALE = 6  # a scale of numbers that ends here or below may have one number for each CEFR level
FILL_IN = "FILL_IN"  # what a block says of a label that names no single CEFR level


def to_cefr(level, levels=None):
    """A Series of the file's levels as A1 to C2, "drop" where `levels` says so, missing where unknown.

    EF's numbers 1 to 16 are known only without `levels`: in another corpus, 2 means something else.
    """
    mapping = {_folded(label): cefr for label, cefr in (levels or {}).items()} or EF_LEVELS
    return level.str.strip().str.upper().map({cefr: cefr for cefr in CEFR} | mapping)


def _folded(label):
    return plain_number(label.strip()).upper()


def plain_number(cell):
    """Workbooks and data frames store whole numbers as floats: 3.0 is the id or level 3."""
    whole, point, zeros = cell.partition(".")
    if point and whole.isdecimal() and zeros and not zeros.strip("0"):
        return whole
    return cell


def shorten_label(cell):
    """A name or label as a message may show it: of a cell as long as a text, only its length."""
    if len(cell) > LABEL_CHARACTERS or len(cell.split()) > LABEL_WORDS:
        return f"({len(cell):,} characters)"
    return cell


def refuse_numeric_levels(table, source, settings):
    """Refuse levels that are numbers, unless they are EF's.

    EF's numbers are read in release 2, and in the column `level` beside `writing_id` on a scale that goes beyond 6.
    table: one file's rows. source: its dict, as `reading.read_corpus` describes. Raises CorpusError.
    """
    numbers = [int(label) for label in table["level"].unique() if label in EF_LEVELS]
    if settings.levels or source["format"] == "xml" or not numbers:
        return
    columns = {name: column.lower() for name, column in source["columns"].items()}
    efcamdat = columns["level"] == "level" and columns["text_id"] == "writing_id" and "level" not in settings.columns
    if efcamdat and max(numbers) > SHORT_SCALE:
        return
    column = shorten_label(source["columns"]["level"])
    reason = f"The column is called {column}"
    if max(numbers) <= SHORT_SCALE:
        reason = f"The scale ends at {max(numbers)}"
    raise CorpusError(
        f"{source['file']}: the levels in {column} are numbers. {reason}, so they may not be EF's 1 to 16. These are "
        f"read only in release 2 and in EFCAMDAT's column level. {_list_labels(table['level'])} Expected: "
        f"{', '.join(CEFR)}. {_paste_block(table['level'])}"
    )


def cefr_levels(table, levels, sources=None):
    """The CEFR levels of a table, a Series. sources: as `reading.read_corpus` returns them, to locate rows.

    Raises CorpusError for unknown levels, with all labels of the table.
    """
    found = to_cefr(table["level"], levels)
    unknown = table.index[found.isna()]
    if len(unknown):
        raise CorpusError(_unknown_message(table, unknown, levels, sources))
    return found


def _unknown_message(table, unknown, levels, sources):
    first = [shorten_label(table["level"][row]) for row in unknown[:3]]
    if table["level"].nunique() > MAX_LABELS:
        first = ["(not shown)"] * len(first)
    ids = [table["text_id"][row][:40] for row in unknown[:3]]
    rows = [
        f"{position}: {label!r} (text id {text_id})"
        for position, label, text_id in zip(locate_rows(sources, unknown[:3]), first, ids)
    ]
    others = " or ".join(map(repr, levels)) if levels else "in EFCAMDAT an EF level from 1 to 16"
    return (
        f"{len(unknown)} texts have an unknown level ({'; '.join(rows)}). Expected: {', '.join(CEFR)}, or {others}. "
        f"{nearest_sentence(first[0].upper(), CEFR)}{_list_labels(table['level'])} Correct the level in the file, or "
        f"say what it is. {_paste_block(table['level'], levels)}"
    )


def _list_labels(level):
    counts = level.value_counts().sort_index()
    if len(counts) > MAX_LABELS:
        return f"All labels: {len(counts):,} different ones, so the column seems to hold no levels."
    listed = [f"{shorten_label(label)!r} {n:,}" for label, n in counts.items()]
    return f"All labels, with their texts: {', '.join(listed)}."


def _paste_block(level, levels=None):
    if level.nunique() > MAX_LABELS:
        return "Name the column of levels under `columns:` in corpus.yaml."
    proposed = (levels or {}) | propose_levels(level, levels)
    first_line = "Replace the line `levels:` of corpus.yaml by these, and correct them (drop leaves texts out):"
    return "\n".join([first_line, *yaml_block("levels", proposed)])


def propose_levels(level, levels=None):
    """{label: CEFR level, or FILL_IN} for the labels of a Series that are neither CEFR levels nor in `levels`.

    A label that names one CEFR level gets it. Numbers get EF's levels where the scale goes beyond 6. Of a column with
    more than MAX_LABELS labels, none is proposed.
    """
    if level.nunique() > MAX_LABELS:
        return {}
    labels = [label for label in sorted(level.unique()) if label and shorten_label(label) == label]
    numbers = [int(label) for label in labels if label in EF_LEVELS]
    ef_levels = EF_LEVELS if max(numbers, default=0) > SHORT_SCALE else {}
    known = {*CEFR, *map(_folded, levels or {})}
    return {label: ef_levels.get(label) or named_level(label) for label in labels if label.strip().upper() not in known}


def named_level(label):
    """The CEFR level that a label names, or FILL_IN where it names none or several."""
    named = {level.upper() for level in CEFR_LABEL.findall(label)}
    return named.pop() if len(named) == 1 else FILL_IN


def yaml_block(name, values):
    """Lines to paste into corpus.yaml; `name: {}` without values, {label: name or level}."""
    if not values:
        return [f"{name}: {{}}"]
    return [f"{name}:", *(f"  {yaml_entry(label, value)}" for label, value in values.items())]


def yaml_entry(label, value):
    """An entry of a mapping, `label: value`. Each is quoted where YAML needs it."""
    return f"{_plain(label)}: {_plain(value)}"


def _quoted(label):
    """As YAML reads it, with characters that move a terminal's cursor escaped."""
    return json.dumps(label, ensure_ascii=not label.isprintable())


def _plain(value):
    """A name as YAML reads it without quotes, or quoted where YAML would read a boolean or a number."""
    is_plain = re.fullmatch("[A-Za-z][A-Za-z0-9_]*", value) and yaml.safe_load(value) == value
    return value if is_plain else _quoted(value)
