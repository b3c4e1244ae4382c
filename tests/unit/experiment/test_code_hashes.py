"""Claims about code hashes: a comment changes nothing, and a statement or an import is noticed."""

import pytest

from lib.experiment import code_hashes, manifest, parameters
from lib.experiment.files import read_json, write_json
from lib.experiment.folders import Experiment


def changed_code(run, source):
    cells = [{"cell_type": "code", "metadata": {}, "source": [source]}]
    write_json({"cells": cells}, run.root / "notebooks/03_train.ipynb")
    code_hashes.forget()
    return manifest.changed_code(run.model("a1", 0), run.root / "notebooks")


def test_a_comment_makes_nothing_stale_and_a_statement_is_named(run):
    same = "from lib.masking.segmentation import units  # words\n\n# a comment\nx = 1\n"
    assert changed_code(run, same) == []
    assert changed_code(run, same + "x = 2\n") == ["03_train.ipynb"]
    assert changed_code(run, same + "from lib import formatting\n") == ["03_train.ipynb", "lib/formatting.py"]


def test_a_result_names_the_code_with_which_it_began(run):
    edited = Experiment("study", run.root).start("03_train")
    code_then = read_json(run.model("a1", 0) / "manifest.json")["code"]
    assert changed_code(run, "x = 5\n") == ["03_train.ipynb", "lib/masking/segmentation.py"]
    edited.write_manifest(parameters.load_file("params/demo/a1.yaml"), run.model("a1", 0))
    assert read_json(run.model("a1", 0) / "manifest.json")["code"] == code_then


def test_code_of_figures_does_not_count():
    assert "lib/evaluation/statistics.py" in code_hashes.module_hashes("lib.hypotheses.recommendation")
    assert "lib/design.py" in code_hashes.module_hashes("lib.figures.result_figures", "lib.evaluation.statistics")
    assert (
        not {"lib/figures/result_figures.py", "lib/experiment/manifest.py"}
        & code_hashes.module_hashes("lib.figures.result_figures", "lib.experiment.folders", "lib.training.loop").keys()
    )


def test_sentences_of_a_module_count_as_its_code():
    sentences = {"lib/hypotheses/verdict_text.yaml", "lib/hypotheses/templates/verdict_text.jinja"}
    assert sentences <= code_hashes.module_hashes("lib.hypotheses.verdict_text").keys()


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    """A lib of two packages, in the place of this one."""
    for name, text in {"": "", "training": "", "training/loop": "x = 1\n"}.items():
        file = tmp_path / f"lib/{name}.py" if "/" in name else tmp_path / "lib" / name / "__init__.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.setattr(code_hashes, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "line", ["from lib.training import loop", "from lib.training.loop import x", "import lib.training.loop"]
)
def test_code_in_a_package_counts_however_it_is_imported(rooms, line):
    (rooms / "lib/training/data.py").write_text(line)
    assert "lib/training/loop.py" in code_hashes.module_hashes("lib.training.data")


@pytest.mark.parametrize("line", ["from lib.training import loops", "from lib.loop import x", "from . import loop"])
def test_an_import_that_cannot_be_found_is_an_error(rooms, line):
    (rooms / "lib/training/data.py").write_text(line)
    with pytest.raises(ImportError, match="there is no module lib|a relative import"):
        code_hashes.module_hashes("lib.training.data")
