"""Claims about JupyterLab as make lab starts it: running a notebook leaves no change in git."""

import json
import runpy
import shutil
import subprocess

import nbformat
import pytest
from jupyter_server.services.contents.filemanager import FileContentsManager
from traitlets.config import Config

NAME = "notebooks/07_hypotheses.ipynb"
SETTINGS = "tools/jupyter_server_config.py"


@pytest.fixture
def repository(tmp_path):
    """A repository with one committed notebook and the settings."""
    for name in [NAME, SETTINGS, ".gitignore"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy2(name, tmp_path / name)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x")
    return tmp_path


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def save(repository, change):
    """What Jupyter does at an autosave, after `change` of the notebook as it is open in the browser."""
    config = Config()
    runpy.run_path(str(repository / SETTINGS), {"get_config": lambda: config})
    manager = FileContentsManager(root_dir=str(repository), config=config)
    model = manager.get(NAME)
    change(model["content"])
    manager.save({"type": "notebook", "content": model["content"]}, NAME)
    return git(repository, "status", "--porcelain")


def run_all(notebook):
    """As another version of Python leaves it."""
    notebook["metadata"]["language_info"]["version"] = "3.12.1"
    for n, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell["execution_count"] = n
            cell["outputs"] = []


def edit(notebook):
    notebook["cells"][1]["source"] += "\nalpha = 0.1"
    run_all(notebook)


def test_a_notebook_that_was_run_keeps_its_committed_outputs(repository):
    assert save(repository, run_all) == ""


def test_what_a_person_wrote_is_saved_with_its_outputs(repository):
    assert save(repository, edit) == f" M {NAME}\n"
    saved = nbformat.read(repository / NAME, as_version=4)
    assert saved.cells[1].source.endswith("alpha = 0.1") and not saved.cells[3].outputs


def test_undone_edits_leave_no_change(repository):
    committed = json.loads((repository / NAME).read_text(encoding="utf-8"))
    save(repository, edit)
    assert save(repository, lambda notebook: notebook.update(nbformat.from_dict(committed))) == ""


def test_outside_git_a_notebook_is_saved_as_it_is(repository):
    shutil.rmtree(repository / ".git")
    with pytest.raises(subprocess.CalledProcessError):
        save(repository, run_all)
    assert not nbformat.read(repository / NAME, as_version=4).cells[3].outputs
