"""What a corpus table must hold: columns by name, files joined, and texts cleaned with every dropped row counted.

Facts about EFCAMDAT: Geertzen, Alexopoulou & Korhonen (2013); cleaned subcorpus: Shatz (2020).
"""

import re

import pandas as pd

from lib.corpus.cleaning import refuse_ids
from lib.corpus.levels import shown, to_cefr
from lib.errors import CorpusError
from lib.formatting import nearest

# name here -> names in the files; the first that a file has wins. The text column is a parameter.
COLUMNS = {
    "text_id": ["writing_id", "text_id", "id"],
    "learner_id": ["learner_id"],
    "level": ["cefr", "cefr_level", "cefr_label", "level"],
    "l1": ["l1"],
    "topic_id": ["topic_id", "topic"],
    "text": [],
}
COMPARED = 1000  # texts of a file that lacks learners
OPTIONAL = ["learner_id", "l1", "topic_id"]


def map_columns(header, settings, file):
    """Where a file's columns stand: {name here: number of the column}, by name in any order and case.

    header: the file's column names; spaces, hyphens and underscores in them do not count. settings: its `columns` (name
    here -> the file's name) goes before COLUMNS. Columns that the file may lack are left out. Raises CorpusError that
    tells all that are missing or misspelt, or one that is there twice.
    """
    names = [str(name).strip().lower() for name in header]
    mapped = {ours: [theirs.strip().lower()] for ours, theirs in settings.columns.items()}
    found, missing = {}, []
    for ours, candidates in {**COLUMNS, "text": [settings.text_column], **mapped}.items():
        places = next((at for candidate in candidates if (at := _places(candidate, names))), [])
        if len(places) > 1:
            raise CorpusError(_twice(file, names[places[0]], places))
        if places:
            found[ours] = places[0]
        elif nearest(candidates[0], names, cutoff=0.8) or ours in mapped or ours not in OPTIONAL:
            missing.append(candidates)
    if missing:
        raise CorpusError(_missing(file, missing, names))
    if "level" not in mapped:
        _refuse_two_levels(file, names, found["level"])
    return found


def named(header, settings):
    """How many of the columns that a file must have are in a header."""
    names = [str(name).strip().lower() for name in header]
    wanted = {**COLUMNS, "text": [settings.text_column]} | {ours: [name] for ours, name in settings.columns.items()}
    return sum(any(_places(one, names) for one in wanted[ours]) for ours in wanted if ours not in OPTIONAL)


def _places(wanted, names):
    """Numbers of the columns with a name: exactly so, else without what stands between its words."""
    exact = [n for n, name in enumerate(names) if name == wanted.strip().lower()]
    return exact or [n for n, name in enumerate(names) if _folded(name) == _folded(wanted)]


def _folded(name):
    return re.sub(r"[\W_]+", "", name).casefold() or name


def _refuse_two_levels(file, names, taken):
    """A column called level is a last resort: another one that speaks of the CEFR may be meant."""
    others = [name for name in names if "cefr" in name] if names[taken] == "level" else []
    if others:
        raise CorpusError(
            f"{file}: both {names[taken]} and {' and '.join(map(shown, others))} may hold the CEFR level. Expected: "
            f"one. Say under `columns:` in corpus.yaml which, as in {{level: {shown(others[0])}}}."
        )


def _twice(file, name, places):
    return (
        f"{file}: {len(places)} columns are named {shown(name)}, columns "
        f"{' and '.join(str(n + 1) for n in places)}. Expected: one. Remove or rename the others."
    )


def _missing(file, missing, names):
    """missing: the names by which each column was looked for."""
    near = [found for candidates in missing for one in candidates if (found := nearest(one, names, cutoff=0.5))]
    found = [shown(name) for name in names[:20]] + ["..."] * (len(names) > 20)
    lacking = ", no column ".join(" or ".join(candidates) for candidates in missing)
    of_text = any("text" in candidates[0] and "id" not in candidates[0] for candidates in missing)
    return (
        f"{file}: no column {lacking}. Found: {', '.join(found)}. "
        f"Nearest: {', '.join(map(shown, dict.fromkeys(near))) if near else 'none'}. Rename the column in the file, or "
        "say under `columns:` in corpus.yaml what it is called there"
        f"{', or choose another text_column' if of_text else ''}."
    )


def join_tables(tables, sources, levels):
    """The tables of several files as one. tables: frames as `reading.read` describes, sources: a dict for each.

    Files are parts of one corpus and stand one below the other. There is one exception: where a file has no learner
    ids, and more than half of its text ids occur in files that have them, with texts in nearly the same words, the
    files without learner ids say which texts there are, in what words and at which level; the others only give
    learners, and topics and first languages where these are missing, which `lends` in their source says. A text id that
    they lack keeps ""; `ids_not_found` in the file's source counts these. Raises CorpusError where levels or learners
    contradict each other, and where ids are the same but not the texts.
    """
    bare = [not (table["learner_id"] != "").any() for table in tables]
    facts = [table for table, without in zip(tables, bare) if not without]
    known = pd.concat(facts, ignore_index=True) if facts else pd.DataFrame({"text_id": []})
    found = {n: tables[n]["text_id"].isin(known["text_id"]) for n, without in enumerate(bare) if without}
    if not any(ids.mean() > 0.5 for ids in found.values()):
        return pd.concat(tables, ignore_index=True)
    for n, ids in found.items():
        _refuse_other_texts(tables[n], known, sources[n]["file"])
        sources[n]["ids_not_found"] = int((~ids).sum())
    for source, without in zip(sources, bare):
        source["lends"] = not without
    return _look_up(pd.concat([tables[n] for n in found], ignore_index=True), known.drop(columns="text"), levels)


def _refuse_other_texts(table, known, file):
    """Ids that agree say nothing where they are numbers that every file counts from 1: the words must agree too."""
    both = table[["text_id", "text"]].merge(known[["text_id", "text"]], on="text_id")[:COMPARED]
    alike = [_alike(*pair) for pair in zip(both["text_x"], both["text_y"])]
    if sum(alike) < len(alike) / 2:
        raise CorpusError(
            f"{file} names no learners, and its ids are also in files that do, but {len(alike) - sum(alike):,} of "
            f"{len(alike):,} texts compared are other texts. Expected: the same texts, whose learners are then taken "
            "from the other files, or ids of their own. If each file counts from 1, put the file's name before its ids."
        )


def _alike(one, other):
    """Do two texts have a third of their runs of three words in common?"""
    runs = [
        {tuple(words[n : n + 3]) for n in range(max(1, len(words) - 2))}
        for words in (one.lower().split(), other.lower().split())
    ]
    return len(runs[0] & runs[1]) >= len(runs[0] | runs[1]) / 3


def _look_up(texts, facts, levels):
    """texts with what is missing of learner, first language and topic taken from facts, by text id."""
    facts = facts.assign(level=to_cefr(facts["level"], levels)).sort_values(list(facts), ignore_index=True)
    facts = facts.drop_duplicates(["text_id", "learner_id", "level"])
    refuse_ids(facts["text_id"][facts["text_id"].duplicated()], "have two learners or two levels")
    both = texts.merge(facts, on="text_id", how="left", suffixes=("", "_known"))
    here = to_cefr(both["level"], levels)
    differs = here.notna() & both["level_known"].notna() & (here != both["level_known"])
    refuse_ids(both["text_id"][differs], "have another level in the file with learners than in the one without")
    for name in OPTIONAL:
        texts[name] = texts[name].where(texts[name] != "", both[f"{name}_known"].fillna(""))
    return texts
