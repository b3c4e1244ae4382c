"""Titles of figures that show no verdict: the result in one line, computed from the numbers."""

import numpy as np
import pandas as pd

from lib.design import LEVELS, compared_at, display_name
from lib.formatting import join_names


def _by_group(groups):
    """{group: levels} as "specialist at A1 and A2; transfer at B1"; groups without levels are left out."""
    phrases = [f"{group} at {join_names(list(levels))}" for group, levels in groups.items() if len(levels)]
    return "; ".join(phrases) or "n/a"


def lowest_perplexity(matrix):
    """Which of specialist, general and transfer model has the lowest perplexity at each level. matrix:
    ppl_matrix.csv."""
    ppl = matrix[matrix["mask_type"] == "training_mix"].pivot(index="test", columns="model", values="ppl")
    rows = {}
    for level in LEVELS:
        models = compared_at(level)
        rows[level] = {
            kind: ppl.get(model, pd.Series(dtype=float)).get(level, np.nan) for kind, model in models.items()
        }
    best = pd.DataFrame(rows).T.astype(float).dropna(how="all").idxmin(axis=1)
    return f"Lowest perplexity (point estimate): {_by_group(best.groupby(best).groups)}"


def span_types(rows):
    """At which levels one model is significantly better for every span type. rows: general_vs_specialist by
    mask_type."""
    sides = rows.dropna(subset="gain_pct").groupby("level").agg(low=("gain_lo", "min"), high=("gain_hi", "max"))
    specialist = sides["low"] > 0
    general = sides["high"] < 0
    better = {"specialist": sides.index[specialist], "general model": sides.index[general]}
    undecided = sides.index[~(specialist | general)]
    if not len(sides):
        return "No level could be compared"
    if len(undecided) == len(sides):
        return "At no level is one model significantly better for every span type"
    title = f"Significantly better for every span type: {_by_group(better)}"
    return f"{title}; neither at {join_names(list(undecided))}" if len(undecided) else title


def cost(contrasts, examples):
    """The largest gain over the general model, and how many examples transfer needs.

    contrasts: of general against specialists and transfer models; examples: a Series, examples by kind, those of a
    transfer model's base included.
    """
    gains = contrasts.dropna(subset="gain_pct")
    if gains.empty:
        return "No level could be compared"
    largest = gains.loc[gains["gain_pct"].idxmax()]
    quantity = "Largest gain" if largest["gain_pct"] > 0 else "Smallest loss"
    title = f"{quantity} over the general model: {display_name(largest['b'])}, {largest['gain_pct']:+.1f} %"
    ratio = examples.get("transfer", np.nan) / examples.get("specialist", np.nan)
    if np.isnan(ratio):
        return title
    return f"{title}; transfer reads {ratio:.1f} times the examples of a specialist"


def sample_size(mde, margin):
    """How large a true gain must be to be detected above the margin, a share. mde: mde.csv."""
    rows = mde.dropna(subset="mde_above_margin_pct").sort_values("mde_above_margin_pct")
    gains = [f"{row.mde_above_margin_pct:.0f} % ({row.level})" for row in rows.itertuples()]
    if not gains:
        return "No level could be tested"
    extent = gains[0] if len(gains) == 1 else f"{gains[0]} to {gains[-1]}"
    return f"The minimum detectable gain above the margin of {100 * margin:.0f} % is {extent}"


def first_languages(rows):
    """In how many groups the specialist is significantly better or worse. rows: general_vs_specialist by l1."""
    tested = rows.dropna(subset="gain_pct")
    better = (tested["gain_lo"] > 0).sum()
    worse = (tested["gain_hi"] < 0).sum()
    return (
        f"The specialist is significantly better in {better} of {len(tested)} groups of one level and first language, "
        f"and worse in {worse}"
    )


def token_classes(rows):
    """In how many classes of tokens the specialist is significantly better or worse. rows: general_vs_specialist by
    class and level."""
    tested = rows.dropna(subset="gain_pct")
    better = (tested["gain_lo"] > 0).sum()
    worse = (tested["gain_hi"] < 0).sum()
    return f"Specialists are significantly better in {better} of {len(tested)} classes of tokens, and worse in {worse}"


def learning_curves(curves):
    """Which models were still improving at the end of training. curves: model, seed, examples, valid_perplexity."""
    evaluations = curves.dropna(subset="valid_perplexity").sort_values("examples")
    ends = evaluations.groupby(["model", "seed"])["valid_perplexity"].agg(["last", "min", "size"])
    improving = (ends["last"] <= ends["min"])[ends["size"] > 1].groupby("model").all()
    n_improving = improving.sum()
    if n_improving == 0:
        return "No model was still improving at its last evaluation"
    if n_improving == len(improving):
        return "Every model was still improving at its last evaluation"
    return f"{n_improving} of {len(improving)} models were still improving at their last evaluation"
