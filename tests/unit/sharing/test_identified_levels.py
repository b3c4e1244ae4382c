"""Claims about what of identified levels is shared: no hidden cell can be computed back, by linear programming."""

import types

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from lib.design import LEVELS
from lib.experiment import parameters
from lib.experiment.code_hashes import module_hashes
from lib.experiment.files import write_json, write_table
from lib.experiment.folders import Experiment
from lib.identification import measures
from lib.sharing import identified_levels
from lib.sharing.small_cells import REASON, ROUNDING, SMALL

SETTINGS = types.SimpleNamespace(resamples=100, alpha=0.05, min_learners=5, seed=1)
SEEDS = range(6)
HALF = 0.5 * 10**-identified_levels.DECIMALS


def world(seed, smallest=25):
    """(measures, confusion, counts [level, identified level]) of learners with a text each."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(smallest, 60 * (1 + seed % 5), len(LEVELS))
    true = np.repeat(np.arange(5), sizes)
    error = rng.integers(-2, 3, len(true)) * (rng.random(len(true)) < rng.uniform(0.1, 0.8))
    found = np.clip(true + error, 0, 4)
    names = np.array(LEVELS)
    answers = pd.DataFrame({"a": names[found]})
    table, _, confusion = measures.tabulate(names[true], answers, np.arange(len(true)), SETTINGS)
    counts = measures.confusions_by_learner(names[true], names[found], np.arange(len(true))).sum(0)
    return table, confusion, counts


def attack(row, cells, counts, with_kappa=False):
    """(least, greatest) count of each hidden cell, [hidden cell, 2], from all numbers that are shared.

    The attacker knows the texts of each level. Macro F1 is not linear in the counts, and is not used.
    """
    of_level = counts.sum(1)
    limits, hidden = [], []
    for position, cell in enumerate(cells.to_dict("records")):
        total = of_level[LEVELS.index(cell["level"])]
        if np.isnan(cell["n_texts"]):
            limits.append((0, total))
            hidden.append(position)
        else:
            half = ROUNDING["n_texts"] / 2
            by_share = np.array([cell["share"] - HALF, cell["share"] + HALF]) * total
            limits.append((max(cell["n_texts"] - half, by_share[0]), min(cell["n_texts"] + half, by_share[1])))
    steps = np.array([abs(LEVELS.index(a) - LEVELS.index(b)) for a, b in zip(cells["level"], cells["identified"])])
    upper, bounds = [], []
    for name, weights in {"accuracy": steps == 0, "adjacent": steps <= 1}.items():
        if not np.isnan(row[name]):
            upper += [weights.astype(float), -weights.astype(float)]
            bounds += [(row[name] + HALF) * of_level.sum(), -(row[name] - HALF) * of_level.sum()]
    if with_kappa and not np.isnan(row["kappa"]):
        by_chance = of_level @ measures.STEPS**2 / of_level.sum()  # of one text identified as each level
        chance = np.array([by_chance[LEVELS.index(name)] for name in cells["identified"]])
        upper += [steps**2 - (1 - row["kappa"] + HALF) * chance, (1 - row["kappa"] - HALF) * chance - steps**2]
        bounds += [0, 0]
    rows = np.array([(cells["level"] == level).to_numpy(float) for level in LEVELS])
    found = []
    for position in hidden:
        weights = np.eye(len(cells))[position]
        sides = {"A_eq": rows, "b_eq": of_level, "A_ub": np.array(upper) if upper else None}
        sides["b_ub"] = np.array(bounds) if upper else None
        least, greatest = (linprog(sign * weights, bounds=limits, **sides) for sign in (1, -1))
        assert least.success and greatest.success
        found.append((least.fun, -greatest.fun))
    return np.array(found)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_hidden_cell_can_be_bounded_tightly(seed):
    table, confusion, counts = world(seed)
    shared, cells = identified_levels.protect(table, confusion)
    found = attack(shared.iloc[0], cells, counts)
    assert len(found) and (found[:, 1] - found[:, 0]).min() >= SMALL


@pytest.mark.parametrize("seed", SEEDS)
def test_kappa_bounds_small_cells_from_above_only(seed):
    table, confusion, counts = world(seed)
    shared, cells = identified_levels.protect(table, confusion)
    true = counts.ravel()[cells["n_texts"].isna().to_numpy()]
    found = attack(shared.iloc[0], cells, counts, with_kappa=True)
    assert (found[true < SMALL, 0] < 1e-6).all() and not np.isnan(shared["kappa"].iloc[0])


def test_with_primary_suppression_alone_some_could_be():
    tight = 0
    for seed in SEEDS[:3]:
        table, confusion, counts = world(seed)
        share = confusion["n_texts"] / confusion.groupby("level")["n_texts"].transform("sum")
        small = confusion["n_learners"] < SMALL
        cells = confusion.assign(share=share.round(2), n_texts=confusion["n_texts"].astype(float).mask(small))
        found = attack(table.iloc[0][measures.MEASURES].astype(float).round(2), cells, counts)
        tight += (found[:, 1] - found[:, 0] < SMALL).sum()
    assert tight > 5


def test_large_cells_and_all_measures_are_shared():
    table, confusion, _ = world(4, smallest=200)
    shared, cells = identified_levels.protect(table, confusion)
    assert shared[measures.INTERVALS].notna().all(axis=None) and cells["share"].notna().sum() >= 5
    assert (shared["n_texts"] % 5 == 0).all() and (cells["n_learners"].dropna() % 5 == 0).all()
    assert not {*identified_levels.PRIVATE, "n_learners_of_level"} & {*shared, *cells}
    assert set(identified_levels.GROUPS) == set(measures.GROUPS)


def test_a_small_level_hides_its_row_and_what_would_reveal_it():
    levels = np.repeat(LEVELS, [200, 200, 200, 200, 7])
    table, _, confusion = measures.tabulate(levels, pd.DataFrame({"a": levels}), np.arange(807), SETTINGS)
    shared, cells = identified_levels.protect(table, confusion)
    of_c1 = cells[cells["level"] == "C1"]
    assert of_c1[["n_texts", "n_learners", "share"]].isna().all(axis=None) and set(of_c1["reason"]) == {REASON}
    assert shared[measures.INTERVALS].isna().all(axis=None), "all less the others would be C1"


def test_unknown_learners_count_as_a_fifth_of_their_texts():
    table, confusion, _ = world(2, smallest=90)
    assert identified_levels.protect(table, confusion, learners_known=True)[1]["share"].notna().any()
    assert identified_levels.protect(table, confusion, learners_known=False)[1]["share"].isna().all()


def test_results_that_are_not_certified_are_left_out_with_the_reason(tmp_path):
    run = Experiment("study", tmp_path)
    assert identified_levels.read(run) == ({}, {})
    write_json({}, run.folder / "identification/test_texts/manifest.json")
    found, left_out = identified_levels.read(run)
    assert found == {} and "manifest" in left_out["test_texts"]
    assert [len(table) for table in identified_levels.shared(found)] == [0, 0]


def test_results_of_older_code_are_left_out(tmp_path):
    run = Experiment("study", tmp_path).start("identify")
    folder = run.folder / "identification/test_texts"
    write_json({}, folder / "report.json")
    for name in identified_levels.TABLES:
        write_table(pd.DataFrame({"system": ["a"]}), folder / f"{name}.csv")
    run.code = module_hashes("lib.identification.command")
    run.write_manifest(parameters.load_file("params/demo/corpus.yaml"), folder)
    assert list(identified_levels.read(run)[0]) == ["test_texts"]
    run.code = run.code | {"lib/identification/measures.py": "0"}
    run.write_manifest(parameters.load_file("params/demo/corpus.yaml"), folder)
    assert "older code" in identified_levels.read(run)[1]["test_texts"]
