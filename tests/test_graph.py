"""Claims about the graph: what is missing is made again, with what follows from it and nothing else."""

import re
import shutil
import subprocess
import sys

import pytest
from workspace import workspace

AFTER = {
    "models/c1/seed1": {"train": 1, "evaluate": 1, "infill": 1, "compare": 1, "hypotheses": 1},
    "models/general/seed0": {"train": 7, "evaluate": 7, "infill": 6, "compare": 1, "hypotheses": 1},
    "evaluation/a2/seed0": {"evaluate": 1, "compare": 1, "hypotheses": 1},
}


def planned(folder):
    """{rule: number of jobs} of a dry run."""
    command = [sys.executable, "-m", "snakemake", "-n", "-c1", "--directory", folder, "--rerun-triggers", "mtime"]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    jobs = re.findall(r"^(\w+) +(\d+)$", shown.stdout + shown.stderr, re.M)
    return {rule: int(n) for rule, n in jobs if rule not in {"all", "total"}}


@pytest.mark.parametrize("missing", AFTER)
def test_a_deleted_result_is_made_again_and_what_follows(missing, tmp_path):
    workspace(tmp_path)
    shutil.copy("Snakefile", tmp_path)
    assert planned(tmp_path) == {}
    (tmp_path / "runs/demo" / missing / "manifest.json").unlink()
    assert planned(tmp_path) == AFTER[missing]
