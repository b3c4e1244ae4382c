"""Titles of figures that show no verdict: what the numbers say, in one line, changing with them."""

import numpy as np
import pandas as pd

from lib.runs import LEVELS
from lib.wording import listed

KINDS = {"own": "{}", "general": "general", "transfer": "{}_transfer"}


def _parts(groups):
    """{who: levels} as "own at A1 and A2; transfer at B1"; levels that nobody has are left out."""
    return "; ".join(f"{who} at {listed(list(levels))}" for who, levels in groups.items() if len(levels)) or "n/a"


def least_surprised(matrix):
    """Which of own, general and transfer model has the lowest perplexity at each level. matrix: ppl_matrix.csv."""
    ppl = matrix[matrix["mask_type"] == "mix"].pivot(index="test", columns="model", values="ppl")
    rows = {level: {kind: ppl.get(name.format(level.lower()), pd.Series(dtype=float)).get(level, np.nan)
                    for kind, name in KINDS.items()} for level in LEVELS}  # fmt: skip
    best = pd.DataFrame(rows).T.astype(float).dropna(how="all").idxmin(axis=1)
    return f"Least surprised of own, general and transfer: {_parts(best.groupby(best).groups)}"


def types_of_blanks(rows):
    """At which levels one model is ahead whatever is blanked. rows: general-own by mask_type, with gain_pct."""
    sides = rows.dropna(subset="gain_pct").groupby("level")["gain_pct"].agg(low="min", high="max")
    groups = {"the own model": sides["low"] > 0, "the general model": sides["high"] < 0,
              "now one, now the other": (sides["low"] <= 0) & (sides["high"] >= 0)}  # fmt: skip
    named = {who: sides.index[at] for who, at in groups.items()}
    return f"Lower perplexity at every type of blank: {_parts(named)}"


def first_languages(rows):
    """Of how many groups the own model is shown to be ahead or behind. rows: general-own by l1, with intervals."""
    answered = rows.dropna(subset="gain_pct")
    ahead, behind = (answered["gain_lo"] > 0).sum(), (answered["gain_hi"] < 0).sum()
    return (f"In {ahead} of {len(answered)} groups of a first language at a level the own model is ahead, "
            f"in {behind} the general one; the others stay open")  # fmt: skip


def learned(curves):
    """Which models were still getting better when training stopped. curves: model, seed, examples, valid_perplexity."""
    looks = curves.dropna(subset="valid_perplexity").sort_values("examples")
    ends = looks.groupby(["model", "seed"])["valid_perplexity"].agg(["last", "min", "size"])
    falling = (ends["last"] <= ends["min"])[ends["size"] > 1].groupby("model").all()
    still = falling.index[falling]
    if len(still) in (0, len(falling)):
        return f"At its last look {'every' if len(still) else 'no'} model was still getting better"
    return f"At their last look {len(still)} of {len(falling)} models were still getting better"
