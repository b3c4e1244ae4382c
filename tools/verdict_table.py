"""The README's verdict table, as the demo's own verdicts.csv writes it. Usage: python tools/verdict_table.py"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.design import LEVELS
from lib.experiment.files import atomic_write, read_csv

MARKS = re.compile("(<!-- verdicts -->\n).*?(<!-- end -->)", re.S)


def table(verdicts):
    """Markdown: one row a hypothesis, one column a level and the overall verdict."""
    wide = verdicts.pivot(index="hypothesis", columns="level", values="verdict")[[*LEVELS, "all"]]
    head = ["", *LEVELS, "overall"]
    rows = [head, ["---"] * len(head), *([name, *row] for name, row in zip(wide.index, wide.to_numpy()))]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def refreshed(readme, verdicts):
    return MARKS.sub(lambda found: found[1] + table(verdicts) + found[2], readme)


if __name__ == "__main__":
    with atomic_write("README.md") as temporary:
        old = Path("README.md").read_text(encoding="utf-8")
        temporary.write_text(refreshed(old, read_csv("runs/demo/hypotheses/verdicts.csv")), encoding="utf-8")
