"""Made-up studies of few learners, their tables as notebooks 06 and 07 write them, and an attack on what is shared.

The smallest cells of a world are texts of one level, first language and length, copied or not. The attacker knows the
tokens of every cell, and every number that is shared, and computes bounds of the other numbers by linear programming.
"""

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from lib.design import ALL_LEVELS, LEVELS
from lib.evaluation.statistics import holm
from lib.sharing import small_cells

CELL = ["level", "l1", "length", "copied"]
NAME = "general_vs_specialist"
ATTACKED = ["contrasts", "by_l1", "by_group", "ppl_matrix"]  # tables; the last one is of perplexities
LARGEST_THETA = 3.0  # what an attacker may assume of any difference of log perplexity
LARGEST_LOSS = 12.0  # and of any log perplexity
SLACK = 1e-6
UNCERTAIN = 0.2  # of a hidden mean, in each direction: the p % rule of docs/sharing.md


def texts(seed, n_learners=220):
    """Rows of texts: learner, CELL, tokens, loss of the general model, and its difference to the specialist's."""
    rng = np.random.default_rng(seed)
    learners = pd.DataFrame({"learner": np.arange(n_learners)})
    learners["l1"] = rng.choice([f"l1 {n}" for n in range(7)], n_learners, p=rng.dirichlet(np.ones(7)))
    frame = learners.loc[rng.integers(0, n_learners, 2 * n_learners)].reset_index(drop=True)
    size = len(frame)
    frame["level"] = rng.choice(LEVELS, size, p=rng.dirichlet(np.full(5, 1.5)))
    frame["length"] = rng.choice(["short", "middle", "long"], size, p=rng.dirichlet(np.ones(3)))
    frame["copied"] = rng.random(size) < 0.08
    frame["tokens"] = rng.integers(10, 60, size)
    frame["loss"] = frame["tokens"] * rng.uniform(2, 5, size)
    frame["difference"] = frame["tokens"] * rng.normal(0.4, 0.5, size).clip(-1.5, 2)
    return frame


def _row(rows, **names):
    tokens = rows["tokens"].sum()
    theta = rows["difference"].sum() / tokens if tokens else np.nan
    numbers = {"theta": theta, "n_learners": rows["learner"].nunique(), "n_tokens": tokens, "reason": np.nan}
    return {"name": NAME, "mask_type": "training_mix", "subset": "without_copies"} | names | numbers


def tables(frame):
    """{name: frame} of all tables that `small_cells.protect` reads, without any suppression."""
    primary = frame[~frame["copied"]]
    contrasts, by_l1, by_group, matrix = [], [], [], []
    for level in LEVELS:
        at_level, primary_at_level = frame[frame["level"] == level], primary[primary["level"] == level]
        contrasts.append(_row(primary_at_level, level=level))
        contrasts.append(_row(at_level, level=level, subset="with_copies"))
        for copied, name in [(True, "copied"), (False, "not copied")]:
            by_group.append(_row(at_level[at_level["copied"] == copied], level=level, by="copies", group=name))
        for length, rows in primary_at_level.groupby("length"):
            by_group.append(_row(rows, level=level, by="length", group=length))
        for l1, rows in primary_at_level.groupby("l1"):
            by_l1.append(_row(rows, level=level, l1=l1))
    by_l1 += [_row(rows, level=ALL_LEVELS, l1=l1) for l1, rows in primary.groupby("l1")]
    for test in [*LEVELS, ALL_LEVELS]:
        rows = primary if test == ALL_LEVELS else primary[primary["level"] == test]
        facts = {"model": "general", "test": test, "mask_type": "training_mix"}
        facts |= {"n_learners": rows["learner"].nunique(), "n_tokens": rows["tokens"].sum()}
        matrix.append(facts | {"ppl": np.exp(rows["loss"].sum() / max(rows["tokens"].sum(), 1))})
    p = pd.Series(np.random.default_rng(int(frame["tokens"].sum())).random(5), LEVELS)
    verdicts = {"hypothesis": "H1", "level": [*LEVELS, "all"], "p": [*p, p.max()], "p_adjusted": [*holm(p), p.max()]}
    verdicts |= {"verdict": "inconclusive", "reason": np.nan, "margin": 0.1}
    criteria = {"criterion": "limit", "level": [*LEVELS, ALL_LEVELS], "value": [row["ppl"] for row in matrix]}
    cost = {"model": ["general"], "init_from": "scratch", "valid_perplexity": 9.0, "start_perplexity": 9.0}
    return {"contrasts": pd.DataFrame(contrasts), "by_l1": pd.DataFrame(by_l1), "by_group": pd.DataFrame(by_group),
            "ppl_matrix": pd.DataFrame(matrix), "verdicts": pd.DataFrame(verdicts), "cost": pd.DataFrame(cost),
            "original_criteria": pd.DataFrame(criteria).assign(passed="pass")}  # fmt: skip


def small_levels(frame):
    counts = frame[~frame["copied"]].groupby("level")["learner"].nunique().reindex(LEVELS, fill_value=0)
    small = set(counts.index[counts < small_cells.SMALL])
    return {"train": set(), "valid": small, "test": small}


def only_primary(tables, small):
    """The tables with the small cells hidden and nothing else."""
    return {name: small_cells._without_small(table, small, True) for name, table in tables.items()}


def chosen(cells, row):
    """Which cells a row of a table is about: bool."""
    mask = np.ones(len(cells), bool)
    for name in {"level", "l1"} & row.keys():
        if row[name] != ALL_LEVELS:
            mask &= (cells[name] == row[name]).to_numpy()
    if row.get("test", ALL_LEVELS) != ALL_LEVELS:
        mask &= (cells["level"] == row["test"]).to_numpy()
    if row.get("by") == "length":
        mask &= (cells["length"] == row["group"]).to_numpy()
    if row.get("by") == "copies":
        return mask & (cells["copied"] == (row["group"] == "copied")).to_numpy()
    return mask if row.get("subset") == "with_copies" else mask & ~cells["copied"].to_numpy()


def bounds(cells, shown, target, lowest, highest):
    """(least, greatest) mean over the cells `target` (bool) that agrees with what is shown.

    cells: a frame with tokens; shown: pairs of a mask of cells and their mean; lowest, highest: of any mean.
    """
    tokens = cells["tokens"].to_numpy(float)
    limits = [(lowest * size, highest * size) for size in tokens]
    rows = np.array([mask.astype(float) for mask, _ in shown]).reshape(-1, len(cells))
    sums = np.array([mean * tokens[mask].sum() for mask, mean in shown])
    weights = target / tokens[target].sum()
    sides = {"A_ub": np.vstack([rows, -rows]), "b_ub": np.concatenate([sums + SLACK, SLACK - sums])} if shown else {}
    least, greatest = (linprog(sign * weights, bounds=limits, **sides) for sign in (1, -1))
    assert least.success and greatest.success
    return least.fun, -greatest.fun


def attack(frame, shared):
    """A frame: for each cell of few learners in any table its true mean, and the bounds that the shared tables give."""
    cells = frame.groupby(CELL, as_index=False)[["tokens", "loss", "difference"]].sum()
    found = []
    for names, value, column, low, high in [
        (ATTACKED[:3], "theta", "difference", -LARGEST_THETA, LARGEST_THETA),
        (ATTACKED[3:], "ppl", "loss", 0.0, LARGEST_LOSS),
    ]:
        shown = []
        for name in names:
            for row in shared[name].to_dict("records"):
                if not np.isnan(row[value]):
                    shown.append((chosen(cells, row), np.log(row[value]) if value == "ppl" else row[value]))
        for name in names:
            for row in tables(frame)[name].to_dict("records"):
                mask = chosen(cells, row)
                if 0 < row["n_learners"] < small_cells.SMALL:
                    true = cells[column][mask].sum() / cells["tokens"][mask].sum()
                    found.append((name, true, *bounds(cells, shown, mask, low, high)))
    return pd.DataFrame(found, columns=["table", "true", "least", "greatest"])


def bounded_tightly(found):
    """Hidden cells whose bounds are narrower than the rule allows. found: as `attack` returns it."""
    room = UNCERTAIN * found["true"].abs()
    return found[(found["least"] > found["true"] - room) | (found["greatest"] < found["true"] + room)]
