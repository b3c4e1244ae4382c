"""`make inspect`: what a corpus file holds, what notebook 01 would drop or refuse, and lines for corpus.yaml.

It answers before there is a study. Nothing is written, and no text of a learner is printed.
"""

import os
import shlex
from pathlib import Path

import pandas as pd

from lib.corpus import damage, learners, levels, reading
from lib.corpus.cleaning import clean_texts
from lib.corpus.report.column_inspection import inspect_columns
from lib.corpus.report.paste_block import file_to_edit, paste_block
from lib.corpus.report.sufficiency import expected_reasons
from lib.design import LEVELS
from lib.errors import CorpusError, ParameterError
from lib.experiment import parameters
from lib.formatting import Sentences, strip_markup

SAY = Sentences(__file__)
MAX_LISTED = 16  # labels and first languages on the screen
REFUSED = 2  # exit status, as of an error that the user can fix
ONLY_CEFR = {"": "drop"}  # a mapping of levels with which EF's numbers are unknown


def show(corpus, params):
    """Print the inspection of a corpus, and return the exit status.

    corpus: a list of files, or of one string that names several. params: a folder whose corpus.yaml holds the columns
    and levels that are known. The status is REFUSED where 01 would refuse the file even with the proposed lines, else
    0. Raises CorpusError, ParameterError.
    """
    file = Path(params) / "corpus.yaml"
    if not file.exists():
        raise ParameterError(f"There is no {file}. Expected: PARAMS=folder with a corpus.yaml, such as params/demo.")
    settings = parameters.load_file(file)
    files = _split_names(corpus)
    if not files:
        raise CorpusError("Which corpus? make inspect CORPUS=file.csv")
    columns, doubtful, lines = inspect_columns(files, settings)
    print(strip_markup(lines))
    settings = _with_min_learners(settings, file)
    text_lines, is_refused = _inspect_texts(files, settings, columns, doubtful, file_to_edit(params))
    print(strip_markup(text_lines))
    return REFUSED if is_refused else 0


def _with_min_learners(settings, file):
    """The settings of corpus.yaml with the number of test learners that hypotheses.yaml beside it demands."""
    beside = file.with_name("hypotheses.yaml")
    if not beside.exists():
        return settings
    return settings.model_copy(update={"min_test_learners": parameters.load_file(beside).min_learners})


def _split_names(corpus):
    """CORPUS may name several files in one string; a file's name may contain spaces."""
    if len(corpus) == 1 and not os.path.exists(corpus[0]):
        return shlex.split(corpus[0])
    return list(corpus)


def _inspect_texts(files, settings, proposed_columns, doubtful, edited):
    """(lines on texts, levels, learners, first languages, damage, dropped rows, and the block; will 01 refuse?)"""
    settings = settings.model_copy(update={"columns": settings.columns | proposed_columns})
    table, sources = reading.read_corpus(files, settings, check=False)
    level_refusals = _level_refusals(table, sources, settings)
    proposed_levels = levels.propose_levels(table["level"], settings.levels) if level_refusals else {}
    mapping = settings.levels | {label: level for label, level in proposed_levels.items() if level != levels.FILL_IN}
    cefr = levels.to_cefr(table["level"], mapping or (ONLY_CEFR if level_refusals else None))
    texts, dropped, id_refusals = _clean(table[cefr.notna()], mapping, sources)
    mended, unmended = _sort_refusals(level_refusals, id_refusals, table["level"][cefr.isna()], proposed_levels)
    lines = SAY(
        "texts",
        sources=[source | {"remarks": _remarks(source)} for source in sources],
        n_rows=len(table),
        labels=_label_counts(table["level"], cefr),
        n_unknown_level=int(cefr.isna().sum()),
        by_level=_by_level(texts),
        too_small=expected_reasons(texts, settings.min_test_learners, settings.test_share),
        n_levels=len(LEVELS),
        learner_facts=_learner_facts(table),
        first_languages=_l1_counts(table["l1"], sources[0]["l1_spellings"]),
        similar_l1s=damage.near_spellings(table["l1"]),
        damage_signs=_sign_rates(texts, damage.DAMAGE),
        typing_signs=_sign_rates(texts, [sign for sign in damage.SIGNS if sign not in damage.DAMAGE]),
        n_texts=len(texts),
        dropped=dropped,
        refusals=mended,
        unmended=unmended,
        block=paste_block(proposed_columns, proposed_levels, settings, doubtful),
        file_to_edit=edited,
        fill_in=levels.FILL_IN in proposed_levels.values(),
    )
    return lines, bool(unmended)


def _sort_refusals(level_refusals, id_refusals, unknown_labels, proposed_levels):
    """(messages of refusals that the proposed lines mend, those that only another file mends)"""
    level_messages = [message.split(" All labels")[0] for message in level_refusals]
    if unknown_labels.isin(list(proposed_levels)).all():
        return level_messages, id_refusals
    return [], level_messages + id_refusals


def _level_refusals(table, sources, settings):
    """The messages with which 01 would refuse levels: numbers that may not be EF's, or else unknown labels."""
    messages = []
    for source, rows in _rows_of_files(table, sources):
        messages += _message(levels.refuse_numeric_levels, rows, source, settings)
    return messages or _message(levels.cefr_levels, table, settings.levels, sources)


def _rows_of_files(table, sources):
    """(source, its rows) for each file whose texts are used."""
    start = 0
    for source in sources:
        if not source["lends"]:
            yield source, table.iloc[start : start + source["rows"]]
            start += source["rows"]


def _message(check, *arguments):
    """[message] of the error that a check raises, or []."""
    try:
        check(*arguments)
    except CorpusError as error:
        return [str(error)]
    return []


def _clean(table, mapping, sources):
    """(texts, {reason: rows dropped}, messages with which 01 would refuse ids)"""
    messages = []
    for source, rows in _rows_of_files(table, sources):
        messages += _message(reading.refuse_rounded_ids, rows, source)
    try:
        texts, dropped = clean_texts(table, mapping, sources)
    except CorpusError as error:
        texts, dropped = table.assign(level=levels.to_cefr(table["level"], mapping)), {}
        messages.append(str(error))
    return texts, {reason: n for reason, n in dropped.items() if n}, messages


def _remarks(source):
    shown_elsewhere = ["columns not used", "texts without a learner"]
    remarks = [(what, value) for what, value in reading.describe_source(source) if what not in shown_elsewhere]
    return [(what, value) for what, value in remarks if value != "none"]


def _label_counts(labels, cefr):
    """{listed: the most frequent MAX_LISTED labels with CEFR level or None and texts, n_more: further labels}"""
    counts = pd.DataFrame({"label": labels, "cefr": cefr}).groupby("label", dropna=False)["cefr"].agg(["first", "size"])
    counts = counts.sort_values("size", ascending=False, kind="stable")
    if len(counts) > levels.MAX_LABELS:  # they may be texts
        return {"listed": [], "n_more": len(counts)}
    listed = []
    for label, row in counts[:MAX_LISTED].sort_index().iterrows():
        level = row["first"] if isinstance(row["first"], str) else None
        listed.append({"label": levels.shorten_label(label), "cefr": level, "n": row["size"]})
    return {"listed": listed, "n_more": len(counts) - len(listed)}


def _by_level(texts):
    """A row for each level: texts, learners in words, prompts, median words."""
    rows = []
    for level, group in texts.groupby("level"):
        n_prompts = group["topic_id"].replace("", None).nunique()
        words = group["text"].str.count(r"\S+").median()
        rows.append({"level": level, "texts": len(group), "prompts": n_prompts, "words": words})
        rows[-1]["learners"] = learners.count_in_words(group)
    return rows


def _learner_facts(table):
    named = table.loc[table["learner_id"] != "", "learner_id"]
    return {
        "n_learners": named.nunique(),
        "n_named": len(named),
        "n_unnamed": len(table) - len(named),
        "most_texts": int(named.value_counts().max()) if len(named) else 0,
        "two_l1s": learners.learners_with_two_values(table, "l1"),
        "two_nationalities": learners.learners_with_two_values(table, "nationality"),
    }


def _l1_counts(l1, spellings):
    counts = l1[l1 != ""].value_counts()
    listed = []
    for name, n in counts[:MAX_LISTED].items():
        written = f" (written in {spellings[name]:,} spellings)" if name in spellings else ""
        listed.append(f"{levels.shorten_label(name)} {n:,}{written}")
    return {"listed": listed, "n_more": len(counts) - len(listed), "n_unknown": int((l1 == "").sum())}


def _sign_rates(texts, signs):
    """{sign: percentage of texts}, those that occur."""
    counts = {sign: texts["text"].str.contains(damage.SIGNS[sign]).mean() for sign in signs}
    return {sign: 100 * rate for sign, rate in counts.items() if rate > 0}
