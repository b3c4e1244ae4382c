"""Titles of figures that show no verdict: what the numbers say, in one line, changing with them."""

import numpy as np
import pandas as pd

from lib.design import LEVELS, compared_at
from lib.formatting import join_names


def _parts(groups):
    """{who: levels} as "own at A1 and A2; transfer at B1"; levels that nobody has are left out."""
    return "; ".join(f"{who} at {join_names(list(levels))}" for who, levels in groups.items() if len(levels)) or "n/a"


def lowest_perplexity(matrix):
    """Which of own, general and transfer model has the lowest perplexity at each level. matrix: ppl_matrix.csv."""
    ppl = matrix[matrix["mask_type"] == "training_mix"].pivot(index="test", columns="model", values="ppl")
    rows = {level: {whose: ppl.get(model, pd.Series(dtype=float)).get(level, np.nan)
                    for whose, model in compared_at(level).items()} for level in LEVELS}  # fmt: skip
    best = pd.DataFrame(rows).T.astype(float).dropna(how="all").idxmin(axis=1)
    return f"Lowest perplexity (point estimate): {_parts(best.groupby(best).groups)}"


def span_types(rows):
    """At which levels one model is shown ahead whatever is masked. rows: general_vs_specialist by mask_type."""
    sides = rows.dropna(subset="gain_pct").groupby("level").agg(low=("gain_lo", "min"), high=("gain_hi", "max"))
    own, general = sides["low"] > 0, sides["high"] < 0
    groups = {"the own model": own, "the general model": general, "neither": ~(own | general)}
    return f"Shown ahead at every type of blank: {_parts({who: sides.index[at] for who, at in groups.items()})}"


def cost(contrasts, read):
    """What gains most over the general model, and how many examples transfer takes. contrasts: of general against own
    and transfer; read: a Series, examples by kind, those of a transfer model's base included."""
    told = contrasts.dropna(subset="gain_pct")
    if told.empty:
        return "No level could be compared"
    top = told.loc[told["gain_pct"].idxmax()]
    first = f"{'Most is gained' if top['gain_pct'] > 0 else 'Least is lost'} with {top['b']}: {top['gain_pct']:+.1f} %"
    ratio = read.get("transfer", np.nan) / read.get("specialist", np.nan)
    return first if np.isnan(ratio) else f"{first}; transfer reads {ratio:.1f} times the examples of an own model"


def sample_size(mde, margin):
    """How large a true gain must be to be shown above the margin, a share. mde: mde.csv."""
    told = mde.dropna(subset="mde_above_margin_pct").sort_values("mde_above_margin_pct")
    each = [
        f"{needed:.0f} % ({level})" for needed, level in zip(told["mde_above_margin_pct"], told["level"], strict=True)
    ]
    needed = f"{each[0]} to {each[-1]}" if len(each) > 1 else "".join(each)
    words = f"A true gain of {needed} is needed to be shown above the margin of {100 * margin:.0f} %"
    return words if each else "No level could be tested"


def first_languages(rows):
    """Of how many groups the own model is shown to be ahead or behind. rows: general_vs_specialist by l1."""
    answered = rows.dropna(subset="gain_pct")
    ahead, behind = (answered["gain_lo"] > 0).sum(), (answered["gain_hi"] < 0).sum()
    return (f"In {ahead} of {len(answered)} groups of a first language at a level the own model is ahead, "
            f"in {behind} the general one; the others stay open")  # fmt: skip


def learning_curves(curves):
    """Which models were still getting better when training stopped. curves: model, seed, examples, valid_perplexity."""
    looks = curves.dropna(subset="valid_perplexity").sort_values("examples")
    ends = looks.groupby(["model", "seed"])["valid_perplexity"].agg(["last", "min", "size"])
    falling = (ends["last"] <= ends["min"])[ends["size"] > 1].groupby("model").all()
    still = falling.index[falling]
    if len(still) in (0, len(falling)):
        return f"At its last look {'every' if len(still) else 'no'} model was still getting better"
    return f"At their last look {len(still)} of {len(falling)} models were still getting better"
