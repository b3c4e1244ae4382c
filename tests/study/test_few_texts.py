"""A claim about a whole run on a corpus in which one level has no text and another a single one."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from lib.experiment.files import read_csv, read_json, write_table
from tests.helpers import tiny_study as tiny
from tests.helpers import warm_start

KEPT = {"A1": 160, "B2": 160, "C1": 160}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A tiny study, run: no text of B2, one of C1, and a general model that is looked at again at their budgets."""
    folder = tiny.workspace(tmp_path_factory.mktemp("few texts"))
    corpus = pd.read_csv(folder / "corpus.csv", dtype=str, keep_default_na=False)
    spare = (corpus["cefr"] == "B2") | (corpus["cefr"] == "C1") & corpus["cefr"].duplicated()
    write_table(corpus[~spare], folder / "corpus.csv")
    tiny.change(folder, "general", {"snapshot_at": KEPT})
    shutil.copy2(tiny.ROOT / ".gitignore", folder)
    for name in ["b2", "c1"]:
        tiny.change(folder, name, tiny.MODEL, tiny.ROOT / f"params/demo/{name}.yaml")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x")
    done = tiny.make(folder, **warm_start.variables())
    assert done.returncode == 0, done.stdout[-3000:]
    return folder / "runs/tiny"


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_run_leaves_every_committed_file_as_it_was(place):
    assert git(place.parents[1], "status", "--porcelain") == ""
    assert (place / "figures/h1_gains.png").exists()


def test_a_level_without_texts_is_na_and_the_others_have_numbers(place):
    for model, status in {"a1": "trained", "general": "trained", "b2": "n/a", "c1": "n/a"}.items():
        facts = read_json(place / f"models/{model}/seed0/train.json")
        assert facts["status"] == status and (status == "trained" or "text of" in facts["reason"])
    contrasts = read_csv(place / "compare/contrasts.csv")
    assert (contrasts["theta"].notna() | contrasts["reason"].notna()).all()
    primary = contrasts[(contrasts["mask_type"] == "training_mix") & (contrasts["subset"] == "without_copies")]
    assert np.isfinite(primary.set_index(["name", "level"])["theta"]["general_vs_specialist", "A1"])
    verdicts = read_csv(place / "hypotheses/verdicts.csv").set_index(["level", "hypothesis"])
    assert (verdicts.loc[["B2", "C1"], "verdict"] == "n/a").all() and verdicts.loc[["B2", "C1"], "reason"].notna().all()
    assert (verdicts.loc[[("A1", "H1"), ("A1", "H3")], "verdict"] != "n/a").all()


def test_weights_kept_for_a_level_without_texts_are_asked_nothing(place):
    equal = pd.read_parquet(place / "evaluation/general/seed0/equal.parquet")
    assert set(equal["level"]) == {"A1"}
