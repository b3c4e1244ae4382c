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
        "CorpusError: my.csv: \\x1b[2J row 7",
        "runs/mine/notebooks/01_extract.ipynb stopped in cell 2.",
        "",
        "What is finished is kept. Mend this first. "
        "To go on: make run EXPERIMENT=mine CORPUS=my.csv PARAMS=params/demo",
        "Snakemake's log: runs/mine/notebooks/snakemake.log",
    ]


def test_where_no_notebook_stopped_papermill_is_quoted(run_dir, capsys):
    (run_dir / "notebooks/02_mask.txt").write_text("a warning\nNo such kernel: python3\n")
    summary.failures("mine")
    message = capsys.readouterr().err
    assert "No such kernel: python3\nSaid in runs/mine/notebooks/02_mask.txt." in message and "a warning" not in message


def test_the_logs_end_follows_an_error_that_nobody_explains(run_dir, capsys):
    (run_dir / "notebooks/snakemake.log").write_text("".join(f"line {n}\n\n" for n in range(20)) + "\x1b[31mKilled\n")
    summary.failures("mine")
    *_, way_on, name, first, _, _, _, _, _, _, last = capsys.readouterr().err.splitlines()
    assert way_on.startswith("What is finished is kept. To go on: make run")
    assert name == "The end of runs/mine/notebooks/snakemake.log:"
    assert first == "    line 13" and last == "    \\x1b[31mKilled"
