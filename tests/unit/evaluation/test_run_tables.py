"""Claims about tables of all training runs: they are joined in order, and none is no error."""

import pandas as pd
import pytest

from lib.evaluation import lexical_metrics, run_tables
from lib.experiment.files import read_csv
from lib.experiment.folders import Experiment


class Run:
    """An experiment whose files are frames: {path: frame}."""

    def __init__(self, files):
        self.files = files

    def require(self, path, made_by):
        return self.files[path]

    def infills(self, model, seed, name):
        return f"{model}/{seed}/{name}"


RUNS = pd.DataFrame({"model": ["a1", "general"], "seed": [0, 1], "parameters": [{"infill": True}, {"infill": False}]})


def test_tables_of_runs_are_joined_with_model_and_seed():
    run = Run({"a1/0": pd.DataFrame({"x": [1, 2]}), "general/1": pd.DataFrame({"x": [3]})})
    found = run_tables.read_runs(run, RUNS, lambda model, seed: f"{model}/{seed}", "04_evaluate", read=lambda x: x)
    assert found.to_dict("list") == {"x": [1, 2, 3], "model": ["a1", "a1", "general"], "seed": [0, 0, 1]}


def test_only_runs_that_write_infills_are_read(monkeypatch):
    run = Run({"a1/0/words": pd.DataFrame({"text_id": [7, 8], "exact": True})})
    monkeypatch.setattr(run_tables.read_runs, "__defaults__", (lambda x: x, ()))
    found = run_tables.read_infills(run, RUNS, "words", without=[8])
    assert found[["text_id", "model"]].to_numpy().tolist() == [[7, "a1"]]


@pytest.mark.parametrize("runs", [RUNS[1:], RUNS[:0]], ids=["infill: false", "nothing trained"])
def test_without_any_infills_lexical_tables_are_empty(runs):
    single = run_tables.read_infills(Run({}), runs, "words")
    sampled = run_tables.read_infills(Run({}), runs, "samples")
    metrics = lexical_metrics.model_metrics(single, sampled, draws=20)
    profiles = lexical_metrics.cefr_profiles(sampled, draws=20)
    assert metrics.empty and profiles.empty
    demo = Experiment("demo", root=".")
    assert set(read_csv(demo.compare("word_metrics.csv"))) == {*metrics, "split_id"}
    assert set(read_csv(demo.compare("word_levels.csv"))) == {*profiles, "split_id"}


def test_reports_of_training_have_a_row_for_each_run():
    demo = Experiment("demo", root=".")
    found = run_tables.train_reports(demo, ["general", "a1"], [0, 1])
    assert found[["model", "seed"]].to_numpy().tolist() == [["general", 0], ["general", 1], ["a1", 0], ["a1", 1]]
    assert found["reason"].isna().all()
    assert all(seconds > 0 for seconds in run_tables.training_seconds(demo, found))


def test_scores_at_equal_examples_are_of_the_same_tokens():
    demo = Experiment("demo", root=".")
    runs = run_tables.train_reports(demo, ["general", "a1"], [0])
    scores = run_tables.read_runs(demo, runs, demo.scores, "04_evaluate")
    left_out = scores["text_id"].iloc[:1]
    equal = run_tables.read_equal(demo, runs, scores, without=left_out)
    assert set(equal["model"]) == {"general_equal"} and not equal["text_id"].isin(left_out).any()
    assert run_tables.read_equal(demo, runs[runs["model"] == "a1"], scores).empty
    with pytest.raises(ValueError, match="scored on other tokens"):
        run_tables.read_equal(demo, runs, scores.assign(n_tokens=scores["n_tokens"] + 1))
