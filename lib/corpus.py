"""A corpus file in, one clean table out; every row that does not arrive is counted by its reason.

Facts about EFCAMDAT: Geertzen, Alexopoulou & Korhonen (2013); cleaned subcorpus: Shatz (2020).
"""

import difflib
from pathlib import Path

import pandas as pd

from lib.runs import LEVELS

# name of a column in the files -> name here; the first that a file has wins
COLUMNS = {
    "text_id": ["writing_id", "text_id", "id"],
    "learner_id": ["learner_id"],
    "level": ["cefr", "cefr_level", "cefr_label", "level"],
    "l1": ["l1"],
    "topic_id": ["topic_id", "topic"],
}
OPTIONAL = ["learner_id", "l1", "topic_id"]
BANDS = [*LEVELS, "C2"]
EF_LEVELS = {str(n): BANDS[(n - 1) // 3] for n in range(1, 17)}  # EF's 16 course levels, three a band


class CorpusError(ValueError):
    """The corpus file cannot be used; the message says what was found, what was expected, and the way on."""


def read(path, text_column="text"):
    """A corpus file (CSV, or XLSX recognised by its first bytes) as text columns in this project's names.

    Returns a frame with text_id, learner_id, level, l1, topic_id, text, all str; "" where the file has no such
    column. Every cell stays text: "NA", "None" and "=1+1" are texts. Raises CorpusError.
    """
    path = Path(path)
    if not path.exists():
        raise CorpusError(
            f"{path} does not exist. Expected: a corpus file, CSV or XLSX (CORPUS=...); "
            "`make demo` writes the embedded one to runs/synthetic_corpus.csv."
        )
    with open(path, "rb") as file:
        workbook = file.read(4) == b"PK\x03\x04"
    table = _read_xlsx(path) if workbook else _read_csv(path)
    return _rename(table, path, text_column)


def _read_csv(path):
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8 and try again.") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise CorpusError(f"{path} is not a readable CSV table: {error}") from None


def _read_xlsx(path):
    try:
        table = pd.read_excel(path, engine="calamine", dtype=object, keep_default_na=False, na_filter=False)
    except Exception as error:  # calamine has no exception class of its own for a damaged workbook
        raise CorpusError(f"{path} is not a readable workbook: {error}") from None
    return table.map(_cell_text)


def _cell_text(cell):
    """Workbooks store whole numbers as floats: 3.0 is the id or level 3."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _rename(table, path, text_column):
    found = {column.strip().lower(): column for column in table.columns}
    table = pd.DataFrame({name: table[column] for name, column in found.items()})
    result = {}
    for name, candidates in {**COLUMNS, "text": [text_column]}.items():
        present = [candidate for candidate in candidates if candidate in table]
        if not present and name not in OPTIONAL:
            nearest = difflib.get_close_matches(candidates[0], found, 1, cutoff=0) or ["none"]
            raise CorpusError(
                f"{path}: no column {' or '.join(candidates)}. Found: {', '.join(found)}. "
                f"Nearest: {nearest[0]}. Rename the column, or choose another text_column in corpus.yaml."
            )
        result[name] = table[present[0]].fillna("") if present else ""
    return pd.DataFrame(result)


def clean(table):
    """Keep what can be studied, count what cannot.

    Returns (texts, dropped): texts sorted by text_id with CEFR levels, dropped {reason: count}.
    Raises CorpusError for unknown levels and for ids that two different texts share.
    """
    texts = table.assign(
        level=_cefr(table["level"]),
        text=table["text"].str.replace("\r\n", "\n").str.replace("\r", "\n"),
        text_id=_numbers_where_possible(table["text_id"]),
    )
    texts = texts.sort_values("text_id", kind="stable", ignore_index=True)
    dropped = {}
    for reason, keep in {
        "level C2": lambda t: t["level"] != "C2",
        "empty text": lambda t: t["text"].str.strip() != "",
        "same row twice": lambda t: ~t.duplicated(),
        "same words as another text": lambda t: ~fold(t["text"]).duplicated(),
    }.items():
        kept = texts[keep(texts)]
        dropped[reason] = len(texts) - len(kept)
        texts = kept
        if reason == "same row twice":
            _refuse_shared_ids(texts)
    return texts.reset_index(drop=True), dropped


def _cefr(level):
    cefr = level.str.strip().str.upper().replace(EF_LEVELS)
    unknown = ~cefr.isin(BANDS)
    if unknown.any():
        rows = [f"row {i + 2}: {level[i]!r}" for i in level.index[unknown][:3]]
        raise CorpusError(
            f"{unknown.sum()} texts have an unknown level ({'; '.join(rows)}). "
            "Expected: A1, A2, B1, B2, C1, C2, or an EF level from 1 to 16."
        )
    return cefr


def _numbers_where_possible(ids):
    return ids.astype("int64") if ids.str.fullmatch(r"\d{1,18}").all() else ids


def _refuse_shared_ids(texts):
    shared = texts.loc[texts["text_id"].duplicated(), "text_id"]
    if len(shared):
        raise CorpusError(
            f"{len(shared)} text ids stand for two different rows (first: {shared.iloc[0]}). "
            "Expected: one text, one id. Give the second its own, or remove it."
        )


def fold(text):
    """A series of texts without case, digits, punctuation and spaces; one without letters keeps its signs."""
    letters = text.str.lower().str.replace(r"[\W\d_]+", "", regex=True)
    return letters.where(letters != "", text)
