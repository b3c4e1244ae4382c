"""Claims about the graph: what is missing is made again, with what follows from it and nothing else."""

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lib.workflow import run, status
from lib.workflow.arguments import EMBEDDED
from tests.helpers import tiny_study as tiny
from tests.helpers import warm_start
from tests.helpers.workspace import workspace

AFTER = {
    "models/c1/seed1": {"train": 1, "evaluate": 1, "infill": 1, "compare": 1, "hypotheses": 1},
    "models/general/seed0": {"train": 7, "evaluate": 7, "infill": 6, "compare": 1, "hypotheses": 1},
    "evaluation/a2/seed0": {"evaluate": 1, "compare": 1, "hypotheses": 1},
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A copy of the finished demo in which no file has the time at which it was made."""
    folder = tmp_path_factory.mktemp("demo")
    workspace(folder)
    shutil.copy("Snakefile", folder)
    for file in (folder / "runs").rglob("*"):  # as a copy leaves them that keeps no times
        os.utime(file, (1e9, random.Random(str(file.relative_to(folder))).uniform(1e9, 1.7e9)))
    return folder


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Work in a copy of the finished demo that a test may change; returns its folder."""
    workspace(tmp_path)
    shutil.copy("Snakefile", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(corpus=EMBEDDED, only=None):
    """{rule: number of jobs} of what `make run` would do here, to the end or as far as one result."""
    status.mark_stale(Path("runs/demo"), "params/demo", corpus)
    command = warm_start.module("snakemake", "-n", "-c1", *run.BY_HASHES, "--config", f"corpus={corpus}")
    command += ["--", only] if only else []
    env = os.environ | warm_start.variables()
    shown = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    jobs = re.findall(r"^(\w+) +(\d+)$", shown.stdout + shown.stderr, re.M)
    return {rule: int(n) for rule, n in jobs if rule not in {"all", "total"}}


def said_last(capsys):
    status.show("demo")
    return capsys.readouterr().out.splitlines()[-1]


def test_a_copy_without_times_of_files_is_complete(demo, monkeypatch, capsys):
    monkeypatch.chdir(demo)
    assert planned() == {} and said_last(capsys) == "Nothing is left to do."


@pytest.mark.parametrize("missing", AFTER)
def test_a_deleted_result_is_made_again_and_what_follows(missing, demo, monkeypatch, capsys):
    monkeypatch.chdir(demo)
    manifest = Path("runs/demo", missing, "manifest.json")
    content = manifest.read_bytes()
    manifest.unlink()
    try:
        assert planned() == AFTER[missing] and said_last(capsys) == "To go on: make demo"
    finally:
        manifest.write_bytes(content)


def test_another_corpus_makes_all_again_one_that_moved_nothing(copy, capsys):
    Path(EMBEDDED).rename("moved.csv")
    assert planned("moved.csv") == {} and said_last(capsys) == "Nothing is left to do."
    Path("other.csv").write_bytes(Path("moved.csv").read_bytes() + b"\n")
    assert planned("other.csv")["extract"] == 1 and "made from another corpus than other.csv" in capsys.readouterr().out
    assert Path("runs/demo/corpus/manifest.json").exists(), "it stands until 01 has accepted the other one"


def test_what_follows_from_a_stale_result_is_made_again_unasked(copy):
    Path("runs/demo/corpus/texts.parquet").write_bytes(b"damaged")
    assert planned(only="runs/demo/masks/manifest.json") == {"extract": 1, "mask": 1}


def test_a_refused_corpus_takes_neither_result_nor_notebook(copy, warm, monkeypatch, capsys):
    for name in ["lib", "profiles"]:
        (copy / name).exists() or (copy / name).symlink_to(tiny.ROOT / name)
    for name, value in warm.items():
        monkeypatch.setenv(name, value)
    Path("other.csv").write_text("text_id,learner_id,level,text\n1,1,A9,A text.\n")
    corpus, notebook = Path("runs/demo/corpus/manifest.json"), Path("runs/demo/notebooks/01_extract.ipynb")
    before = corpus.read_bytes(), notebook.read_bytes()
    snakemake = warm_start.module("snakemake", "-c1", *run.BY_HASHES, "--config", "corpus=other.csv", "--", corpus)
    for _ in range(2):
        assert run.locked("demo", "other.csv", "params/demo", "laptop", snakemake) == 1
        assert (corpus.read_bytes(), notebook.read_bytes()) == before
    status.show("demo")
    assert "notebooks/refused/01_extract.ipynb, cell" in capsys.readouterr().out
    assert planned() == {}, "with the corpus before, nothing is left to do"
