"""A claim about a real run, one of many in `make faults`: killed in a training, it ends with the same files."""

import shutil

import pytest

from lib.experiment.files import file_hash, read_json
from tests.helpers import tiny_study as tiny
from tests.helpers import warm_start
from tests.helpers.workspace import workspace

MODEL = "runs/demo/models/c1_transfer"
ONLY = f"{MODEL}/seed0/manifest.json"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project with its finished demo, but for one model."""
    folder = tmp_path_factory.mktemp("killed run")
    workspace(folder)
    for name in ["notebooks", "bench", "profiles"]:  # of which a workspace has a part, or all
        shutil.rmtree(folder / name)
    for name in tiny.COPIED:
        (shutil.copytree if (tiny.ROOT / name).is_dir() else shutil.copy2)(tiny.ROOT / name, folder / name)
    (folder / ".venv").symlink_to((tiny.ROOT / ".venv").resolve())
    shutil.rmtree(folder / MODEL)
    return folder


def demo(project, fault=""):
    words = tiny.command("demo", "runs/synthetic_corpus.csv")
    return tiny.make(project, fault, words=words, ONLY=ONLY, **warm_start.variables())


def test_a_killed_run_is_ended_by_the_same_command_with_the_same_bits(project):
    killed = demo(project, "step:15")
    assert killed.returncode == 2 and "03_train.c1_transfer.ipynb stopped in cell" in killed.stdout
    assert "It ended without a message" in killed.stdout and "Traceback" not in killed.stdout
    again = demo(project)
    assert again.returncode == 0, again.stdout[-3000:]
    assert read_json(project / MODEL / "seed0/clock.json")["resumed_at"] == 10
    for name in ["model.safetensors", "curve.csv", "order.parquet"]:
        for seed in ["seed0", "seed1"]:
            assert file_hash(project / MODEL / seed / name) == file_hash(tiny.ROOT / MODEL / seed / name)
    assert not (project / "runs/demo/checkpoints/c1_transfer").exists()
