"""The last lines of a run: the verdicts and where to look, or what stopped it, the cause first.

Snakemake's onsuccess and onerror are not called where nothing is left to do, or where it cannot read its file.
"""

import sys

import numpy as np

from lib import errors
from lib.experiment import manifest
from lib.experiment.files import read_csv, read_json
from lib.experiment.folders import Experiment, require_file
from lib.formatting import strip_markup
from lib.hypotheses.decision_rules import INVALID, NA
from lib.workflow import status
from lib.workflow.progress.display import LOG

LOG_LINES = 8  # of Snakemake's log that are shown after an error


def verdicts(name):
    """Print each verdict with its gain, the recommendation, and where figures and tables are."""
    run = Experiment(name, root=".")
    table = read_csv(require_file(run.hypotheses("verdicts.csv"), "07_hypotheses"))
    low, gain, high = (100 * np.expm1(table[column]) for column in ["ci_lo", "theta", "ci_hi"])
    table["gain"] = [f"{g:+.1f} % ({a:+.1f} to {b:+.1f})" if g == g else "" for a, g, b in zip(low, gain, high)]
    print(f"\nVerdicts of {name}. Gain: how much the general model's perplexity is above the specialist's (H1) or the")
    print("best specialist's (H2), or the nearest rival's above the transfer model's (H3); with its interval.\n")
    table["reason"] = table["reason"].where(table["verdict"].isin([NA, INVALID]), "").fillna("")
    shown = table[["hypothesis", "level", "verdict", "gain", "reason"]]
    print(shown.drop(columns=[] if any(table["reason"]) else "reason").to_string(index=False, justify="left"), "\n")
    for advice in read_json(run.hypotheses("recommendation.json"))["levels"].values():
        print(advice["sentence"])
    print(f"\nFigures: {run.figures}   Tables: {run.folder}/compare, {run.folder}/hypotheses")
    print(f"The answer in words: {run.folder}/notebooks/07_hypotheses.ipynb")
    status.print_older_code(run.folder)


def failures(name):
    """Print of each notebook that stopped its message and cell, then the command that goes on, then the log's end."""
    run_dir = Experiment(name, root=".").folder
    stopped = list(status.stopped(run_dir))
    for notebook, cell, message in stopped:
        _print(f"\n{strip_markup(message)}\n{notebook} stopped in cell {cell}.")
    if not stopped:
        _papermill_messages(run_dir)
    can_be_mended = bool(stopped) and all(_says_what_to_do(message) for _, _, message in stopped)
    first = "Mend this first. " if can_be_mended else ""
    _print(f"\nWhat is finished is kept. {first}To go on: {manifest.resume_command(run_dir)}")
    if can_be_mended:
        _print(f"Snakemake's log: {run_dir / LOG}")
    else:
        _log_tail(run_dir / LOG)


def _print(text):
    print(text, file=sys.stderr)


def _papermill_messages(run_dir):
    """Print the last line of what papermill said about each notebook."""
    for file in sorted((run_dir / "notebooks").glob("*.txt")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()[-1:]:
            _print(f"\n{strip_markup(line)}\nSaid in {file}.")


def _says_what_to_do(message):
    """Is this the message of an error that the user can fix? Then a log says nothing more."""
    kind = getattr(errors, message.split(":")[0], None)
    return isinstance(kind, type) and issubclass(kind, errors.UserError)


def _log_tail(file):
    """Print the last lines of Snakemake's log."""
    if file.exists():
        lines = [line for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        _print(f"The end of {file}:")
        for line in lines[-LOG_LINES:]:
            _print(f"    {strip_markup(line)}")
