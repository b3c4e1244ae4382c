"""Claims about the graph: what is missing is made again, with what follows from it and nothing else."""

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workspace import workspace

from lib import status
from lib.request import EMBEDDED

AFTER = {
    "models/c1/seed1": {"train": 1, "evaluate": 1, "infill": 1, "compare": 1, "hypotheses": 1},
    "models/general/seed0": {"train": 7, "evaluate": 7, "infill": 6, "compare": 1, "hypotheses": 1},
    "evaluation/a2/seed0": {"evaluate": 1, "compare": 1, "hypotheses": 1},
}
TRIGGERS = re.search("--rerun-triggers [a-z-]+", Path("Makefile").read_text()).group().split()


def planned(corpus=EMBEDDED):
    """{rule: number of jobs} of what `make run` would do here."""
    status.forget_stale(Path("runs/demo"), "params/demo", corpus)
    command = [sys.executable, "-m", "snakemake", "-n", "-c1", *TRIGGERS, "--config", f"corpus={corpus}"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    jobs = re.findall(r"^(\w+) +(\d+)$", shown.stdout + shown.stderr, re.M)
    return {rule: int(n) for rule, n in jobs if rule not in {"all", "total"}}


def said_last(capsys):
    status.show("demo")
    return capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("missing", AFTER)
def test_a_deleted_result_is_made_again_and_what_follows(missing, tmp_path, monkeypatch, capsys):
    workspace(tmp_path)
    shutil.copy("Snakefile", tmp_path)
    monkeypatch.chdir(tmp_path)
    for file in Path("runs").rglob("*"):  # as a copy leaves them that keeps no times
        os.utime(file, (1e9, random.Random(str(file)).uniform(1e9, 1.7e9)))
    assert planned() == {} and said_last(capsys) == "Nothing is left to do."
    Path("runs/demo", missing, "manifest.json").unlink()
    assert planned() == AFTER[missing] and said_last(capsys) == "To go on: make demo"


def test_a_corpus_that_has_moved_makes_nothing_again_and_another_one_all(tmp_path, monkeypatch, capsys):
    workspace(tmp_path)
    shutil.copy("Snakefile", tmp_path)
    monkeypatch.chdir(tmp_path)
    Path(EMBEDDED).rename("moved.csv")
    assert planned("moved.csv") == {} and said_last(capsys) == "Nothing is left to do."
    Path("other.csv").write_bytes(Path("moved.csv").read_bytes() + b"\n")
    assert planned("other.csv")["extract"] == 1 and "made from another corpus than other.csv" in capsys.readouterr().out
    assert Path("runs/demo/corpus/manifest.json").exists(), "it stands until 01 has accepted the other one"
