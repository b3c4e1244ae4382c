"""The columns of a corpus file, found by name, and the tables of several files joined into one.

Facts about EFCAMDAT: Geertzen, Alexopoulou & Korhonen (2013); cleaned subcorpus: Shatz (2020).
"""

import re

import pandas as pd

from lib.corpus.cleaning import refuse_ids
from lib.corpus.levels import shorten_label, to_cefr
from lib.design import CEFR
from lib.errors import CorpusError
from lib.formatting import nearest

# name here -> accepted names in the files; the first that a file has is taken. The text column is a parameter.
COLUMNS = {
    "text_id": ["writing_id", "text_id", "id"],
    "learner_id": ["learner_id"],
    "level": ["cefr", "cefr_level", "cefr_label", "level"],
    "l1": ["l1"],
    "nationality": ["nationality"],  # only to find ids that stand for several learners
    "topic_id": ["topic_id", "topic"],
    "text": [],
}
OPTIONAL = ["learner_id", "l1", "nationality", "topic_id"]
MAX_COMPARED = 1000  # texts of a file without learners that are compared with those of other files
MAX_NAMES = 20  # column names in a message


def map_columns(header, settings, file):
    """{name here: number of the column} for the columns of one file, found by name in any order and case.

    header: the file's column names; spaces, hyphens and underscores in them do not count. settings: its `columns` (name
    here -> the file's name) takes precedence over COLUMNS. Optional columns that the file lacks are left out. Raises
    CorpusError that lists all missing or misspelt columns, or a column that occurs twice.
    """
    names = [str(name).strip().lower() for name in header]
    positions, missing = {}, []
    for column, candidates in _candidates(settings).items():
        found = _first_found(candidates, names)
        if len(found) > 1:
            raise CorpusError(_duplicate_message(file, names[found[0]], found))
        if found:
            positions[column] = found[0]
        elif column not in OPTIONAL or column in settings.columns or _is_misspelt(column, candidates, names):
            missing.append(candidates)
    if missing:
        raise CorpusError(_missing_message(file, missing, names))
    if "level" not in settings.columns:
        _refuse_two_levels(file, names, positions["level"])
    return positions


def count_required(header, settings):
    """How many of the columns that a file must have are in a header."""
    names = [str(name).strip().lower() for name in header]
    candidates = _candidates(settings)
    return sum(bool(_first_found(candidates[column], names)) for column in candidates if column not in OPTIONAL)


def _candidates(settings):
    """{name here: names that its column may have in the file}"""
    mapped = {column: [name.strip().lower()] for column, name in settings.columns.items()}
    return {**COLUMNS, "text": [settings.text_column], **mapped}


def is_data_row(names):
    """Does a header hold a number or a CEFR level, and so is a row of data? Its cells may then be texts."""
    cells = [str(name).strip().upper() for name in names]
    return any(cell in CEFR or re.fullmatch("[0-9]+([.,][0-9]+)?", cell) for cell in cells)


def _first_found(candidates, names):
    for candidate in candidates:
        found = _positions(candidate, names)
        if found:
            return found
    return []


def _positions(wanted, names):
    """Numbers of the columns with a name: spelt exactly so, or else without the characters between its words."""
    exact = [n for n, name in enumerate(names) if name == wanted.strip().lower()]
    return exact or [n for n, name in enumerate(names) if fold_name(name) == fold_name(wanted)]


def fold_name(name):
    """A column's name without case, spaces, hyphens and underscores."""
    return re.sub(r"[\W_]+", "", name).casefold() or name


def _is_misspelt(column, candidates, names):
    """Does a column have nearly the name of an optional one? No study depends on nationality, so it is not checked."""
    return column != "nationality" and nearest(candidates[0], names, cutoff=0.8) is not None


def _refuse_two_levels(file, names, taken):
    """A column called level is taken only when no other name contains CEFR, since that one may be meant."""
    if names[taken] != "level":
        return
    others = [shorten_label(name) for name in names if "cefr" in name]
    if others:
        raise CorpusError(
            f"{file}: both level and {' and '.join(others)} may hold the CEFR level. Expected: one. Say under "
            f"`columns:` in corpus.yaml which, as in {{level: {others[0]}}}."
        )


def _duplicate_message(file, name, positions):
    numbers = " and ".join(str(position + 1) for position in positions)
    return (
        f"{file}: {len(positions)} columns are named {shorten_label(name)}, columns {numbers}. Expected: one. Remove "
        "or rename the others."
    )


def _missing_message(file, missing, names):
    """missing: for each missing column, the names that it may have."""
    if is_data_row(names):
        return (
            f"{file}: the first row looks like data, not like column names. Found: {len(names)} cells, a number or a "
            "CEFR level among them. Expected: names, such as writing_id, cefr and text. Add them as first row."
        )
    found = [shorten_label(name) for name in names[:MAX_NAMES] if name]
    if len(names) > MAX_NAMES:
        found.append("...")
    similar = [nearest(name, names, cutoff=0.5) for candidates in missing for name in candidates]
    similar = [shorten_label(name) for name in dict.fromkeys(similar) if name]
    advice = "Rename the column in the file, or say under `columns:` in corpus.yaml what it is called there"
    if any("text" in candidates[0] and "id" not in candidates[0] for candidates in missing):
        advice += ", or choose another text_column"
    advice += ". `make inspect CORPUS=file` proposes columns"
    return (
        f"{file}: no column {', no column '.join(' or '.join(candidates) for candidates in missing)}. "
        f"Found: {', '.join(found)}. Nearest: {', '.join(similar) or 'none'}. {advice}."
    )


def join_tables(tables, sources, levels):
    """The tables of several files as one. tables: frames as `reading.read_corpus` describes, sources: a dict for each.

    Files are parts of one corpus, and their rows are put one below the other. There is one exception. If a file has no
    learner ids, and more than half of its text ids occur in files that have them, with nearly the same texts, then the
    files without learner ids define the texts and their levels. The others only lend learners, and topics and first
    languages where these are missing; `lends` in their source says so. A text id that they lack keeps ""; the file's
    `ids_not_found` counts these. Raises CorpusError for contradicting levels or learners, and for the same ids with
    different texts.
    """
    without_learners = [n for n, table in enumerate(tables) if not (table["learner_id"] != "").any()]
    lenders = [n for n in range(len(tables)) if n not in without_learners]
    lent = pd.concat([tables[n] for n in lenders], ignore_index=True) if lenders else pd.DataFrame({"text_id": []})
    found = {n: tables[n]["text_id"].isin(lent["text_id"]) for n in without_learners}
    if not any(ids.mean() > 0.5 for ids in found.values()):
        return pd.concat(tables, ignore_index=True)
    for n, ids in found.items():
        _refuse_other_texts(tables[n], lent, sources[n]["file"])
        sources[n]["ids_not_found"] = int((~ids).sum())
    for n in lenders:
        sources[n]["lends"] = True
    texts = pd.concat([tables[n] for n in without_learners], ignore_index=True)
    return _look_up(texts, lent.drop(columns="text"), levels)


def _refuse_other_texts(table, lent, file):
    """Ids that agree prove nothing where they are numbers that every file counts from 1: the texts must agree too."""
    pairs = table[["text_id", "text"]].merge(lent[["text_id", "text"]], on="text_id")[:MAX_COMPARED]
    n_different = sum(not _share_trigrams(*pair) for pair in zip(pairs["text_x"], pairs["text_y"]))
    if n_different > len(pairs) / 2:
        raise CorpusError(
            f"{file} names no learners, and its ids are also in files that do, but {n_different:,} of "
            f"{len(pairs):,} texts compared are other texts. Expected: the same texts, whose learners are then taken "
            "from the other files, or ids of their own. If each file counts from 1, put the file's name before its ids."
        )


def _share_trigrams(text, other):
    """Do two texts have a third of their word trigrams in common?"""
    trigrams, others = _trigrams(text.lower().split()), _trigrams(other.lower().split())
    return len(trigrams & others) >= len(trigrams | others) / 3


def _trigrams(words):
    return {tuple(words[n : n + 3]) for n in range(max(1, len(words) - 2))}


def _look_up(texts, lent, levels):
    """texts with missing learners, first languages and topics taken from the table `lent`, by text id."""
    lent = lent.assign(level=to_cefr(lent["level"], levels)).sort_values(list(lent), ignore_index=True)
    lent = lent.drop_duplicates(["text_id", "learner_id", "level"])
    refuse_ids(lent["text_id"][lent["text_id"].duplicated()], "have two learners or two levels")
    both = texts.merge(lent, on="text_id", how="left", suffixes=("", "_lent"))
    level = to_cefr(both["level"], levels)
    differs = level.notna() & both["level_lent"].notna() & (level != both["level_lent"])
    refuse_ids(both["text_id"][differs], "have another level in the file with learners than in the one without")
    for column in OPTIONAL:
        texts[column] = texts[column].where(texts[column] != "", both[f"{column}_lent"].fillna(""))
    return texts
