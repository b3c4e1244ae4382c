"""Claims about nbval on the committed notebooks: their main tables are compared, with a tolerance, and nothing else."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.helpers.workspace import NOTEBOOKS

MAIN_TABLES = {"01": "c17a", "02": "cell-25", "03": "cell-33", "04": "c22", "05": "c18", "06": "c24"}
MAIN_TABLES |= {"07": "c16"}  # cell of each
PRINTS = "from IPython.display import display\nimport sys\n"
IGNORED = {"image/png"}  # what nbval does not compare


def committed(number):
    """The cell with the main table of a notebook."""
    (path,) = [path for path in NOTEBOOKS if path.name.startswith(number)]
    (cell,) = [cell for cell in nbformat.read(path, as_version=4).cells if cell.id == MAIN_TABLES[number]]
    return cell


def printing(cell, change):
    """A cell that shows the outputs of a committed one; what is stored as its outputs was changed."""
    source = PRINTS
    for output in cell.outputs:
        if output.output_type == "stream":
            source += f"sys.stdout.write({output.text!r}); None\n"
        else:
            source += f"display({dict(output.data)!r}, raw=True)\n"
    cell = copy.deepcopy(cell)
    cell.source = source
    cell.id = f"of-{cell.id}-{change.__name__}"[:64]
    for output in cell.outputs:
        output.output_type = "stream" if output.output_type == "stream" else "display_data"
        output.pop("execution_count", None)
        if "text" in output:
            output.text = change(output.text)
        for kind in set(output.get("data", {})) - IGNORED:
            output.data[kind] = change(output.data[kind])
    return cell


def one_number_more(text):
    """text with its last number of three digits or more, or else its last number, a quarter larger."""
    numbers = list(re.finditer(r"\d[\d,]*(\.\d+)?", text))
    if not numbers:
        return text
    last = [number for number in numbers if len(number[0].strip(".,")) > 2 or number is numbers[-1]][-1]
    value = float(last[0].replace(",", ""))
    larger = f"{1.25 * value + 1:.{len(last[1] or '.') - 1}f}"
    return text[: last.start()] + larger + text[last.end() :]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What nbval says of each notebook's main table: {(number, changed?): PASSED or FAILED}."""
    folder = tmp_path_factory.mktemp("nbval")
    (folder / "conftest.py").write_text(Path("notebooks/conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    cases = [(number, changed) for number in MAIN_TABLES for changed in [False, True]]
    cells = [printing(committed(number), one_number_more if changed else str) for number, changed in cases]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=nbformat.read(NOTEBOOKS[0], as_version=4).metadata)
    nbformat.write(notebook, folder / "tables.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval", "-v", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-c", os.devnull, "--rootdir", str(folder), str(folder)]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout
    found = dict(re.findall(r"Cell (\d+) (PASSED|FAILED)", shown))
    return {case: found[str(n)] for n, case in enumerate(cases)}


@pytest.mark.parametrize("number", MAIN_TABLES)
def test_a_changed_number_in_a_main_table_fails(number, outcomes):
    assert outcomes[number, True] == "FAILED"


@pytest.mark.parametrize("number", MAIN_TABLES)
def test_a_main_table_as_committed_passes(number, outcomes):
    assert outcomes[number, False] == "PASSED"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_only_images_times_and_progress_are_ignored(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            shown = [output for output in cell.outputs if "image/png" not in output.get("data", {})]
            times = ["progress", "train_seed", "estimates.describe", "minutes", "sample_infills", "top_words", "panel"]
            assert not shown or any(word in cell.source for word in times), cell.id


def near(text, other):
    namespace = {}
    exec(Path("notebooks/conftest.py").read_text(encoding="utf-8"), namespace)
    return namespace["is_near"](text, other)


@pytest.mark.parametrize(
    "text, other",
    [("25.13", "25.2"), ("12 %", "13 %"), ("took 3 minutes", "took 5.1 minutes"), ("9.9 b", "10.0  b"), ("0.4", "0.5")],
)
def test_rounding_and_times_are_tolerated(text, other):
    assert near(text, other)


@pytest.mark.parametrize(
    "text, other",
    [
        ("25.13", "26.13"),
        ("12 %", "14 %"),
        ("5 texts", "6 texts"),
        ("supported", "inconclusive"),
        ("1.0e-05", "1.3e-05"),
        ("+29.6", "-29.6"),
        ("1.5 2.5", "1.5"),
    ],
)
def test_other_numbers_and_words_are_not_tolerated(text, other):
    assert not near(text, other)
