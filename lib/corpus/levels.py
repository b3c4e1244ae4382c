"""CEFR levels out of what a file calls them. None is guessed: what is not known is refused, with a block to fill in."""

import json
import re

from lib.corpus.efcamdat import EF_LEVELS
from lib.corpus.formats.notes import own_rows
from lib.design import CEFR
from lib.errors import CorpusError
from lib.formatting import nearest_sentence

LABEL, WORDS = 30, 4  # characters and words of the longest name or label that a message shows
SHOWN = 40  # labels in a message
BAND = re.compile(r"(?<![A-Z0-9])([ABC][12])(?![0-9])", re.IGNORECASE)
SHORT_SCALE = 6  # a scale that ends here or below may have a number for each CEFR level


def to_cefr(level, levels=None):
    """A series of the file's levels as A1 to C2, "drop" where `levels` says so, missing where unknown.

    EF's numbers 1 to 16 are known only without `levels`: 2 means something else in another corpus.
    """
    own = {plain_number(name.strip()).upper(): band for name, band in (levels or {}).items()}
    return level.str.strip().str.upper().map({band: band for band in CEFR} | (own or EF_LEVELS))


def plain_number(cell):
    """Workbooks and data frames store whole numbers as floats: 3.0 is the id or level 3."""
    whole, point, zeros = cell.partition(".")
    return whole if point and whole.isdecimal() and zeros and not zeros.strip("0") else cell


def shown(cell):
    """A name or label as a message may show it: what is as long as a text is told by its length."""
    long = len(cell) > LABEL or len(cell.split()) > WORDS
    return f"({len(cell):,} characters)" if long else cell


def refuse_numbers(table, source, settings):
    """Refuse levels that are numbers, unless they are EF's: in release 2, or in the column that EFCAMDAT itself calls
    level, on a scale that goes beyond 6.

    table: one file's rows. source: its dict, as `reading.read` describes. Raises CorpusError.
    """
    labels = table["level"].unique()
    numbers = [int(label) for label in labels if label in EF_LEVELS]
    if settings.levels or source["shape"] == "xml" or not numbers:
        return
    names = {ours: name.lower() for ours, name in source["columns"].items()}
    own = names["level"] == "level" and names["text_id"] == "writing_id" and "level" not in settings.columns
    if own and max(numbers) > SHORT_SCALE:
        return
    column = shown(source["columns"]["level"])
    why = f"The scale ends at {max(numbers)}" if max(numbers) <= SHORT_SCALE else f"The column is called {column}"
    raise CorpusError(
        f"{source['file']}: the levels in {column} are numbers. {why}, so they may not be EF's 1 to 16, which are read "
        f"as such in release 2 and in EFCAMDAT's own column level. {_labels(table['level'])} Expected: "
        f"{', '.join(CEFR)}. {_block(table['level'])}"
    )


def known(table, levels, sources=None):
    """The CEFR levels of a table, a Series. sources: as `reading.read` returns them; rows are told by them.

    Raises CorpusError for unknown levels, with all labels that the table has.
    """
    found = to_cefr(table["level"], levels)
    unknown = table.index[found.isna()]
    if len(unknown):
        places = own_rows(sources, unknown[:3])
        rows = [
            f"{at}: {shown(table['level'][i])!r} (text id {table['text_id'][i][:40]})" for at, i in zip(places, unknown)
        ]
        near = nearest_sentence(shown(table["level"][unknown[0]]).upper(), CEFR)
        raise CorpusError(
            f"{len(unknown)} texts have an unknown level ({'; '.join(rows)}). Expected: {', '.join(CEFR)}, "
            f"or {' or '.join(map(repr, levels)) if levels else 'in EFCAMDAT an EF level from 1 to 16'}. {near}"
            f"{_labels(table['level'])} Correct the level in the file, or say what it is. "
            f"{_block(table['level'], levels)}"
        )
    return found


def _labels(level):
    counts = level.value_counts().sort_index()
    told = [f"{shown(label)!r} {n:,}" for label, n in counts[:SHOWN].items()]
    more = f" and {len(counts) - SHOWN:,} more" if len(counts) > SHOWN else ""
    return f"All labels, with their texts: {', '.join(told)}{more}."


def _block(level, levels=None):
    """Lines for corpus.yaml; a label that names one CEFR level gets it, the others wait for the user."""
    labels = [label for label in sorted(level.unique()) if label and shown(label) == label]
    numbers = [int(label) for label in labels if label in EF_LEVELS]
    of_ef = EF_LEVELS if max(numbers, default=0) > SHORT_SCALE else {}
    told = (levels or {}) | {
        label: of_ef.get(label) or _named(label) for label in labels[:SHOWN] if not _told(label, levels)
    }
    lines = [f"  {_quoted(label)}: {band}" for label, band in told.items()]
    return "\n".join(
        ["Paste under `levels:` into corpus.yaml, and correct (drop leaves texts out):", "levels:", *lines]
    )


def _told(label, levels):
    """Does a label need no line? It is a CEFR level's own name, or one that `levels` has."""
    return label.strip().upper() in {*CEFR, *(plain_number(name.strip()).upper() for name in levels or {})}


def _named(label):
    bands = {band.upper() for band in BAND.findall(label)}
    return bands.pop() if len(bands) == 1 else "FILL_IN"


def _quoted(label):
    """As YAML reads it, with what would move a terminal's cursor spelled out."""
    return json.dumps(label, ensure_ascii=not label.isprintable())
