"""A copy of what the notebooks need, so that running them never touches the user's own runs/."""

import shutil
from pathlib import Path

NOTEBOOKS = sorted(Path("notebooks").glob("0*.ipynb"))


def workspace(folder):
    """Copy notebooks, parameters and the demo's run into folder; returns folder/notebooks."""
    folder = Path(folder)
    skip = shutil.ignore_patterns(".ipynb_checkpoints", "checkpoints", ".*.tmp*")
    for part in ["notebooks", "params", "profiles", "bench/records", "runs/demo"]:
        shutil.copytree(part, folder / part, ignore=skip)
    shutil.copy2("runs/synthetic_corpus.csv", folder / "runs")  # with its time, which the graph looks at
    return folder / "notebooks"
