"""Corpus files in, one table of texts out.

Cells stay text: "NA", "None", "TRUE" and "=1+1" in a text are what a learner wrote. Files are read as streams of rows.
"""

import itertools
import math
import operator
import os
from pathlib import Path

import pandas as pd

from lib.corpus import learners
from lib.corpus.column_mapping import COLUMNS, OPTIONAL, count_required, join_tables, map_columns
from lib.corpus.damage import count_spellings, fold_spellings
from lib.corpus.formats import detection
from lib.corpus.formats.notes import Notes
from lib.corpus.levels import plain_number, refuse_numeric_levels, shorten_label
from lib.errors import CorpusError

CHUNK = 50_000  # rows that are Python objects at a time
EXACT = 2**53  # from here on a number cell holds only some of the whole numbers
MAX_UNREADABLE = 0.01  # share of a file's writings that may be too damaged to read


def read_corpus(files, settings, check=True):
    """Read a corpus of one or several files. files: a path or a list of paths; settings: a `schemas.Corpus`.

    Returns (table, sources). table: text_id, learner_id, level, l1, nationality, topic_id, text, all str, "" where a
    file lacks the column or says that the value is not known. `column_mapping.join_tables` says how files are joined.
    sources: for each file a dict of file (its name without the folder), sha256, format, rows, columns (name here: name
    in the file), unused_columns, sheets ({name: what was done with it}), empty_rows (skipped), learners_unknown (rows),
    unreadable ({reason: writings left out}), ids_not_found and lends (see `join_tables`), starts and row_name
    (see `notes.Notes`), l1_spellings ({first language: spellings of it in all files}, where these are several).
    check: refuse shortened ids and levels that are numbers, too. Raises CorpusError.
    """
    files = [files] if isinstance(files, str | os.PathLike) else list(files)
    if not files:
        raise CorpusError("No corpus file was named. Expected: CORPUS=file, or CORPUS='one.xlsx two.xlsx'.")
    tables, sources = zip(*(_read_file(file, settings, check) for file in files))
    _refuse_missing_sheets(sources, settings)
    table = join_tables(tables, sources, settings.levels)
    table["text"] = first_words(table["text"], settings.max_words)
    l1 = fold_spellings(table["l1"])
    spellings = count_spellings(table["l1"], l1)
    return table.assign(l1=l1), [source | {"l1_spellings": spellings} for source in sources]


def first_words(texts, n):
    """Texts (a Series) cut after their first n words, which are what stands between spaces; whole where n is None."""
    if n is None:
        return texts
    return texts.str.extract(rf"(\A\s*(?:\S+\s+){{0,{n - 1}}}\S*)", expand=False)


def describe_source(source):
    """What a reader should know of a file beside its rows: pairs of (what, words). source: as `read_corpus` returns it.

    A line is left out where there is nothing to report, except that no text was too damaged to read.
    """
    unreadable = [f"{reason} {n:,}" for reason, n in source["unreadable"].items()]
    lines = [("too damaged to read", "; ".join(unreadable) or "none")]
    if source["unused_columns"]:
        lines.append(("columns not used", ", ".join(map(shorten_label, source["unused_columns"]))))
    if source["sheets"]:
        lines.append(("sheets", "; ".join(f"{sheet} ({result})" for sheet, result in source["sheets"].items())))
    if source["empty_rows"]:
        lines.append(("empty rows skipped", f"{source['empty_rows']:,}"))
    if source["learners_unknown"]:
        lines.append(("texts without a learner", f"{source['learners_unknown']:,}"))
    if source["lends"]:
        lines.append(("rows that only lend learners, prompts and first languages", f"all {source['rows']:,}"))
    if source["ids_not_found"] is not None:
        lines.append(("ids without a learner", f"{source['ids_not_found']:,}"))
    return lines


def _read_file(file, settings, check):
    """(table, source) of one file."""
    notes = Notes()
    file_format, sha256, tables = detection.open_tables(file, settings, notes)
    table, columns, unused = _read_tables(file, tables, settings, notes)
    _refuse_too_few(file, len(table), notes)
    source = {
        "file": Path(file).name,
        "sha256": sha256,
        "format": file_format,
        "rows": len(table),
        "columns": columns,
        "unused_columns": unused,
        "sheets": notes.sheets,
        "empty_rows": notes.empty_rows,
        "unreadable": dict(notes.unreadable),
        "learners_unknown": int((table["learner_id"] == "").sum()),
        "starts": notes.starts,
        "row_name": notes.row_name,
        "ids_not_found": None,
        "lends": False,
    }
    if check:
        refuse_numeric_levels(table, source, settings)
        refuse_rounded_ids(table, source)
    return table, source


def refuse_rounded_ids(table, source):
    """Refuse ids of texts and learners that a spreadsheet has shortened. Raises CorpusError."""
    for column in ["text_id", "learner_id"]:
        name = shorten_label(source["columns"].get(column, column))
        learners.refuse_rounded_ids(table[column], name, source["file"])


def _read_tables(file, tables, settings, notes):
    """(rows of all sheets as one frame, {name here: name in the file}, names of unused columns)"""
    frames = []
    columns, unused = {}, {}
    first_error = None
    for sheet, header, rows in tables:
        try:
            positions = map_columns(header, settings, f"{file}, sheet {sheet}" if sheet else file)
        except CorpusError as error:
            if sheet is None:
                raise
            if count_required(header, settings) > 1:
                raise CorpusError(f"{error} Or name the sheets to read under `sheets:`.") from None
            notes.sheets[sheet] = f"no texts: skipped, with {sum(1 for _ in rows):,} rows"
            first_error = first_error or error
            continue
        frames.append(_frame(rows, positions))
        names = [str(name).strip() for name in header]
        columns = {column: names[position] for column, position in positions.items()} | columns
        unused |= {name: None for n, name in enumerate(names) if name and n not in positions.values()}
        if sheet:
            notes.sheets[sheet] = f"read: {len(frames[-1]):,} rows"
    if not frames:
        found = "; ".join(f"{sheet}: {result}" for sheet, result in notes.sheets.items())
        raise first_error or CorpusError(
            f"{file} has no sheet to read ({found}). Expected: one row a text, or `sheets:`."
        )
    return pd.concat(frames, ignore_index=True), columns, list(unused)


def _frame(rows, positions):
    """Rows (sequences of cells) as a frame with all of COLUMNS, str. positions: name here -> number of the cell."""
    pick = operator.itemgetter(*positions.values())
    frames = [pd.DataFrame(columns=list(positions), dtype="str")]
    while chunk := [list(map(cell_text, pick(row))) for row in itertools.islice(rows, CHUNK)]:
        frames.append(pd.DataFrame(chunk, columns=list(positions), dtype="str"))
    table = pd.concat(frames, ignore_index=True)
    for column in ["text_id", "learner_id", "level", "topic_id"]:
        if column in table:
            table[column] = table[column].str.strip().map(plain_number)
    for column in OPTIONAL:
        if column in table:
            table[column] = learners.blank_unknown(table[column])
        else:
            table[column] = ""
    return table[list(COLUMNS)].astype("str")


def cell_text(cell):
    """A cell of a workbook, as nearly as possible as the sheet shows it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        if EXACT <= abs(cell) < math.inf:
            return f"{cell:.14E}"
        return str(int(cell)) if cell.is_integer() else f"{cell:.15g}"
    return str(cell)


def _refuse_missing_sheets(sources, settings):
    found = [sheet for source in sources for sheet in source["sheets"]]
    missing = [sheet for sheet in settings.sheets if sheet not in found]
    if missing and found:
        raise CorpusError(
            f"No file has a sheet {' or '.join(missing)}. Found: {', '.join(found)}. Correct `sheets:` in corpus.yaml."
        )


def _refuse_too_few(file, n_rows, notes):
    n_unreadable = sum(notes.unreadable.values())
    if not n_rows and not n_unreadable:
        raise CorpusError(f"{file} holds no texts, only a header. Expected: one row a text. Export it again.")
    if n_unreadable > MAX_UNREADABLE * (n_rows + n_unreadable):
        reasons = "; ".join(f"{reason}: {n:,}" for reason, n in notes.unreadable.items())
        raise CorpusError(
            f"{file}: {n_unreadable:,} of {n_rows + n_unreadable:,} writings cannot be read ({reasons}). Expected: at "
            f"most {MAX_UNREADABLE:.0%}. Copy the file again from where it came from."
        )
