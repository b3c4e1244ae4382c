"""Claims about small cells: what is hidden cannot be computed back from what is shared, by linear programming."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from lib.design import ALL_LEVELS, LEVELS
from lib.experiment.files import read_csv
from lib.sharing import small_cells
from lib.sharing.small_cells import OTHER, SMALL
from tests.helpers import small_cell_worlds as worlds

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_hidden_mean_can_be_bounded_tightly(seed):
    frame = worlds.texts(seed)
    shared = small_cells.protect(worlds.tables(frame), worlds.small_levels(frame))
    found = worlds.attack(frame, shared)
    assert len(found) > 20 and worlds.bounded_tightly(found).empty
    assert shared["by_l1"]["theta"].notna().any() or shared["by_group"]["theta"].notna().any()


def test_with_primary_suppression_alone_many_could_be():
    tight = 0
    for seed in SEEDS[:3]:
        frame = worlds.texts(seed)
        shared = worlds.only_primary(worlds.tables(frame), worlds.small_levels(frame))
        tight += len(worlds.bounded_tightly(worlds.attack(frame, shared)))
    assert tight > 5


def count_interval(counts, shared, position):
    """(least, greatest) number of learners of a hidden group, from rounded counts of the others and of all together.

    counts: learners of all groups; shared: those of `count_groups`; position: of the hidden group.
    """
    half = small_cells.ROUNDING["n_learners"] / 2
    named = shared.set_index("l1")["n_learners"]
    limits = [(named[name] - half, named[name] + half) if name in named else (1, None) for name in counts["l1"]]
    rows, sums = [np.ones(len(counts))], [small_cells.round_count(counts["n_learners"].sum())]
    if OTHER in named:
        rows.append((~counts["l1"].isin(named.index)).to_numpy(float))
        sums.append(named[OTHER])
    sides = {"A_ub": np.vstack([rows, np.negative(rows)])}
    sides["b_ub"] = np.concatenate([np.array(sums) + half, half - np.array(sums)])
    weights = np.eye(len(counts))[position]
    least, greatest = (linprog(sign * weights, bounds=limits, **sides) for sign in (1, -1))
    assert least.success and greatest.success
    return least.fun, -greatest.fun


@pytest.mark.parametrize("seed", range(20))
def test_no_hidden_count_of_learners_can_be_bounded_tightly(seed):
    rng = np.random.default_rng(seed)
    learners = rng.integers(1, 80, 8)
    learners[0] = rng.integers(1, SMALL)
    counts = pd.DataFrame({"l1": [f"l1 {n}" for n in range(8)], "n_learners": learners})
    counts = counts.assign(n_texts=3 * learners, n_words=200 * learners)
    shared = small_cells.count_groups(counts, "l1", ordered=False)
    hidden = np.flatnonzero(~counts["l1"].isin(shared["l1"]))
    assert 0 in hidden and (counts["n_learners"] < SMALL)[hidden].sum() == (learners < SMALL).sum()
    for position in hidden:
        least, greatest = count_interval(counts, shared, position)
        assert greatest - least >= SMALL


def test_labels_of_hidden_groups_are_left_out():
    counts = pd.DataFrame({"l1": ["Thai", "Cree", "Ewe"], "n_texts": 900, "n_learners": [300, 25, 3], "n_words": 9000})
    shared = small_cells.count_groups(counts, "l1", ordered=False)
    assert shared["l1"].tolist() == ["Thai", OTHER] and shared["n_learners"].tolist() == [300, 30]
    levels = small_cells.count_groups(counts.rename(columns={"l1": "level"}), "level", ordered=True)
    assert levels["level"].tolist() == ["Thai", "Cree", "Ewe"] and levels["n_texts"].isna().tolist() == [
        False,
        True,
        True,
    ]


def test_a_partition_without_small_groups_stays_whole():
    groups = pd.Series([30, 40, 25])
    assert not small_cells.hide_in_partition(groups, 95, groups < SMALL).any()
    assert small_cells.hide_in_partition(groups, 96, groups < SMALL, incomplete=True).tolist() == [False, False, True]


def test_numbers_over_all_levels_go_with_a_hidden_level():
    frame = worlds.texts(1)
    raw = worlds.tables(frame)
    small = {"train": set(), "valid": {"B2"}, "test": {"B2"}}
    verdicts = small_cells.protect(raw, small)["verdicts"].set_index("level")
    assert np.isnan(verdicts["p"]["B2"]) and np.isnan(verdicts["p"]["all"]) and verdicts["p_adjusted"].isna().all()
    assert verdicts["p"].drop(["B2", "all"]).notna().all()
    nothing = {"train": set(), "valid": set(), "test": set()}
    assert small_cells.protect(raw, nothing)["verdicts"]["p_adjusted"].notna().all()


def test_a_start_that_is_another_models_perplexity_is_hidden():
    raw = worlds.tables(worlds.texts(0))
    raw["cost"] = pd.DataFrame({"model": ["general", "a1_transfer"], "init_from": ["scratch", "general"],
                                "valid_perplexity": 9.0, "start_perplexity": 12.0})  # fmt: skip
    shared = small_cells.protect(raw, {"train": set(), "valid": {"C1"}, "test": set()})["cost"]
    assert shared["start_perplexity"].isna().tolist() == [False, True]


def test_a_limit_that_a_hidden_level_passes_is_hidden():
    raw = worlds.tables(worlds.texts(0))
    criteria = small_cells.protect(raw, {"train": set(), "valid": set(), "test": {"B2"}})["original_criteria"]
    assert criteria.set_index("level")["passed"]["B2"] == "n/a"


def test_a_mean_over_hidden_levels_is_hidden_at_every_level():
    raw = worlds.tables(worlds.texts(0))
    raw["original_criteria"] = raw["original_criteria"].assign(criterion="Level Specificity >= 3x")
    shared = small_cells.protect(raw, {"train": set(), "valid": set(), "test": {"B2"}})["original_criteria"]
    assert shared["value"].isna().all() and set(shared["passed"]) == {"n/a"}


def test_counts_are_rounded_to_their_base():
    table = small_cells.round_counts(pd.DataFrame({"n_learners": [22, 23.0], "n_tokens": [149, 151], "ppl": [1.23, 2]}))
    assert table.to_dict("list") == {"n_learners": [20, 25], "n_tokens": [100, 200], "ppl": [1.23, 2]}


def test_no_hidden_number_of_the_demo_is_in_another_table(study):
    """Numbers of hidden rows, looked up in all tables that are shared, to ten digits."""
    hidden, shown = {}, set()
    for table in study.tables.values():
        for column in small_cells.measured(table):
            shown |= {f"{value:.10e}" for value in table[column].dropna()}
    for name in ["ppl_matrix", "contrasts", "by_type", "by_l1", "by_group", "word_metrics"]:
        raw = read_csv(study.run.compare(f"{name}.csv"))
        hidden |= _numbers(name, raw[raw.get("level", raw.get("test")).isin(study.small["test"])])
    raw = read_csv(study.run.hypotheses("verdicts.csv")).drop(columns="p_adjusted")  # may be the p of a shown level
    hidden |= _numbers("verdicts", raw[raw["level"].isin(study.small["test"])])
    assert study.tables["verdicts"]["p_adjusted"].isna().all()
    assert len(hidden) > 1000, "the demo has levels with few test learners: else this claims nothing"
    assert {number: name for number, name in hidden.items() if number in shown} == {}


def _numbers(name, table):
    """{number: name} of the numbers that are measured and not round."""
    columns = [column for column in table.select_dtypes("float") if not column.startswith("n_")]
    values = table[columns].to_numpy().ravel()
    return {f"{value:.10e}": name for value in values if np.isfinite(value) and value != round(value, 4)}


def test_all_levels_are_hidden_where_their_rest_is_small():
    matrix = pd.DataFrame({"test": [*LEVELS, ALL_LEVELS], "n_learners": [60, 60, 60, 12, 9, 201]})
    matrix = matrix.assign(model="general", mask_type="word", ppl=[9, 9, 9, np.nan, np.nan, 9])
    assert small_cells.hide_margin(matrix).tolist() == [False] * 5 + [True]
    matrix.loc[5, "n_learners"] = 202
    assert not small_cells.hide_margin(matrix).any(), "22 learners: 20, and one for each hidden level"
