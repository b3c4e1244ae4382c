"""The tables of verdicts in README and docs/demo_results.md, from the demo's results. Usage: tools/verdict_table.py"""

import re
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.design import LEVELS
from lib.experiment.files import atomic_write, read_csv
from lib.hypotheses.decision_rules import OVERALL
from lib.hypotheses.robustness import CANNOT_TELL, CONTRADICTS

PAGES = {"README.md": ["verdicts"], "docs/demo_results.md": ["gains", "robustness"]}  # page: its generated tables
RESULTS = Path("runs/demo/hypotheses")


def markdown(head, rows):
    """A table in Markdown. head: a list of names; rows: lists of text."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def interval(row):
    """The gain of a row of theta as "+20.9 % (+5.6 to +38.4)"."""
    low, gain, high = 100 * np.expm1([row.ci_lo, row.theta, row.ci_hi])
    return f"{gain:+.1f} % ({low:+.1f} to {high:+.1f})"


def verdicts(decided):
    """One row a hypothesis, one column a level and the overall verdict."""
    wide = decided.pivot(index="hypothesis", columns="level", values="verdict")[[*LEVELS, OVERALL]]
    return markdown(["", *LEVELS, "overall"], [[name, *row] for name, row in zip(wide.index, wide.to_numpy())])


def gains(decided):
    """One row a level: the specialist's gain and H1."""
    rows = decided[(decided["hypothesis"] == "H1") & (decided["level"] != OVERALL)]
    head = ["level", "gain of the specialist over the general model, with its interval", "H1"]
    return markdown(head, [[row.level, interval(row), row.verdict] for row in rows.itertuples()])


def robustness(comparisons):
    """One row for each verdict and analysis that do not agree."""
    rows = comparisons[comparisons["result"].isin([CONTRADICTS, CANNOT_TELL])]
    head = ["hypothesis", "level", "analysis", "outcome", "verdict in it", "gain, with the interval"]
    cells = [
        [row.hypothesis, row.level, row.analysis, row.result, row.verdict, interval(row)] for row in rows.itertuples()
    ]
    return markdown(head, cells)


def tables():
    """{name: table in Markdown} from the demo's results."""
    decided = read_csv(RESULTS / "verdicts.csv")
    comparisons = read_csv(RESULTS / "robustness.csv")
    return {"verdicts": verdicts(decided), "gains": gains(decided), "robustness": robustness(comparisons)}


def refreshed(page, names, tables):
    """The text of a page with these tables between their marks."""
    for name in names:
        marks = re.compile(f"(<!-- {name} -->\n).*?(<!-- end -->)", re.S)
        assert marks.search(page), f"the page has no mark <!-- {name} -->"
        page = marks.sub(lambda found, name=name: found[1] + tables[name] + found[2], page)
    return page


if __name__ == "__main__":
    found = tables()
    for path, names in PAGES.items():
        with atomic_write(path) as temporary:
            page = refreshed(Path(path).read_text(encoding="utf-8"), names, found)
            temporary.write_text(page, encoding="utf-8")
