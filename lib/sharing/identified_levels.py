"""The results of make identify as they may be shared: measures over all levels, and confusion matrices without small
cells and without cells that would reveal one (small_cells.py).
"""

import numpy as np
import pandas as pd

from lib.design import LEVELS
from lib.errors import StaleResult, UserError
from lib.experiment.code_hashes import module_hashes
from lib.experiment.files import read_csv, read_json
from lib.experiment.folders import identified
from lib.experiment.manifest import read_manifest
from lib.sharing.small_cells import REASON, SMALL, TEXTS_PER_LEARNER, hide_in_partition, round_counts

TABLES = ["measures", "confusion"]
DECIMALS = 2  # of shared measures and shares: one text more or fewer is seldom visible
GROUPS = ["right", "wrong", "one_off", "far_off"]
PRIVATE = [f"n_learners_{group}" for group in GROUPS]  # columns that only serve the suppression


def read(run):
    """({name of the texts: (report, {table: frame})}, {name: why it is left out}) of all results that are valid."""
    found, left_out = {}, {}
    for folder in identified(run.folder):
        try:
            run.require(folder, "make identify")
            _require_this_code(folder)
        except UserError as error:
            left_out[folder.name] = str(error).split("\n")[0]
            continue
        tables = {name: read_csv(folder / f"{name}.csv") for name in TABLES}
        found[folder.name] = read_json(folder / "report.json"), tables
    return found, left_out


def _require_this_code(folder):
    """Raise StaleResult if the results are of another version of lib/identification: columns may differ."""
    then = read_manifest(folder)["code"]
    now = module_hashes("lib.identification.command")
    if [name for name in now if name.startswith("lib/identification/") and now[name] != then.get(name)]:
        raise StaleResult(f"{folder} was made by older code than is here now.")


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
    likewise among the right answers, the wrong ones, those one level off and those further off, since accuracy and
    adjacent accuracy give their sums. Where that is not enough, the measure itself is hidden.
    """
    few = SMALL if learners_known else SMALL * TEXTS_PER_LEARNER
    tables, cells = [], []
    for system, of_system in confusion.groupby("system", sort=False):
        row = measures[measures["system"] == system].iloc[0]
        hidden = _hidden_cells(of_system, row, few)
        cells.append(_with_shares(of_system, hidden))
        tables.append(_protected_row(row, of_system, hidden, few))
    if not tables:
        return measures.drop(columns=PRIVATE), confusion.assign(share=np.nan)
    return round_counts(pd.DataFrame(tables)), round_counts(pd.concat(cells, ignore_index=True))


def _groups(cells):
    """{group of answers: which cells it has, bool}"""
    steps = (cells["level"].map(LEVELS.index) - cells["identified"].map(LEVELS.index)).abs()
    return {"right": steps == 0, "wrong": steps > 0, "one_off": steps == 1, "far_off": steps > 1}


def _small_levels(cells, few):
    learners = cells.groupby("level")["n_learners_of_level"].first()
    return learners.index[learners < few]


def _hidden_cells(cells, row, few):
    """Which cells of a system's confusion matrix are hidden, bool. row: its measures."""
    hidden = (cells["n_learners"] < few) | cells["level"].isin(_small_levels(cells, few))
    partitions = [(rows.index, rows["n_learners_of_level"].iloc[0]) for _, rows in cells.groupby("level")]
    partitions += [(cells.index[chosen], row[f"n_learners_{group}"]) for group, chosen in _groups(cells).items()]
    before = None
    while before is None or (hidden != before).any():
        before = hidden.copy()
        for index, whole in partitions:
            hidden[index] = hide_in_partition(cells["n_learners"][index], whole, hidden[index])
    return hidden


def _with_shares(cells, hidden):
    share = cells["n_texts"] / cells.groupby("level")["n_texts"].transform("sum")
    table = cells.drop(columns="n_learners_of_level").assign(share=share.round(DECIMALS))
    numbers = ["n_texts", "n_learners", "share"]
    table[numbers] = table[numbers].astype(float).mask(hidden)
    return table.assign(reason=np.where(hidden, REASON, None))


def _protected_row(row, cells, hidden, few):
    """A system's row of measures, rounded, and NaN where it would reveal a hidden cell or level."""
    reveals = {}
    for group, chosen in _groups(cells).items():
        in_group = hidden & chosen
        shown = cells["n_learners"][chosen & ~hidden].sum()
        reveals[group] = in_group.any() and row[f"n_learners_{group}"] - shown < SMALL + in_group.sum()
    small = cells["level"].isin(_small_levels(cells, few))
    learners = cells[~small].groupby("level")["n_learners_of_level"].first().sum()
    rest_is_small = small.any() and row["n_learners"] - learners < few + cells["level"][small].nunique()
    row = row.drop(PRIVATE).copy()
    numbers = [name for name in row.index if name not in ("system", "n_texts", "n_learners")]
    row[numbers] = row[numbers].astype(float).round(DECIMALS)
    left_out = []
    if row["n_learners"] < few or rest_is_small or reveals["right"] or reveals["wrong"]:
        left_out = numbers
    elif reveals["one_off"] or reveals["far_off"]:
        left_out = [name for name in numbers if name.startswith("adjacent")]
    if small.any():
        left_out = left_out + [name for name in numbers if name.startswith(("kappa", "macro_f1"))]
    row[left_out] = np.nan
    row["reason"] = REASON if left_out else None
    return row
