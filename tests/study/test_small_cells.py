"""Claims about the demo's own tables: no cell of few learners can be computed back, by linear programming."""

import numpy as np
import pandas as pd
import pytest

from lib.design import GENERAL, LEVELS, specialist_of, transfer_of
from lib.evaluation import comparisons, contrasts, statistics
from lib.experiment.files import read_csv
from lib.experiment.folders import Experiment
from lib.sharing import small_cells
from lib.sharing.aggregates import Study
from tests.helpers import small_cell_worlds as worlds

RIVALS = {"general_vs_specialist": specialist_of, "general_vs_transfer": transfer_of}
SUMS = ["without_copies", "with_copies"]  # subsets of contrasts that are sums over the texts of a world
LEAST_HIDDEN = 50  # cells, or the attack claims nothing


@pytest.fixture(scope="module")
def study():
    return Study(Experiment("demo", root="."))


def losses(run, model):
    """Rows of test texts on the training mix with the model's loss, the mean of seeds: text_id, tokens, loss, facts."""
    files = sorted((run.folder / "evaluation" / model).glob("seed*/scores.parquet"))
    scores = statistics.on_training_mix(pd.concat(map(pd.read_parquet, files)))
    facts = ["text_id", "learner_id", "level", "l1", "copied", "held_out"]
    sums = scores.assign(n=1 / len(files)).groupby(facts, as_index=False)[["n_tokens", "nll_text"]].sum()
    return sums.assign(tokens=sums["n_tokens"] / len(files), loss=sums["nll_text"] / len(files))


def world(run, rival_of):
    """The demo's test texts as `small_cell_worlds.texts` returns made-up ones."""
    frame = losses(run, GENERAL)
    rivals = [losses(run, rival_of(level)).query(f"level == '{level}'") for level in LEVELS]
    frame = frame.merge(pd.concat(rivals)[["text_id", "loss"]], on="text_id", suffixes=["", "_rival"])
    groups = comparisons.text_groups(frame, pd.read_parquet(run.texts))
    frame = frame[~frame["held_out"]].assign(length=groups["length"].fillna("copied"))
    return frame.assign(difference=frame["loss"] - frame["loss_rival"], learner=frame["learner_id"])


def of_contrast(table, name):
    """The rows of a table that are sums over the texts of a world: of one contrast, or of the general model."""
    table = table[table["mask_type"] == "training_mix"]
    if "model" in table:
        return table[table["model"] == GENERAL]
    table = table[table["name"] == name]
    return table if {"by", "l1"} & set(table) else table[table["subset"].isin(SUMS)]


@pytest.mark.parametrize("name", RIVALS)
def test_no_hidden_mean_of_the_demo_can_be_bounded_tightly(study, name):
    frame = world(study.run, RIVALS[name])
    estimated = contrasts.select(read_csv(study.run.compare("contrasts.csv"))).query("name == @name")
    assert np.allclose(estimated["theta"], worlds.tables(frame)["contrasts"]["theta"][::2]), "not the demo's texts"
    shared = {table: of_contrast(study.tables[table], name) for table in worlds.ATTACKED}
    found = worlds.attack(frame, shared)
    assert len(found) > LEAST_HIDDEN and worlds.bounded_tightly(found).empty


def test_totals_that_show_too_much_would_be_noticed(study):
    """The attack on the tables as 06 wrote them, with small cells hidden and nothing else."""
    frame = world(study.run, specialist_of)
    raw = {name: read_csv(study.run.compare(f"{name}.csv")) for name in worlds.ATTACKED}
    hidden = {name: small_cells._without_small(table, study.small, True) for name, table in raw.items()}
    shared = {name: of_contrast(table, "general_vs_specialist") for name, table in hidden.items()}
    assert len(worlds.bounded_tightly(worlds.attack(frame, shared))) > 0
