"""Claims about the last lines of a run that stopped: what stopped where, in a terminal's letters, and how to go on."""

import json

import pytest

from lib.experiment.files import write_json
from lib.workflow import summary


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "runs/mine"
    (home / "notebooks").mkdir(parents=True)
    (home / ".lock").write_text(json.dumps({"corpus": "my.csv", "params": "params/demo", "ended": True}))
    return home


def test_a_stopped_notebook_is_told_with_cell_message_and_way_on(home, capsys):
    error = {"output_type": "error", "ename": "CorpusError", "evalue": "../my.csv: \x1b[2J row 7"}
    cells = [{"cell_type": "code", "execution_count": n, "outputs": out} for n, out in [(1, []), (2, [error])]]
    write_json({"cells": cells}, home / "notebooks/01_extract.ipynb")
    summary.failures("mine")
    assert capsys.readouterr().err.splitlines() == [
        "",
        "runs/mine/notebooks/01_extract.ipynb stopped in cell 2:",
        "CorpusError: my.csv: \\x1b[2J row 7",
        "",
        "What is finished is kept. To go on: make run EXPERIMENT=mine CORPUS=my.csv PARAMS=params/demo",
    ]


def test_where_no_notebook_stopped_papermills_last_line_is_told(home, capsys):
    (home / "notebooks/02_mask.txt").write_text("a warning\nNo such kernel: python3\n")
    summary.failures("mine")
    said = capsys.readouterr().err
    assert "02_mask.txt:\nNo such kernel: python3" in said and "a warning" not in said
