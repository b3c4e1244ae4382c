"""Claims about what `make run` prints at its end."""

import shutil

import nbformat
import pytest

from lib.experiment.files import read_csv, write_table
from lib.workflow import summary


@pytest.fixture
def run(tmp_path, monkeypatch):
    for part in ["hypotheses", "notebooks"]:
        shutil.copytree(f"runs/demo/{part}", tmp_path / "runs/demo" / part)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs/demo"


def test_every_verdict_is_printed_whole_with_its_gain_and_the_advice(run, capsys):
    summary.verdicts("demo")
    shown = capsys.readouterr().out
    assert "..." not in shown
    assert all(f"{hypothesis}  " in shown for hypothesis in ["H1", "H2", "H3"])
    assert shown.count(" % (") >= 15 and shown.count("gain over the general model") == 5


def test_the_reason_stands_beside_every_na(run, capsys):
    summary.verdicts("demo")
    assert "reason" not in capsys.readouterr().out  # nothing is n/a there
    verdicts = read_csv(run / "hypotheses/verdicts.csv")
    of_a1 = (verdicts["hypothesis"] == "H1") & (verdicts["level"] == "A1")
    verdicts.loc[of_a1, ["verdict", "reason"]] = ["n/a", "3 learners, below 5"]
    write_table(verdicts, run / "hypotheses/verdicts.csv")
    summary.verdicts("demo")
    lines = [line for line in capsys.readouterr().out.splitlines() if "n/a" in line.split()]
    assert len(lines) == 1 and lines[0].rstrip().endswith("3 learners, below 5")


def test_a_stopped_notebook_is_named_with_its_message_and_no_other(run, capsys):
    notebook = nbformat.read(run / "notebooks/01_extract.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell.outputs = [nbformat.v4.new_output("error", ename="CorpusError", evalue="../my.csv is empty.", traceback=["x"])]
    nbformat.write(notebook, run / "notebooks/01_extract.ipynb")
    summary.failures("demo")
    shown = capsys.readouterr().err
    assert shown.startswith("\nCorpusError: my.csv is empty.\nruns/demo/notebooks/01_extract.ipynb stopped in cell 2.")
    assert "Mend this first. To go on: make demo\n" in shown and shown.count("stopped") == 1
