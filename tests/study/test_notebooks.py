"""Claims about the notebooks: each does again what its committed outputs show, and would say so if it did not."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from papermill import execute_notebook

from lib.experiment import parameters
from lib.experiment.files import read_csv, read_json
from tests.helpers import offline
from tests.helpers.workspace import NOTEBOOKS, workspace
from tools import speed_table
from tools.verdict_table import refreshed

IGNORE = "NBVAL_IGNORE_OUTPUT"


def is_checked(cell):
    """Does nbval compare the output of this cell?"""
    tagged = "nbval-ignore-output" in cell.metadata.get("tags", [])
    return cell.cell_type == "code" and bool(cell.source.strip()) and IGNORE not in cell.source and not tagged


def checked_cells(path):
    """Code cells whose output nbval compares: all but those that say otherwise."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if is_checked(cell)]


def nbval(notebook):
    """nbval on one notebook, without network where the system can refuse it."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-c",
        os.devnull,
    ]
    return subprocess.run(
        [*offline.prefix(), *command, "--rootdir", str(notebook.parent), str(notebook)],
        cwd=notebook.parent, env=environment, capture_output=True, text=True,
    )  # fmt: skip


def test_there_are_seven_notebooks():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"0{n}" for n in range(1, 8)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_gives_its_committed_outputs_again(path, tmp_path):
    ran = nbval(workspace(tmp_path) / path.name)
    assert ran.returncode == 0, ran.stdout[-6000:]


def test_where_no_level_can_be_compared_06_and_07_say_so(tmp_path):
    notebooks, models = workspace(tmp_path), [name for name, one in parameters.load_profile("params/demo").items()
                                              if isinstance(one, parameters.Train)]  # fmt: skip
    for name, asked in {"06_compare": {"models": models}, "07_hypotheses": {}}.items():
        end = execute_notebook(notebooks / f"{name}.ipynb", None, asked | {"min_learners": 1000}, kernel_name="python3",
                               cwd=notebooks, progress_bar=False)  # fmt: skip
    assert "No level could be compared." in str(end.cells[-1].outputs)
    assert "No level could be tested." in str(end.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_checked_cells_have_an_output_to_be_checked_against(path):
    with_output = [cell for cell in checked_cells(path) if cell.outputs]
    assert len(with_output) >= 3
    last = checked_cells(path)[-1].execution_count
    assert last is not None, "the committed notebook was not run to its end: make outputs"


def test_a_changed_number_fails(tmp_path):
    """nbval must not pass vacuously: change one digit of one stored output and it fails."""
    notebook = workspace(tmp_path) / "01_extract.ipynb"
    content = nbformat.read(notebook, as_version=4)
    outputs = [out for cell in content.cells if is_checked(cell) for out in cell.get("outputs", [])]
    stream = next(out for out in outputs if any(c.isdigit() for c in str(out.get("text", ""))))
    stream["text"] = stream["text"].translate(str.maketrans("0123456789", "1234567890"))
    nbformat.write(content, notebook)
    ran = nbval(notebook)
    assert ran.returncode == 1 and "1 failed" in ran.stdout, ran.stdout[-3000:]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_walking_sentence_comes_by(path):
    assert "She ate leftover pasta for lunch." in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_short_and_prose_outweighs_code(path):
    cells = nbformat.read(path, as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    assert max(source.count("\n") + 1 for source in code) <= 25
    assert words >= 3 * sum(source.count("\n") + 1 for source in code)


def test_the_readmes_verdicts_are_those_of_the_demo():
    readme = Path("README.md").read_text(encoding="utf-8")
    assert "<!-- verdicts -->" in readme
    assert refreshed(readme, read_csv("runs/demo/hypotheses/verdicts.csv")) == readme, "run make outputs"


def test_the_speeds_in_the_docs_are_those_of_the_record():
    page = Path("docs/performance.md").read_text(encoding="utf-8")
    assert speed_table.table(read_json("bench/records/cpu.json")) in page
