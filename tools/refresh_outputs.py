"""Run notebooks (all, or those named by number: 06 07) with their defaults in a copy of the demo; keep the outputs.

Without numbers, the figures of the demo are copied from runs/demo/figures to figures/demo, too.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.helpers.workspace import NOTEBOOKS, workspace

FIGURES = Path("figures/demo")
TIMED = "cost_gain.*"  # these hold times, which differ at every run


def copy_figures():
    """Replace the committed figures by those of the demo."""
    shutil.rmtree(FIGURES, ignore_errors=True)
    shutil.copytree("runs/demo/figures", FIGURES, ignore=shutil.ignore_patterns(TIMED))


def main():
    with tempfile.TemporaryDirectory() as folder:
        place = workspace(folder)
        for notebook in [n for n in NOTEBOOKS if not sys.argv[1:] or n.stem[:2] in sys.argv[1:]]:
            print(notebook, flush=True)
            command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", notebook.name]
            subprocess.run([*command, "--log-level", "ERROR"], cwd=place, check=True)
            executed = nbformat.read(place / notebook.name, as_version=4)
            for cell in executed.cells:
                cell.metadata.pop("execution", None)  # times of day, new at every run
            nbformat.write(executed, notebook)
    if not sys.argv[1:]:
        copy_figures()


if __name__ == "__main__":
    main()
