"""Run each notebook with its defaults in a copy of the demo, and keep its outputs in notebooks/ for committing."""

import subprocess
import sys
import tempfile

import nbformat
from workspace import NOTEBOOKS, workspace


def main():
    with tempfile.TemporaryDirectory() as folder:
        place = workspace(folder)
        for notebook in NOTEBOOKS:
            print(notebook, flush=True)
            command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", notebook.name]
            subprocess.run([*command, "--log-level", "ERROR"], cwd=place, check=True)
            executed = nbformat.read(place / notebook.name, as_version=4)
            for cell in executed.cells:
                cell.metadata.pop("execution", None)  # times of day, new at every run
            nbformat.write(executed, notebook)


if __name__ == "__main__":
    main()
