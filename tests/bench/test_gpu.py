"""Claims about the benchmark of a GPU, which nobody can watch at first: every part of it runs with tiny models."""

import time

import pytest

from bench.made_up import corpus
from bench.speed import gpu, gpu_arms, gpu_checks
from lib.experiment.files import read_json
from lib.models import packing


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("OUT", str(tmp_path))
    monkeypatch.setattr(
        gpu_arms, "compiled_loss", lambda cuda: packing.weighted_loss
    )  # compiling takes seconds: test_packing

    def run(command):
        monkeypatch.setattr(gpu, "BEGAN", time.monotonic())  # else the minutes count from the start of all tests
        gpu.main([command, "--tiny", "--device", "cpu"])
        return read_json(tmp_path / f"gpu_{command}.json")

    return run


def test_the_comparison_records_arms_quality_and_evaluation(run):
    record = run("compare")
    assert record["errors"] == {} and record["complete"]
    assert set(record["arms"]) == set(gpu.ARMS)
    for arm in record["arms"].values():
        assert arm["tokens_per_s"]["median"] > 0 and arm["step_ms_p50"] > 0 and arm["study_minutes_computed"] > 0
    assert set(record["quality"]["perplexity"]) == {"faithful", "fast", "fast, 1.0e-4"}
    assert isinstance(record["quality"]["fast_allowed"], bool)
    assert record["evaluation"]["gradient_off"] < 1e-5
    for way in ["float32, reversed", "bfloat16"]:  # the latter in float32 here
        assert record["evaluation"][way]["largest_difference_of_a_text"] < 1e-4


def test_the_steps_record_what_each_optimisation_gave(run):
    record = run("steps")
    assert record["errors"] == {}
    assert list(record["arms"])[: len(gpu.STEPS)] == list(gpu.STEPS)
    assert all("gain" in record["arms"][name] for name in list(gpu.STEPS)[1:])


def test_the_plan_trains_eleven_models_bases_first(run):
    record = run("plan")
    assert record["errors"] == {} and record["trained"] == 11
    assert list(record["models"]) == gpu.MODELS and gpu.MODELS[0] == "general"
    assert all((row["from"] == "general") == name.endswith("transfer") for name, row in record["models"].items())
    assert all(row["examples"] == 48 and not row["cut_off"] for row in record["models"].values())


def test_an_arm_that_fails_is_recorded_and_the_others_go_on(run, monkeypatch):
    def fails(*_):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(gpu_arms, "compiled_loss", lambda cuda: fails)
    monkeypatch.setattr(gpu_checks, "SLOW", {"out of memory": gpu_checks.out_of_memory})  # all: in the first test
    record = run("compare")
    assert set(record["arms"]) == {"up_fp32", "up_bf16", "fast_not_compiled"} and not record["complete"]
    assert "no such kernel" in record["errors"]["faithful: first steps"]
    assert set(record["quality"]["perplexity"]) == {"faithful", "fast", "fast, 1.0e-4"}  # not compiled, then
    assert record["checks"]["out of memory"]["holds"], "the last part of the command"


def test_made_up_texts_are_as_long_as_the_studys_and_whole():
    index = corpus(2000, 1000)
    means = index.assign(n=index["ids"].str.len()).groupby("level")["n"].mean()
    assert means.is_monotonic_increasing and 40 < means["A1"] < 50 and 190 < means["C1"] < 270
    for row in index.iloc[::97].itertuples():
        assert row.units.reshape(-1, 3)[:, 1:].sum(1).max() == row.ends[-1] == 5 * len(row.ids)
