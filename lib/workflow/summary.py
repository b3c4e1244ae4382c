"""The last lines of a run: the verdicts and where to look, or what stopped it.

Snakemake's onsuccess and onerror are not called where nothing is left to do, or where it cannot read its file.
"""

import sys

import numpy as np

from lib import formatting
from lib.experiment import manifest
from lib.experiment.files import read_csv, read_json
from lib.experiment.folders import Experiment, require_file
from lib.workflow import status


def verdicts(name):
    """Print each verdict with its gain, the recommendation, and where figures and tables are."""
    run = Experiment(name, root=".")
    table = read_csv(require_file(run.hypotheses("verdicts.csv"), "07_hypotheses"))
    low, gain, high = (100 * np.expm1(table[column]) for column in ["ci_lo", "theta", "ci_hi"])
    table["gain"] = [f"{g:+.1f} % ({a:+.1f} to {b:+.1f})" if g == g else "" for a, g, b in zip(low, gain, high)]
    print(f"\nVerdicts of {name}. Gain: how much the general model's perplexity is above the specialist's (H1) or the")
    print("best specialist's (H2), or the nearest rival's above the transfer model's (H3); with its interval.\n")
    print(table[["hypothesis", "level", "verdict", "gain"]].to_string(index=False, justify="left"), "\n")
    for advice in read_json(run.hypotheses("recommendation.json"))["levels"].values():
        print(advice["sentence"])
    print(f"\nFigures: {run.figures}   Tables: {run.folder}/compare, {run.folder}/hypotheses")
    print(f"The answer in words: {run.folder}/notebooks/07_hypotheses.ipynb")
    status.print_older_code(run.folder)


def failures(name):
    """Print, of each notebook that stopped, the cell and its message, and the command that goes on."""
    run_dir = Experiment(name, root=".").folder
    stopped = list(status.stopped(run_dir))
    for notebook, cell, message in stopped:
        print(f"\n{notebook} stopped in cell {cell}:\n{formatting.strip_markup(message)}", file=sys.stderr)
    if not stopped:
        _papermill_messages(run_dir)
    print(f"\nWhat is finished is kept. To go on: {manifest.resume_command(run_dir)}", file=sys.stderr)


def _papermill_messages(run_dir):
    """Print the last line of what papermill said about each notebook."""
    for file in sorted((run_dir / "notebooks").glob("*.txt")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]:
            print(f"\n{file}:\n{formatting.strip_markup(line)}", file=sys.stderr)
