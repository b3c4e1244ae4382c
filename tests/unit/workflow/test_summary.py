"""Claims about the last lines of a run that stopped: what stopped where, without escapes, and how to go on."""

import json

import pytest

from lib.experiment.files import write_json
from lib.workflow import summary


@pytest.fixture
def run_dir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_dir = tmp_path / "runs/mine"
    (run_dir / "notebooks").mkdir(parents=True)
    (run_dir / ".lock").write_text(json.dumps({"corpus": "my.csv", "params": "params/demo", "ended": True}))
    return run_dir


def test_a_stopped_notebook_is_named_with_cell_and_message(run_dir, capsys):
    error = {"output_type": "error", "ename": "CorpusError", "evalue": "../my.csv: \x1b[2J row 7"}
    cells = [{"cell_type": "code", "execution_count": n, "outputs": out} for n, out in [(1, []), (2, [error])]]
    write_json({"cells": cells}, run_dir / "notebooks/01_extract.ipynb")
    summary.failures("mine")
    assert capsys.readouterr().err.splitlines() == [
        "",
        "runs/mine/notebooks/01_extract.ipynb stopped in cell 2:",
        "CorpusError: my.csv: \\x1b[2J row 7",
        "",
        "What is finished is kept. To go on: make run EXPERIMENT=mine CORPUS=my.csv PARAMS=params/demo",
    ]


def test_where_no_notebook_stopped_papermill_is_quoted(run_dir, capsys):
    (run_dir / "notebooks/02_mask.txt").write_text("a warning\nNo such kernel: python3\n")
    summary.failures("mine")
    message = capsys.readouterr().err
    assert "02_mask.txt:\nNo such kernel: python3" in message and "a warning" not in message
