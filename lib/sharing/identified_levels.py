"""The results of make identify as they may be shared: measures over all levels, and confusion matrices without small
cells and without cells that would reveal one (small_cells.py).
"""

import numpy as np
import pandas as pd

from lib.design import LEVELS
from lib.errors import UserError
from lib.experiment.files import read_csv, read_json
from lib.experiment.folders import identified
from lib.sharing.small_cells import REASON, SMALL, TEXTS_PER_LEARNER, hide_in_partition, round_counts

TABLES = ["measures", "confusion"]
DECIMALS = 2  # of shared measures and shares: one text more or fewer is seldom visible
PRIVATE = ["n_learners_right", "n_learners_one_off"]  # columns that only serve the suppression


def read(run):
    """({name of the texts: (report, {table: frame})}, {name: why it is left out}) of all results that are valid."""
    found, left_out = {}, {}
    for folder in identified(run.folder):
        try:
            run.require(folder, "make identify")
        except UserError as error:
            left_out[folder.name] = str(error).split("\n")[0]
            continue
        tables = {name: read_csv(folder / f"{name}.csv") for name in TABLES}
        found[folder.name] = read_json(folder / "report.json"), tables
    return found, left_out


def shared(found):
    """(measures, confusion) of all texts, protected, with the column texts; two empty frames where there are none."""
    measures, confusions = [], []
    for name, (report, tables) in found.items():
        table, cells = protect(tables["measures"], tables["confusion"], report["learners_known"])
        measures.append(table.assign(texts=name))
        confusions.append(cells.assign(texts=name))
    if not found:
        return pd.DataFrame(), pd.DataFrame()
    return pd.concat(measures, ignore_index=True), pd.concat(confusions, ignore_index=True)


def protect(measures, confusion, learners_known=True):
    """(measures, confusion) as they may be shared; confusion has the column share of a level's texts, n/a as NaN.

    A cell of few learners is hidden, then cells of the same level until what is hidden there rests on enough learners;
    likewise among the right answers, whose sum is the accuracy, and among those one level off. All measures of a
    system are hidden where a whole level is, unless those levels have enough learners; kappa and macro F1, to which
    every level contributes in a way of its own, are hidden wherever a level is.
    """
    few = SMALL if learners_known else SMALL * TEXTS_PER_LEARNER
    tables, cells = [], []
    for system, of_system in confusion.groupby("system", sort=False):
        row = measures[measures["system"] == system].iloc[0]
        hidden = _hidden_cells(of_system, row, few)
        cells.append(_with_shares(of_system, hidden))
        tables.append(_protected_row(row, of_system, few))
    if not tables:
        return measures.drop(columns=PRIVATE), confusion.assign(share=np.nan)
    return round_counts(pd.DataFrame(tables)), round_counts(pd.concat(cells, ignore_index=True))


def _hidden_cells(cells, row, few):
    """Which cells of a system's confusion matrix are hidden, bool. row: its measures."""
    of_level = _level_learners(cells)
    small_levels = of_level.index[of_level < few]
    hidden = (cells["n_learners"] < few) | cells["level"].isin(small_levels)
    steps = (cells["level"].map(LEVELS.index) - cells["identified"].map(LEVELS.index)).abs()
    before = None
    while before is None or (hidden != before).any():
        before = hidden.copy()
        for level, rows in cells.groupby("level"):
            if level not in small_levels:
                hidden[rows.index] = _hide(rows, of_level[level], hidden)
        hidden[steps == 0] = _hide(cells[steps == 0], row["n_learners_right"], hidden)
        hidden[steps == 1] = _hide(cells[steps == 1], row["n_learners_one_off"], hidden)
    return hidden


def _hide(cells, whole, hidden):
    return hide_in_partition(cells["n_learners"], whole, hidden[cells.index])


def _level_learners(cells):
    """Learners of each level, a Series."""
    return cells.groupby("level")["n_learners_of_level"].first()


def _with_shares(cells, hidden):
    share = cells["n_texts"] / cells.groupby("level")["n_texts"].transform("sum")
    table = cells.drop(columns="n_learners_of_level").assign(share=share.round(DECIMALS))
    numbers = ["n_texts", "n_learners", "share"]
    table[numbers] = table[numbers].astype(float).mask(hidden)
    return table.assign(reason=np.where(hidden, REASON, None))


def _protected_row(row, cells, few):
    """A system's row of measures, rounded, and NaN where it would reveal a small level."""
    row = row.drop(PRIVATE).copy()
    of_level = _level_learners(cells)
    small = of_level < few
    numbers = [name for name in row.index if name not in ("system", "n_texts", "n_learners")]
    row[numbers] = row[numbers].astype(float).round(DECIMALS)
    if small.any():
        row[[name for name in numbers if name.startswith(("kappa", "macro_f1"))]] = np.nan
    rest = row["n_learners"] - of_level[~small].sum()
    if row["n_learners"] < few or (small.any() and rest < few + small.sum()):
        row[numbers] = np.nan
    return row
