"""The last lines of `make run`: the verdicts, and where to look. Usage: python -m lib.summary EXPERIMENT"""

import sys
from pathlib import Path

from lib.runs import Experiment, need, read_csv


def main(name):
    run = Experiment(name, root=".")
    verdicts = read_csv(need(run.hypotheses("verdicts.csv"), "07_hypotheses"))
    print(f"\nVerdicts of {name}, by level (gain: how much perplexity the first loses to the second)\n")
    table = verdicts[["hypothesis", "level", "verdict", "robust", "why"]].fillna("")
    print(table.to_string(index=False, justify="left", max_colwidth=60))
    print(f"\nFigures: {run.figures}   Tables: {run.folder}/compare, {run.folder}/hypotheses")
    print(f"Notebooks as they ran: {run.folder}/notebooks")


if __name__ == "__main__":
    main(Path(sys.argv[1]).name)
