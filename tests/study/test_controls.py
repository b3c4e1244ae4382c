"""Claims about the controls of the demo's run, from its files by hand."""

import numpy as np
import pandas as pd
import pytest

from lib.design import LEVELS
from lib.evaluation.scoring import KEYS
from lib.experiment import parameters
from lib.experiment.files import read_csv, read_json
from lib.experiment.folders import Experiment

RUN = Experiment("demo", root=".")
COUNTS = ["n_tokens", "n_chars", "n_end", "n_context"]


def scores(model, file="scores"):
    """All seeds' scores of a model, as 04 wrote them."""
    read = [pd.read_parquet(RUN.scores(model, seed).with_stem(file)).assign(seed=seed) for seed in (0, 1)]
    return pd.concat(read).set_index([*KEYS, "seed"]).sort_index()


@pytest.mark.parametrize("model, file", [("level_prompted", "scores"), ("initial", "scores"), ("general", "equal")])
def test_a_control_is_scored_on_the_same_tokens_of_every_text(model, file):
    pd.testing.assert_frame_equal(scores(model, file)[COUNTS], scores("general")[COUNTS])


@pytest.mark.parametrize("level", LEVELS)
def test_the_gain_at_equal_examples_is_the_sum_by_hand(level):
    both = {"equal": scores("general", "equal"), "own": scores(level.lower())}
    nats = {}
    for name, table in both.items():
        counted = table[(table["level"] == level) & ~table["copied"].astype(bool)].xs("training_mix", level="mask_type")
        nats[name] = counted["nll_text"].sum() / counted["n_tokens"].sum()  # both seeds have the same tokens
    rows = read_csv(RUN.compare("contrasts.csv")).query(
        "subset == 'equal examples' and name == 'general_vs_specialist'"
    )
    row = rows.set_index("level").loc[level]
    assert (row["a"], row["b"]) == ("general_equal", level.lower())
    assert row["theta"] == pytest.approx(nats["equal"] - nats["own"])


def test_a_kept_budget_is_the_own_models_and_below_the_general_ones():
    profile = parameters.load_profile("params/demo")
    assert profile["general"].snapshot_at == {level: profile[level.lower()].max_examples for level in LEVELS}
    facts = read_json(RUN.model("general", 0) / "train.json")
    assert facts["examples_seen"] > max(profile["general"].snapshot_at.values())


def test_an_untuned_model_is_where_all_began_and_is_no_fault():
    for seed in (0, 1):
        facts, began = (read_json(RUN.model(model, seed) / "train.json") for model in ("initial", "general"))
        assert facts["fingerprint"] == facts["fingerprint_start"] == began["fingerprint_start"]
        assert facts["examples_seen"] == 0
    checks = read_csv(RUN.compare("preconditions.csv"))
    assert checks["holds"].all()


@pytest.mark.parametrize("table", ["by_l1", "by_group"])
def test_no_group_of_few_learners_has_a_number(table):
    rows = read_csv(RUN.compare(f"{table}.csv"))
    shown = rows["theta"].notna()
    assert (rows.loc[shown, "n_learners"] >= 20).all() and rows.loc[~shown, "n_learners"].isna().all()
    assert rows.loc[~shown, "reason"].str.startswith("fewer than 20 learners").all()
    assert shown.any() or table == "by_l1"


def test_controls_are_called_controls():
    matrix = read_csv(RUN.compare("ppl_matrix.csv"))
    kinds = matrix.groupby("model")["kind"].unique().map(list)
    names = ["general_equal", "general_continued", "level_prompted", "unigram", "initial"]
    assert [kinds[name] for name in names] == [["control"]] * 5
    assert (
        np.isfinite(matrix.loc[matrix["model"].isin(names[:4]) & (matrix["mask_type"] == "training_mix"), "ppl"]).sum()
        >= 20
    )
