"""Claims about manifests: what is unfinished, damaged or of other inputs is not used; a comment changes nothing."""

import pytest

from lib import errors
from lib.experiment import manifest, parameters
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment


def test_a_whole_chain_may_be_read_and_is_remembered(run):
    run.require(run.model("a1", 0), "03_train")
    assert list(run.inputs) == ["models/a1/seed0/train.json"]  # clock.json is no input


def test_a_result_without_its_manifest_is_not_finished(run):
    (run.model("a1", 0) / "manifest.json").unlink()
    with pytest.raises(
        errors.StaleResult, match="is not finished: 03_train.*\nMake it again.*make run EXPERIMENT=study"
    ):
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
    with pytest.raises(errors.StaleResult, match="made from corpus/report.json as it was then"):
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


def changed_code(run, source):
    cells = [{"cell_type": "code", "metadata": {}, "source": [source]}]
    write_json({"cells": cells}, run.root / "notebooks/03_train.ipynb")
    manifest.code_hashes.cache_clear()
    return manifest.changed_code(run.model("a1", 0), run.root / "notebooks")


def test_a_comment_makes_nothing_stale_and_a_statement_is_named(run):
    same = "from lib.masking.segmentation import units  # words\n\n# a comment\nx = 1\n"
    assert changed_code(run, same) == []
    assert changed_code(run, same + "x = 2\n") == ["03_train.ipynb"]
    assert changed_code(run, same + "from lib import formatting\n") == ["03_train.ipynb", "lib/formatting.py"]


def test_figures_are_no_code_of_a_result():
    assert "lib/evaluation/statistics.py" in manifest.module_hashes("lib.hypotheses.recommendation")
    assert "lib/design.py" in manifest.module_hashes("lib.figures.result_figures", "lib.evaluation.statistics")
    assert (
        not {"lib/figures/result_figures.py", "lib/experiment/manifest.py"}
        & manifest.module_hashes("lib.figures.result_figures", "lib.experiment.folders", "lib.training.loop").keys()
    )


def test_the_words_of_a_module_are_code_of_a_result():
    words = {"lib/hypotheses/verdict_text.yaml", "lib/hypotheses/templates/verdict_text.jinja"}
    assert words <= manifest.module_hashes("lib.hypotheses.verdict_text").keys()


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    """A lib of two packages, in the place of this one."""
    for name, text in {"": "", "training": "", "training/loop": "x = 1\n"}.items():
        file = tmp_path / f"lib/{name}.py" if "/" in name else tmp_path / "lib" / name / "__init__.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(manifest, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "line", ["from lib.training import loop", "from lib.training.loop import x", "import lib.training.loop"]
)
def test_code_in_a_package_counts_however_it_is_imported(rooms, line):
    (rooms / "lib/training/data.py").write_text(line)
    assert "lib/training/loop.py" in manifest.module_hashes("lib.training.data")


@pytest.mark.parametrize("line", ["from lib.training import loops", "from lib.loop import x", "from . import loop"])
def test_an_import_that_cannot_be_found_is_an_error(rooms, line):
    (rooms / "lib/training/data.py").write_text(line)
    with pytest.raises(ImportError, match="there is no module lib|a relative import"):
        manifest.module_hashes("lib.training.data")
