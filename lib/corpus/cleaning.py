"""Texts made comparable: levels, ids and white space; every dropped row counted by its reason."""

from lib.corpus.efcamdat import EF_LEVELS
from lib.design import CEFR, LEVELS
from lib.errors import CorpusError
from lib.formatting import nearest_told


def clean(table, levels=None):
    """Keep what can be studied, count what cannot.

    levels: the file's level -> CEFR level or "drop", for other corpora. Returns (texts, dropped): texts sorted by
    text_id with CEFR levels, dropped {reason: count}; neither depends on the order of the rows. Raises CorpusError for
    unknown levels, and for ids that are missing or stand for different rows.
    """
    _refuse_empty_ids(table)
    texts = table.assign(
        level=_known_levels(table, levels),
        text=table["text"].str.replace("\r\n", "\n").str.replace("\r", "\n"),
        text_id=_numbers_where_possible(table["text_id"]),
    )
    texts = texts.sort_values("text_id", kind="stable", ignore_index=True)
    once = texts.drop_duplicates()
    refuse_ids(once["text_id"][once["text_id"].duplicated()], "stand for two different rows")
    dropped = {"same row twice": len(texts) - len(once)}
    for reason, keep in {
        **{f"level {name}": lambda t, name=name: t["level"] != name for name in CEFR if name not in LEVELS},
        **({"level left out": lambda t: t["level"] != "drop"} if levels else {}),
        "empty text": lambda t: t["text"].str.strip() != "",
        "same words as another text": lambda t: ~fold(t["text"]).duplicated(),
    }.items():
        kept = once[keep(once)]
        dropped[reason], once = len(once) - len(kept), kept
    return once.reset_index(drop=True), dropped


def cefr(level, levels=None):
    """A series of the file's levels as A1 to C2, "drop" where `levels` says so, missing where unknown.

    EF's numbers 1 to 16 are known only without `levels`: 2 means something else in another corpus.
    """
    own = {plain_number(name.strip()).upper(): band for name, band in (levels or {}).items()}
    return level.str.strip().str.upper().map({band: band for band in CEFR} | (own or EF_LEVELS))


def plain_number(cell):
    """Workbooks and data frames store whole numbers as floats: 3.0 is the id or level 3."""
    whole, point, zeros = cell.partition(".")
    return whole if point and whole.isdecimal() and zeros and not zeros.strip("0") else cell


def _known_levels(table, levels):
    found = cefr(table["level"], levels)
    unknown = table.index[found.isna()]
    if len(unknown):
        rows = [f"row {i + 2}: {table['level'][i][:40]!r} (text id {table['text_id'][i][:40]})" for i in unknown[:3]]
        near = nearest_told(table["level"][unknown[0]].upper(), CEFR)
        raise CorpusError(
            f"{len(unknown)} texts have an unknown level ({'; '.join(rows)}). Expected: {', '.join(CEFR)}, "
            f"or {' or '.join(map(repr, levels)) if levels else 'an EF level from 1 to 16'}. "
            f"{near}Correct the level in the file, or say under `levels:` in "
            'corpus.yaml which level it is ("drop" leaves its texts out).'
        )
    return found


def _refuse_empty_ids(table):
    empty = table.index[table["text_id"] == ""]
    if len(empty):
        rows = ", ".join(f"row {i + 2}" for i in empty[:3])
        raise CorpusError(f"{len(empty)} texts have no id ({rows}). Expected: an id for each. Fill in the column.")


def _numbers_where_possible(ids):
    return ids.astype("int64") if ids.str.fullmatch("[0-9]{1,18}").all() else ids


def refuse_ids(ids, fault):
    if len(ids):
        first = ", ".join(str(name)[:40] or "(empty)" for name in ids.unique()[:3])
        raise CorpusError(
            f"{ids.nunique()} text ids {fault} (first: {first}). Expected: one id for "
            "one text by one learner at one level. Correct the rows in the file, or remove those that are wrong."
        )


def fold(text):
    """A series of texts without case, digits, punctuation and spaces; one without letters keeps its signs."""
    letters = text.str.lower().str.replace(r"[\W\d_]+", "", regex=True)
    return letters.where(letters != "", text)
