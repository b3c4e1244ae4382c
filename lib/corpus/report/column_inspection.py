"""The columns part of `make inspect`: which columns a file has, which are proposed, which look like more."""

import itertools
from pathlib import Path

import pandas as pd

from lib.corpus import levels, reading
from lib.corpus.column_mapping import COLUMNS, is_data_row, map_columns
from lib.corpus.formats import detection
from lib.corpus.formats.notes import Notes
from lib.corpus.report.proposals import propose_columns
from lib.errors import CorpusError
from lib.formatting import Sentences

SAY = Sentences(__file__)
SAMPLE = 2000  # rows of a sheet from which columns are proposed
PEOPLE = {"learner_id": "learners", "l1": "first languages"}
REQUIRED = ["text_id", "level", "text"]


def inspect_columns(files, settings):
    """What the columns of files may be. settings: a `schemas.Corpus`.

    Returns ({name here: name in the file} that corpus.yaml needs, pairs of those that may name learners, lines to
    print). Where corpus.yaml needs any, required columns that 01 finds by itself are among them.
    Raises CorpusError for a file without column names or rows.
    """
    needed, doubtful, lines = {}, [], []
    found_by_file = []
    for file in files:
        (header, _, proposals), tables = _best_table(file, settings)
        needed |= _needed_columns(header, proposals, settings)
        found_by_file.append({column: header[position] for column, position in proposals.columns.items()})
        if "learner_id" not in proposals.columns:
            doubtful += _possible_learners(header, proposals)
        lines.append(_describe_columns(file, header, proposals, tables))
    if needed:
        needed = _complete(needed, found_by_file, settings)
    return needed, list(dict.fromkeys(doubtful)), "\n".join(lines)


def overlooked_columns(files, settings):
    """Sentences for notebook 01: columns that were not used, but look like learners or first languages.

    Only where no column of the file is used as such. settings: a `schemas.Corpus`.
    """
    sentences = []
    for file in files:
        try:
            (header, _, proposals), _ = _best_table(file, settings)
        except CorpusError:  # no table of columns
            continue
        likely = list(_needed_columns(header, proposals, settings).items())
        likely += [(column, header[n]) for n, column in proposals.suspects.items() if column not in proposals.columns]
        for column, name in likely:
            if column in PEOPLE:
                shown = levels.shorten_label(name)
                line = f"columns: {{{column}: {shown}}}"
                sentences.append(f"!! NOT USED: {shown} looks like {PEOPLE[column]}. If it is, map it: {line}")
    return sentences


def _best_table(file, settings):
    """(the table with the most proposals, all tables), each (header, sample, proposals), one for each sheet."""
    tables = []
    for _, header, rows in detection.open_tables(file, settings, Notes())[2]:
        names = [str(name).strip() for name in header]
        cells = [[reading.cell_text(cell) for cell in row] for row in itertools.islice(rows, SAMPLE)]
        if cells:
            sample = pd.DataFrame(cells, columns=range(len(names)), dtype="str")
            tables.append((names, sample, propose_columns(names, sample, settings)))
    if not tables:
        raise CorpusError(f"{file} holds no texts. Expected: column names, and one row a text.")
    best = max(tables, key=lambda table: len(table[2].columns))
    if is_data_row(best[0]):
        map_columns(best[0], settings, file)  # raises the same error as 01
    return best, tables


def _needed_columns(header, proposals, settings):
    """Proposals that 01 would not find by itself."""
    try:
        found = map_columns(header, settings, "")
    except CorpusError:
        found = {}
    needed = {}
    for column, position in proposals.columns.items():
        is_found = found.get(column) == position or proposals.reasons[column] == "name"
        if column not in settings.columns and not is_found:
            needed[column] = header[position]
    return needed


def _complete(needed, found_by_file, settings):
    """needed with the required columns that have the same name in every file, unless that is their own name.

    EF's numbers are read only in a column called level that corpus.yaml does not name.
    """
    complete = dict(needed)
    for column in REQUIRED:
        names = {found.get(column) for found in found_by_file}
        if len(names) == 1 and column not in settings.columns and not names & {None, column, settings.text_column}:
            complete[column] = names.pop()
    return {column: complete[column] for column in COLUMNS if column in complete}


def _possible_learners(header, proposals):
    """Pairs (learner_id, name in the file) of unused columns that look like learners."""
    return [("learner_id", header[n]) for n, column in proposals.suspects.items() if column == "learner_id"]


def _describe_columns(file, header, proposals, tables):
    used = [
        {"column": column, "name": levels.shorten_label(header[position]), "reason": proposals.reasons[column]}
        for column, position in proposals.columns.items()
    ]
    unused = [n for n, name in enumerate(header) if name and n not in proposals.columns.values()]
    return SAY(
        "columns",
        file=Path(file).name,
        used=used,
        unused=[levels.shorten_label(header[n]) for n in unused if n not in proposals.suspects],
        suspects=[_describe_suspect(header[n], column, tables) for n, column in proposals.suspects.items()],
        missing=[column for column in REQUIRED if column not in proposals.columns],
        without_learners="learner_id" not in proposals.columns,
    )


def _describe_suspect(name, column, tables):
    """A suspect's name, kind, and number of different values in the rows of all sheets that have it."""
    cells = pd.concat([sample[header.index(name)] for header, sample, _ in tables if name in header])
    distinct = cells[cells != ""].nunique()
    return {"name": levels.shorten_label(name), "kind": column, "distinct": distinct, "rows": len(cells)}
