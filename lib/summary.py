"""The last lines of `make run`: the verdicts and where to look, or what stopped it.

Usage: python -m lib.summary EXPERIMENT [failed]
"""

import sys
from pathlib import Path

import numpy as np

from lib.runs import Experiment, need, read_csv, read_json


def verdicts(name):
    """Print each verdict with its gain, what is advised, and where figures and tables are."""
    run = Experiment(name, root=".")
    table = read_csv(need(run.hypotheses("verdicts.csv"), "07_hypotheses"))
    low, gain, high = (100 * np.expm1(table[column]) for column in ["ci_lo", "theta", "ci_hi"])
    table["gain"] = [f"{g:+.1f} % ({a:+.1f} to {b:+.1f})" if g == g else "" for a, g, b in zip(low, gain, high)]
    print(f"\nVerdicts of {name}. Gain: how much higher the general model's perplexity is than the own one's (H1) or")
    print("the best specialist's (H2), or the nearest rival's than the transfer model's (H3); with its interval.\n")
    print(table[["hypothesis", "level", "verdict", "gain"]].to_string(index=False, justify="left"), "\n")
    for advice in read_json(run.hypotheses("recommendation.json"))["levels"].values():
        print(advice["sentence"])
    print(f"\nFigures: {run.figures}   Tables: {run.folder}/compare, {run.folder}/hypotheses")
    print(f"The answer in words: {run.folder}/notebooks/07_hypotheses.ipynb")


def failures(name):
    """Print, of each notebook that stopped, the message it stopped with."""
    for notebook in sorted((Experiment(name, root=".").folder / "notebooks").glob("*.ipynb")):
        cells = read_json(notebook)["cells"]
        for output in [out for cell in cells for out in cell.get("outputs", []) if out["output_type"] == "error"]:
            message = output["evalue"].replace("../", "", 1)  # as seen from here: notebooks run one folder below
            print(f"\n{notebook} stopped:\n{output['ename']}: {message}", file=sys.stderr)


if __name__ == "__main__":
    (failures if sys.argv[2:] else verdicts)(Path(sys.argv[1]).name)
