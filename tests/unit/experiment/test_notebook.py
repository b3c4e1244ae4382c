"""Claims about how notebooks begin: few rooms, few lines, one call; and that 04 takes a whole parameter file."""

import ast
import os
from pathlib import Path

import nbformat
import pytest

from lib import errors
from lib.experiment import notebook, parameters

NOTEBOOKS = sorted(Path("notebooks").glob("0*.ipynb"))


def code(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def rooms(source):
    """Rooms of lib that code imports; what stands there as a single file, as design, is none."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "lib":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("lib."):
            found.add(node.module.split(".")[1])
    return {room for room in found if Path("lib", room).is_dir()}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_three_to_six_rooms_are_opened_in_fifteen_lines(path):
    cells = code(path)
    importing = [source for source in cells if "import " in source and rooms(source)]
    assert len(importing) == 1 and importing[0].count("\n") < 15
    assert 3 <= len(rooms(importing[0])) <= 6, rooms(importing[0])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_one_call(path):
    (first,) = [source for source in code(path) if "notebook.start" in source]
    assert f'notebook.start(globals(), "{path.stem}")' in first.splitlines()[0]
    assert path.stem in notebook.SCHEMAS


def test_start_refuses_a_wrong_value_and_a_wrong_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cell = {"experiment": "mine", "model": "a1", "seeds": [0]}
    run, settings = notebook.start(cell, "04_evaluate")
    assert (run.name, run.notebook, settings.seeds) == ("mine", "04_evaluate", [0])
    with pytest.raises(errors.ParameterError, match="seeds"):
        notebook.start(cell | {"seeds": 0}, "04_evaluate")
    with pytest.raises(errors.InvalidName):
        notebook.start(cell | {"experiment": "a b"}, "04_evaluate")


@pytest.mark.parametrize("folder", ["demo", "efcamdat"])
def test_04_takes_a_models_whole_file_as_papermill_does(folder):
    for name, p in parameters.load_profile(f"params/{folder}").items():
        if isinstance(p, parameters.Train):
            _, settings = notebook.start(p.model_dump() | {"experiment": "mine"}, "04_evaluate")
            assert settings.model == name


def test_what_a_notebook_writes_is_for_its_user_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = os.umask(0)
    try:
        notebook.start({"experiment": "mine", "model": "a1", "seeds": [0]}, "04_evaluate")
        Path("table.csv").touch()
        Path("folder").mkdir()
    finally:
        os.umask(before)
    assert [Path(name).stat().st_mode & 0o777 for name in ["table.csv", "folder"]] == [0o600, 0o700]
