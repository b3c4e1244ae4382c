"""Claims about profiles: each can be read, and what a cluster is asked for is what the planner says."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from lib.experiment import parameters
from tests.helpers import warm_start
from tests.helpers.workspace import workspace

PROFILES = sorted(path.parent.name for path in Path("profiles").glob("*/machine.yaml"))
TRAINED = "runs/demo/models/a1/seed0/manifest.json"


def test_there_is_one_for_a_laptop_a_server_and_a_cluster():
    assert PROFILES == ["gpu-server", "laptop", "slurm"]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_read_and_each_of_its_lines_is_explained(name):
    assert parameters.load_machine(name).threads > 0
    for file in ["machine.yaml", "config.yaml"]:
        text = Path("profiles", name, file).read_text()
        assert yaml.safe_load(text)
        bare = [line for line in text.splitlines() if line and "#" not in line and not line.endswith(":")]
        assert len(bare) <= 4, bare


def test_a_server_has_as_many_gpus_in_both_files():
    limits = yaml.safe_load(Path("profiles/gpu-server/config.yaml").read_text())["resources"]
    assert limits == [f"gpu={parameters.load_machine('gpu-server').parallel_jobs}"]


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    """The demo without one of its trained models."""
    folder = tmp_path_factory.mktemp("untrained")
    workspace(folder)
    (folder / TRAINED).unlink()
    return folder


@pytest.mark.parametrize(("profile", "words"), [("slurm", "--gpus 1 --threads 6"), ("laptop", "--gpus 0 --threads 1")])
def test_a_training_is_given_the_cores_and_gpus_of_its_machine(profile, words, untrained, warm):
    command = warm_start.module("snakemake", "-n", "-p", "-s", str(Path("Snakefile").resolve()), "-c", "6")
    command += ["--directory", str(untrained), TRAINED, "--config", f"profile={profile}"]
    shown = subprocess.run(command, env=os.environ | warm, capture_output=True, text=True, check=True)
    (line,) = [line for line in (shown.stdout + shown.stderr).splitlines() if "03_train.ipynb" in line]
    assert "python -m lib job notebooks/03_train.ipynb" in line and words in line
