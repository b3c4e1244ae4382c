"""Texts made comparable: levels, ids and white space; every dropped row counted by its reason."""

from lib.corpus.formats.notes import own_rows
from lib.corpus.levels import known
from lib.design import CEFR, LEVELS
from lib.errors import CorpusError


def clean_texts(table, levels=None, sources=None):
    """Keep what can be studied, count what cannot.

    levels: the file's level -> CEFR level or "drop", for other corpora. sources: as `reading.read` returns them, by
    which refusals name a row's file and its number there. Returns (texts, dropped): texts sorted by text_id with CEFR
    levels, dropped {reason: count}; neither depends on the order of the rows. Raises CorpusError for unknown levels,
    and for ids that are missing or stand for different rows.
    """
    _refuse_empty_ids(table, sources)
    texts = table.assign(
        level=known(table, levels, sources),
        text=table["text"].str.replace("\r\n", "\n").str.replace("\r", "\n"),
        text_id=_numbers_where_possible(table["text_id"]),
    )
    texts = texts.sort_values("text_id", kind="stable", ignore_index=True)
    once = texts.drop_duplicates()
    twice = once["text_id"][once["text_id"].duplicated()]
    refuse_ids(twice, "stand for two different rows", _rows_of(twice, table, sources))
    dropped = {"same row twice": len(texts) - len(once)}
    for reason, keep in {
        **{f"level {name}": lambda t, name=name: t["level"] != name for name in CEFR if name not in LEVELS},
        **({"level left out": lambda t: t["level"] != "drop"} if levels else {}),
        "empty text": lambda t: t["text"].str.strip() != "",
        "same words as another text": lambda t: ~fold_case_and_space(t["text"]).duplicated(),
    }.items():
        kept = once[keep(once)]
        dropped[reason], once = len(once) - len(kept), kept
    return once.reset_index(drop=True), dropped


def _refuse_empty_ids(table, sources):
    empty = table.index[table["text_id"] == ""]
    if len(empty):
        rows = "; ".join(own_rows(sources, empty[:3]))
        raise CorpusError(f"{len(empty)} texts have no id ({rows}). Expected: an id for each. Fill in the column.")


def _numbers_where_possible(ids):
    return ids.astype("int64") if ids.str.fullmatch("[0-9]{1,18}").all() else ids


def _rows_of(ids, table, sources):
    """Where the first of ids stands, in words; "" without sources."""
    if not len(ids) or sources is None:
        return ""
    rows = table.index[_numbers_where_possible(table["text_id"]) == ids.iloc[0]]
    return f" The first stands in {'; '.join(own_rows(sources, rows[:3]))}."


def refuse_ids(ids, fault, where=""):
    """Raise CorpusError that names the first of ids, if there are any. where: a sentence on where they stand."""
    if len(ids):
        first = ", ".join(str(name)[:40] or "(empty)" for name in ids.unique()[:3])
        raise CorpusError(
            f"{ids.nunique()} text ids {fault} (first: {first}).{where} Expected: one id for one text by one learner "
            "at one level. Correct the rows in the file, or remove those that are wrong; if each file counts from 1, "
            "put the file's name before its ids."
        )


def fold_case_and_space(text):
    """A series of texts without case, digits, punctuation and spaces; one without letters keeps its signs."""
    letters = text.str.lower().str.replace(r"[\W\d_]+", "", regex=True)
    return letters.where(letters != "", text)
