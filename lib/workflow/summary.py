"""The last lines of a run: the verdicts and where to look, or what stopped it.

Not Snakemake's onsuccess and onerror: it calls neither where nothing is left to do, nor where it cannot read its file.
"""

import sys

import numpy as np

from lib import formatting
from lib.experiment import manifest
from lib.experiment.files import read_csv, read_json
from lib.experiment.folders import Experiment, require_file
from lib.workflow import status


def verdicts(name):
    """Print each verdict with its gain, what is advised, and where figures and tables are."""
    run = Experiment(name, root=".")
    table = read_csv(require_file(run.hypotheses("verdicts.csv"), "07_hypotheses"))
    low, gain, high = (100 * np.expm1(table[column]) for column in ["ci_lo", "theta", "ci_hi"])
    table["gain"] = [f"{g:+.1f} % ({a:+.1f} to {b:+.1f})" if g == g else "" for a, g, b in zip(low, gain, high)]
    print(f"\nVerdicts of {name}. Gain: how much higher the general model's perplexity is than the own one's (H1) or")
    print("the best specialist's (H2), or the nearest rival's than the transfer model's (H3); with its interval.\n")
    print(table[["hypothesis", "level", "verdict", "gain"]].to_string(index=False, justify="left"), "\n")
    for advice in read_json(run.hypotheses("recommendation.json"))["levels"].values():
        print(advice["sentence"])
    print(f"\nFigures: {run.figures}   Tables: {run.folder}/compare, {run.folder}/hypotheses")
    print(f"The answer in words: {run.folder}/notebooks/07_hypotheses.ipynb")
    status.tell_code(run.folder)


def failures(name):
    """Print, of each notebook that stopped, the cell and the message it stopped with, and the command that goes on."""
    home = Experiment(name, root=".").folder
    found = list(status.stopped(home))
    for notebook, cell, message in found:
        print(f"\n{notebook} stopped in cell {cell}:\n{formatting.strip_markup(message)}", file=sys.stderr)
    for said in [] if found else sorted((home / "notebooks").glob("*.txt")):  # papermill's own complaints
        for line in said.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]:
            print(f"\n{said}:\n{formatting.strip_markup(line)}", file=sys.stderr)
    print(f"\nWhat is finished is kept. To go on: {manifest.resume_command(home)}", file=sys.stderr)
