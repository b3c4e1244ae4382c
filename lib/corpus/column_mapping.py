"""What a corpus table must hold: columns by name, files joined, and texts cleaned with every dropped row counted.

Facts about EFCAMDAT: Geertzen, Alexopoulou & Korhonen (2013); cleaned subcorpus: Shatz (2020).
"""

import difflib

import pandas as pd

from lib.errors import Refusal
from lib.experiment.folders import LEVELS

# name here -> names in the files; the first that a file has wins. The text column is a parameter.
COLUMNS = {
    "text_id": ["writing_id", "text_id", "id"],
    "learner_id": ["learner_id"],
    "level": ["cefr", "cefr_level", "cefr_label", "level"],
    "l1": ["l1"],
    "topic_id": ["topic_id", "topic"],
    "text": [],
}
OPTIONAL = ["learner_id", "l1", "topic_id"]
BANDS = [*LEVELS, "C2"]
EF_LEVELS = {str(n): BANDS[(n - 1) // 3] for n in range(1, 17)}  # EF's 16 course levels, three a band

PUBLISHED = {  # texts in the whole cleaned subcorpus (Shatz 2020)
    "level": {"A1": 341_155, "A2": 215_344, "B1": 116_539, "B2": 40_238, "C1": 10_006},
    "l1": {"Portuguese": 313_538, "Mandarin": 129_588, "Spanish": 64_763, "Russian": 49_321, "German": 41_422,
           "Italian": 35_428, "French": 32_519, "Arabic": 29_308, "Japanese": 17_086, "Turkish": 10_309},
}  # fmt: skip


class CorpusError(Refusal, ValueError):
    """The corpus cannot be used; the message says what was found, what was expected, and the way on."""


def place(header, settings, file):
    """Where a file's columns stand: {name here: number of the column}, by name in any order and case.

    header: the file's column names. settings: its `columns` (name here -> the file's name) goes before COLUMNS. Columns
    that the file may lack are left out. Raises CorpusError for one that is missing, misspelt or there twice.
    """
    names = [name.strip().lower() for name in header]
    mapped = {ours: [theirs.strip().lower()] for ours, theirs in settings.columns.items()}
    found = {}
    for ours, candidates in {**COLUMNS, "text": [settings.text_column], **mapped}.items():
        name = next((candidate for candidate in candidates if candidate in names), None)
        if name is None:
            near = difflib.get_close_matches(candidates[0], names, 1, cutoff=0.8)
            if near or ours in mapped or ours not in OPTIONAL:
                raise CorpusError(_missing(file, candidates, names))
        elif names.count(name) > 1:
            raise CorpusError(
                f"{file}: {names.count(name)} columns are named {name}, columns "
                f"{' and '.join(str(n) for n, other in enumerate(names, 1) if other == name)}. "
                "Expected: one. Remove or rename the others."
            )
        else:
            found[ours] = names.index(name)
    return found


def _missing(file, candidates, names):
    near = [name for candidate in candidates for name in difflib.get_close_matches(candidate, names, 1, cutoff=0.5)]
    shown = [name[:40] for name in names[:20]] + ["..."] * (len(names) > 20)
    return (
        f"{file}: no column {' or '.join(candidates)}. Found: {', '.join(shown)}. "
        f"Nearest: {near[0][:40] if near else 'none'}. Rename the column in the file, or say under `columns:` in "
        f"corpus.yaml what it is called there{', or choose another text_column' if 'text' in candidates[0] else ''}."
    )


def join(tables, sources, levels):
    """The tables of several files as one. tables: frames as `reading.read` describes, sources: a dict for each.

    Files are parts of one corpus and stand one below the other. There is one exception: where a file has no learner
    ids, and more than half of its text ids occur in files that have them, the files without learner ids say which texts
    there are, in what words and at which level; the others only give learners, and topics and first languages where
    these are missing. A text id that they lack keeps ""; `ids_not_found` in the file's source counts these. Raises
    CorpusError where levels or learners contradict each other.
    """
    bare = [not (table["learner_id"] != "").any() for table in tables]
    facts = [table.drop(columns="text") for table, without in zip(tables, bare) if not without]
    known = pd.concat(facts, ignore_index=True) if facts else pd.DataFrame({"text_id": []})
    found = {n: tables[n]["text_id"].isin(known["text_id"]) for n, without in enumerate(bare) if without}
    if not any(ids.mean() > 0.5 for ids in found.values()):
        return pd.concat(tables, ignore_index=True)
    for n, ids in found.items():
        sources[n]["ids_not_found"] = int((~ids).sum())
    return _look_up(pd.concat([tables[n] for n in found], ignore_index=True), known, levels)


def _look_up(texts, facts, levels):
    """texts with what is missing of learner, first language and topic taken from facts, by text id."""
    facts = facts.assign(level=cefr(facts["level"], levels)).sort_values(list(facts), ignore_index=True)
    facts = facts.drop_duplicates(["text_id", "learner_id", "level"])
    _refuse_ids(facts["text_id"][facts["text_id"].duplicated()], "have two learners or two levels")
    both = texts.merge(facts, on="text_id", how="left", suffixes=("", "_known"))
    here = cefr(both["level"], levels)
    differs = here.notna() & both["level_known"].notna() & (here != both["level_known"])
    _refuse_ids(both["text_id"][differs], "have another level in the file with learners than in the one without")
    for name in OPTIONAL:
        texts[name] = texts[name].where(texts[name] != "", both[f"{name}_known"].fillna(""))
    return texts


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
    _refuse_ids(once["text_id"][once["text_id"].duplicated()], "stand for two different rows")
    dropped = {"same row twice": len(texts) - len(once)}
    for reason, keep in {
        "level C2": lambda t: t["level"] != "C2",
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
    return level.str.strip().str.upper().map({band: band for band in BANDS} | (own or EF_LEVELS))


def plain_number(cell):
    """Workbooks and data frames store whole numbers as floats: 3.0 is the id or level 3."""
    whole, point, zeros = cell.partition(".")
    return whole if point and whole.isdecimal() and zeros and not zeros.strip("0") else cell


def _known_levels(table, levels):
    found = cefr(table["level"], levels)
    unknown = table.index[found.isna()]
    if len(unknown):
        rows = [f"row {i + 2}: {table['level'][i][:40]!r} (text id {table['text_id'][i][:40]})" for i in unknown[:3]]
        near = difflib.get_close_matches(table["level"][unknown[0]].upper(), BANDS, 1)
        raise CorpusError(
            f"{len(unknown)} texts have an unknown level ({'; '.join(rows)}). Expected: A1, A2, B1, B2, C1, C2, "
            f"or {' or '.join(map(repr, levels)) if levels else 'an EF level from 1 to 16'}. "
            f"{f'Nearest: {near[0]}. ' if near else ''}Correct the level in the file, or say under `levels:` in "
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


def _refuse_ids(ids, fault):
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
