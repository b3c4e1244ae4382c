"""What a corpus table must hold: columns by name, files joined, and texts cleaned with every dropped row counted.

Facts about EFCAMDAT: Geertzen, Alexopoulou & Korhonen (2013); cleaned subcorpus: Shatz (2020).
"""


import pandas as pd

from lib.corpus.cleaning import cefr, refuse_ids
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
OPTIONAL = ["learner_id", "l1", "topic_id"]


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
            if nearest(candidates[0], names, cutoff=0.8) or ours in mapped or ours not in OPTIONAL:
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
    near = [found for candidate in candidates if (found := nearest(candidate, names, cutoff=0.5))]
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
    refuse_ids(facts["text_id"][facts["text_id"].duplicated()], "have two learners or two levels")
    both = texts.merge(facts, on="text_id", how="left", suffixes=("", "_known"))
    here = cefr(both["level"], levels)
    differs = here.notna() & both["level_known"].notna() & (here != both["level_known"])
    refuse_ids(both["text_id"][differs], "have another level in the file with learners than in the one without")
    for name in OPTIONAL:
        texts[name] = texts[name].where(texts[name] != "", both[f"{name}_known"].fillna(""))
    return texts
