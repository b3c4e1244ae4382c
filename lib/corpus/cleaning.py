"""Texts made comparable: levels, ids and line ends. Every dropped row is counted under its reason."""

import pandas as pd

from lib.corpus.formats.notes import locate_rows
from lib.corpus.learners import learner_or_text_id
from lib.corpus.levels import cefr_levels
from lib.design import CEFR, LEVELS
from lib.errors import CorpusError


def clean_texts(table, levels=None, sources=None):
    """Keep the texts that can be studied, and count the others.

    levels: the file's level -> CEFR level or "drop", for other corpora. sources: as `reading.read_corpus` returns them;
    error messages use them to name a row's file and its number there. Returns (texts, dropped): texts sorted by text_id
    with CEFR levels, dropped {reason: count}. Neither depends on the order of the rows. Raises CorpusError for unknown
    levels, for missing ids, and for an id with two different rows.
    """
    _refuse_empty_ids(table, sources)
    texts = table.drop(columns="nationality", errors="ignore").assign(
        level=cefr_levels(table, levels, sources),
        text=table["text"].str.replace("\r\n", "\n").str.replace("\r", "\n"),
        text_id=_as_numbers(table["text_id"]),
    )
    texts = texts.sort_values("text_id", kind="stable", ignore_index=True)
    kept = texts.drop_duplicates()
    repeated_ids = kept["text_id"][kept["text_id"].duplicated()]
    refuse_ids(repeated_ids, "stand for two different rows", _first_rows(repeated_ids, table, sources))
    dropped = {"same row twice": len(texts) - len(kept)}
    for reason, may_stay in _rules(levels).items():
        remaining = kept[may_stay(kept)]
        dropped[reason] = len(kept) - len(remaining)
        kept = remaining
    return kept.reset_index(drop=True), dropped


def _rules(levels):
    """{reason: function of the texts, True for those that may stay}, in the order in which they apply."""
    rules = {f"level {level}": _other_level_than(level) for level in CEFR if level not in LEVELS}
    if levels:
        rules["level left out"] = _other_level_than("drop")
    rules["empty text"] = lambda texts: texts["text"].str.strip() != ""
    rules["same words as another text"] = lambda texts: ~fold_case_and_space(texts["text"]).duplicated()
    return rules


def _other_level_than(level):
    return lambda texts: texts["level"] != level


def _refuse_empty_ids(table, sources):
    empty = table.index[table["text_id"] == ""]
    if len(empty):
        rows = "; ".join(locate_rows(sources, empty[:3]))
        raise CorpusError(f"{len(empty)} texts have no id ({rows}). Expected: an id for each. Fill in the column.")


def _as_numbers(ids):
    """Ids as int64 if all of them are whole numbers, so that 9 comes before 10."""
    if ids.str.fullmatch("[0-9]{1,18}").all():
        return ids.astype("int64")
    return ids


def _first_rows(ids, table, sources):
    """A sentence that says where the first of ids was found; "" without sources."""
    if not len(ids) or sources is None:
        return ""
    rows = table.index[_as_numbers(table["text_id"]) == ids.iloc[0]]
    return f" The first is in {'; '.join(locate_rows(sources, rows[:3]))}."


def refuse_ids(ids, fault, where=""):
    """Raise CorpusError that names the first of ids, if there are any. where: a sentence that locates the first."""
    if len(ids):
        first = ", ".join(str(text_id)[:40] or "(empty)" for text_id in ids.unique()[:3])
        raise CorpusError(
            f"{ids.nunique()} text ids {fault} (first: {first}).{where} Expected: one id for one text by one learner "
            "at one level. Correct the rows in the file, or remove those that are wrong. If each file counts from 1, "
            "put the file's name before its ids."
        )


def fold_case_and_space(text):
    """A Series of texts without case, digits, punctuation and spaces; a text without letters is left as it is."""
    letters = text.str.lower().str.replace(r"[\W\d_]+", "", regex=True)
    return letters.where(letters != "", text)


def count_repeated_texts(table):
    """Texts whose words occur again, by who wrote them: a frame of wordings (different texts) and texts.

    Rows: by one learner, by several learners at one level, at several levels. Case, punctuation and spaces do not
    count, and texts without a word are left out.
    """
    rows = pd.DataFrame(
        {"wording": fold_case_and_space(table["text"]), "learner": learner_or_text_id(table), "level": table["level"]}
    )
    rows = rows[(rows["wording"] != "") & rows["wording"].duplicated(keep=False)]
    wordings = rows.groupby("wording").agg(
        texts=("level", "size"), learners=("learner", "nunique"), levels=("level", "nunique")
    )
    one_level = wordings["levels"] == 1
    kinds = {
        "by one learner": one_level & (wordings["learners"] == 1),
        "by several learners at one level": one_level & (wordings["learners"] > 1),
        "at several levels": ~one_level,
    }
    counts = {
        kind: {"wordings": int(of_kind.sum()), "texts": int(wordings["texts"][of_kind].sum())}
        for kind, of_kind in kinds.items()
    }
    return pd.DataFrame(counts).T
