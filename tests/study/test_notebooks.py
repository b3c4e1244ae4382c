"""Claims about the notebooks: each does again what its committed outputs show, and would say so if it did not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from lib.experiment import parameters
from lib.experiment.files import read_csv, read_json
from tests.helpers import offline, warm_start
from tests.helpers.workspace import NOTEBOOKS, workspace
from tools import speed_table, verdict_table

IGNORE = "nbval-ignore-output"  # tag of a cell whose output nbval does not compare


def is_checked(cell):
    """Does nbval compare the output of this cell?"""
    return cell.cell_type == "code" and bool(cell.source.strip()) and IGNORE not in cell.metadata.get("tags", [])


def checked_cells(path):
    """Code cells whose output nbval compares: all but those that say otherwise."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if is_checked(cell)]


def nbval(notebook, warm):
    """nbval on one notebook, without network where the system can refuse it; warm: variables for a warm start."""
    env = os.environ | {"OMP_NUM_THREADS": "1", "JUPYTER_PLATFORM_DIRS": "1"} | warm
    command = ["pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull]
    command += ["--rootdir", str(notebook.parent), str(notebook)]
    start = warm_start.module(*command) if warm else [*offline.prefix(), sys.executable, "-m", *command]
    return subprocess.run(start, cwd=notebook.parent, env=env, capture_output=True, text=True)


def papermill(notebook, warm, **values):
    """The notebook as papermill executes it with these values."""
    words = [str(notebook), str(notebook), "--cwd", str(notebook.parent), "-k", "python3", "--no-progress-bar"]
    words += ["-y", yaml.safe_dump(values)]
    command = warm_start.module("papermill", *words)
    done = subprocess.run(command, env=os.environ | warm, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-6000:]
    return nbformat.read(notebook, as_version=4)


def remove(folder, *stages):
    """Remove results: finished ones would be kept where a notebook is run by hand."""
    for stage in stages:
        shutil.rmtree(folder / "runs/demo" / stage)


def test_there_are_seven_notebooks():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"0{n}" for n in range(1, 8)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_gives_its_committed_outputs_again(path, warm, tmp_path):
    ran = nbval(workspace(tmp_path) / path.name, warm)
    assert ran.returncode == 0, ran.stdout[-6000:]


def test_where_no_level_can_be_compared_06_and_07_say_so(warm, tmp_path):
    notebooks, settings = workspace(tmp_path), parameters.load_profile("params/demo")
    remove(tmp_path, "compare", "hypotheses")
    models = [name for name, values in settings.items() if isinstance(values, parameters.Train)]
    few = {"min_learners": 1000, "bootstrap_resamples": 200}
    compared = papermill(notebooks / "06_compare.ipynb", warm, models=models, **few)
    assert "the gain over the general model: n/a." in str(compared.cells[-1].outputs)
    tested = papermill(notebooks / "07_hypotheses.ipynb", warm, **few)
    assert "No level could be compared." in str(tested.cells[-1].outputs)
    assert "No level could be tested." in str(tested.cells)


def test_without_any_infills_06_compares_all_else(warm, tmp_path):
    """As with `infill: false` in all parameter files."""
    notebooks = workspace(tmp_path)
    content = nbformat.read(notebooks / "06_compare.ipynb", as_version=4)
    for cell in content.cells:
        if "run_tables.train_reports" in cell.source:
            cell.source += '\ntrained["parameters"] = [{**one, "infill": False} for one in trained["parameters"]]'
    nbformat.write(content, notebooks / "06_compare.ipynb")
    remove(tmp_path, "infills", "compare")
    end = papermill(notebooks / "06_compare.ipynb", warm)
    assert "No model wrote infills" in str(end.cells) and "Which model has the lowest perplexity" in str(end.cells[-1])
    tables = {path.name: read_csv(path) for path in (tmp_path / "runs/demo/compare").glob("*.csv")}
    assert tables["word_metrics.csv"].empty and tables["word_levels.csv"].empty and len(tables["contrasts.csv"]) > 200


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
    ran = nbval(notebook, warm={})  # cold, as somebody runs nbval by hand
    assert ran.returncode == 1 and "1 failed" in ran.stdout, ran.stdout[-3000:]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_walking_sentence_comes_by(path):
    assert "She ate leftover pasta for lunch." in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_short_and_prose_outweighs_code(path):
    cells = nbformat.read(path, as_version=4).cells
    cells = [cell for cell in cells if "parameters" not in cell.metadata.get("tags", [])]
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    assert max(source.count("\n") + 1 for source in code) <= 25
    assert words >= 3 * sum(source.count("\n") + 1 for source in code)


@pytest.mark.parametrize("path, names", verdict_table.PAGES.items())
def test_the_tables_of_verdicts_are_those_of_the_demo(path, names):
    page = Path(path).read_text(encoding="utf-8")
    assert verdict_table.refreshed(page, names, verdict_table.tables()) == page, "run make outputs"


def test_the_speeds_in_the_docs_are_those_of_the_record():
    page = Path("docs/performance.md").read_text(encoding="utf-8")
    assert speed_table.table(read_json("bench/records/cpu.json")) in page
