"""Claims about manifests: a result that is unfinished, damaged, misplaced or made of other inputs is not used."""

import json
import os
import shutil

import pytest

from lib import errors
from lib.experiment import manifest, parameters
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.experiment.processes import WITHOUT_MAKE


def test_a_whole_chain_may_be_read_and_is_remembered(run):
    run.require(run.model("a1", 0), "03_train")
    assert list(run.inputs) == ["models/a1/seed0/train.json"]  # clock.json is no input


def test_a_result_without_its_manifest_is_not_finished(run):
    (run.model("a1", 0) / "manifest.json").unlink()
    with pytest.raises(errors.StaleResult, match="is not finished: 03_train.*\nRebuild it.*make run EXPERIMENT=study"):
        run.require(run.model("a1", 0), "03_train")


@pytest.mark.parametrize("content", [b'{"weights": 8}', b""])
def test_a_file_that_is_not_as_it_was_written_is_refused(content, run):
    (run.model("a1", 0) / "train.json").write_bytes(content)
    with pytest.raises(errors.StaleResult, match="train.json: not what 03_train wrote"):
        run.require(run.model("a1", 0), "03_train")


def test_a_result_of_changed_inputs_is_refused_however_far_back(run):
    again = Experiment("study", run.root).start("01_extract")
    write_json({"split_id": 2}, again.report)
    again.write_manifest(parameters.load_file("params/demo/corpus.yaml"), again.report.parent)
    with pytest.raises(errors.StaleResult, match="made from corpus/report.json, which has changed since"):
        run.require(run.model("a1", 0), "03_train")


def test_a_corpus_that_is_away_hinders_nobody_a_changed_one_is_seen(run):
    profile = parameters.load_profile("params/demo")
    (run.root / "corpus.csv").write_text("texT")
    assert manifest.problems(run.report.parent, run.folder, profile) == ["made from another ../../corpus.csv"]
    (run.root / "corpus.csv").unlink()
    assert manifest.problems(run.report.parent, run.folder, profile) == []
    run.require(run.model("a1", 0), "03_train")


def test_a_changed_parameter_is_named_with_both_values(run):
    profile = parameters.load_profile("params/demo")
    profile["a1"] = profile["a1"].model_copy(update={"learning_rate": 1e-3, "levels": ["A1", "A2"]})
    why = manifest.problems(run.model("a1", 0), run.folder, profile)
    assert why == ["learning_rate was 0.004, is 0.001", "levels was ['A1'], is ['A1', 'A2']"]


@pytest.fixture
def two_models(run):
    """The run with a second model and a second seed of the first, made like the first."""
    settings = parameters.load_file("params/demo/a1.yaml")
    for model, seed in [("a1", 0), ("a1", 1), ("a2", 0)]:
        again = Experiment("study", run.root).start("03_train")
        own = settings.model_copy(update={"model": model})
        report = {"model": model, "seed": seed, "levels": own.levels, "parameters": own.model_dump()}
        write_json(report, run.model(model, seed) / "train.json")
        again.write_manifest(own, run.model(model, seed))
    return run


def swap(one, other):
    kept = one.with_name("kept")
    one.rename(kept)
    other.rename(one)
    kept.rename(other)


def test_a_manifest_says_what_its_folder_holds(two_models):
    content = manifest.read_manifest(two_models.model("a1", 1))
    assert content["place"] == {"experiment": "study", "stage": "models", "model": "a1", "seed": "seed1"}
    assert manifest.read_manifest(two_models.report.parent)["place"] == {"experiment": "study", "stage": "corpus"}


def refused(run, model, seed, words):
    """The result is refused to a reader, and named among what must be rebuilt."""
    with pytest.raises(errors.StaleResult, match=words):
        run.require(run.model(model, seed) / "train.json", "03_train")
    found = manifest.problems(run.model(model, seed), run.folder, parameters.load_profile("params/demo"))
    return found[0]


def test_swapped_model_folders_are_refused_and_named(two_models):
    swap(two_models.folder / "models/a1", two_models.folder / "models/a2")
    reason = refused(two_models, "a1", 0, "models/a1/seed0 holds another result, made for models/a2/seed0")
    assert reason == "made for models/a2/seed0; it was moved, copied or swapped"
    refused(two_models, "a2", 0, "made for models/a1/seed0")


def test_one_seed_copied_over_another_is_refused(two_models):
    shutil.rmtree(two_models.model("a1", 1))
    shutil.copytree(two_models.model("a1", 0), two_models.model("a1", 1))
    assert "made for models/a1/seed0" in refused(two_models, "a1", 1, "made for models/a1/seed0")
    two_models.require(two_models.model("a1", 0), "03_train")


def test_the_parameters_of_another_model_are_refused(two_models):
    file = two_models.model("a1", 0) / "manifest.json"
    content = json.loads(file.read_text())
    content["parameters"]["model"] = "a2"
    file.write_text(json.dumps(content))
    refused(two_models, "a1", 0, "but with the parameters of a2")


def test_a_report_that_differs_from_its_folder_is_mislabelled(two_models):
    assert two_models.mislabelled_models(["a1"], [0, 1]) == []
    for name, value in {"model": "a2", "seed": 3, "levels": ["B1"], "parameters": {}}.items():
        folder = two_models.model("a1", 1)
        report = json.loads((folder / "train.json").read_text())
        write_json(report | {name: value}, folder / "train.json")
        again = Experiment("study", two_models.root).start("03_train")
        again.write_manifest(parameters.load_file("params/demo/a1.yaml"), folder)
        assert two_models.mislabelled_models(["a1"], [0, 1]) == ["a1, seed 1"], name
        write_json(report, folder / "train.json")


NO_MANIFESTS = ["", "\0", '{"made_by": "03_tr', "[]", "{}", '{"folder": "checkpoint-8", "files": {}}']


@pytest.mark.parametrize("content", NO_MANIFESTS)
def test_a_manifest_that_is_no_manifest_is_named(content, run):
    (run.model("a1", 0) / "manifest.json").write_text(content)
    reason = refused(run, "a1", 0, "models/a1/seed0/manifest.json (cannot be read|is not a manifest of this version)")
    assert "models/a1/seed0/manifest.json" in reason


def test_a_torn_manifest_of_an_input_is_named_too(run):
    (run.folder / "masks/manifest.json").write_text("")
    with pytest.raises(errors.StaleResult, match="masks/manifest.json cannot be read(.|\n)*make run"):
        run.require(run.model("a1", 0), "03_train")


def test_an_experiment_may_be_renamed_as_a_whole(run):
    run.folder.rename(run.folder.with_name("renamed"))
    renamed = Experiment("renamed", run.root).start("04_evaluate")
    renamed.require(renamed.model("a1", 0), "03_train")
    assert manifest.problems(renamed.model("a1", 0), renamed.folder, parameters.load_profile("params/demo")) == []


def test_a_changed_corpus_is_seen_from_a_linked_folder_of_runs(run, tmp_path_factory):
    disk = tmp_path_factory.mktemp("another disk") / "runs"
    shutil.move(run.root / "runs", disk)
    (run.root / "runs").symlink_to(disk)
    (run.root / "corpus.csv").write_text("texT")
    found = manifest.problems(run.report.parent, run.folder, parameters.load_profile("params/demo"))
    assert found == ["made from another ../../corpus.csv"]


def test_the_command_that_goes_on_can_be_pasted_into_a_shell(run):
    facts = {"corpus": "it's $HOME.csv", "params": "params/a b", "profile": "slurm"}
    (run.folder / ".lock").write_text(json.dumps(facts))
    command = manifest.resume_command(run.folder)
    words = ["make", "run", "EXPERIMENT=study", "CORPUS=it's $HOME.csv", "PARAMS=params/a b", "PROFILE=slurm"]
    assert os.popen(f"printf '%s\\n' {command}").read().splitlines() == words


def test_without_make_the_command_that_goes_on_is_of_python(run, monkeypatch):
    (run.folder / ".lock").write_text(json.dumps({"corpus": "a b.csv", "params": "params/demo", "profile": "slurm"}))
    monkeypatch.setenv(WITHOUT_MAKE, "yes")
    words = "python -m lib run --experiment=study '--corpus=a b.csv' --params=params/demo --profile=slurm"
    assert manifest.resume_command(run.folder) == words
