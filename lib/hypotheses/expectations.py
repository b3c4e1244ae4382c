"""What came out beside what 06 and 07 expected: a word is given only where intervals of paired differences allow it."""

import numpy as np

from lib.design import LEVELS
from lib.formatting import bullets, listed
from lib.hypotheses.decision_rules import ALL, HOLDS, INCONCLUSIVE, outcome

MET, AGAINST, OPEN = "as expected", "against what was expected", "so what was expected stays open"
UNKNOWN = "so nobody can tell"


def sides(rows, margin=0.0):
    """Levels at which every difference is shown above the margin, one is shown below it, and the other levels.

    rows: of contrasts.csv, one or several a level; those without an interval are left out. margin: of ln PPL.
    """
    known = rows.dropna(subset=["ci_lo", "ci_hi"]).groupby("level")[["ci_lo", "ci_hi"]].min()
    known = known.reindex([level for level in LEVELS if level in known.index])
    above, below = known["ci_lo"] > margin, known["ci_hi"] < margin
    return tuple(list(known.index[at]) for at in (above, below, ~(above | below)))


def word(shown, refuted, left):
    """Whether an expectation about all levels is met: by every one, refuted by one, or neither. Lists of levels."""
    if not (shown or refuted or left):
        return UNKNOWN
    return AGAINST if refuted else OPEN if left else MET


def _most(by_type):
    """The three lists for: the gain is greatest where the whole document is missing. Separate intervals must not meet,
    which is stricter than an interval of their difference. by_type: general-own by mask_type, without the mix."""
    rows = by_type.dropna(subset=["ci_lo", "ci_hi"])
    whole = rows[rows["mask_type"] == "document"].set_index("level")
    parts = rows[rows["mask_type"] != "document"].groupby("level")[["ci_lo", "ci_hi"]].max()
    both = whole[["ci_lo", "ci_hi"]].join(parts.add_suffix("_part"), how="inner")
    most, less = both["ci_lo"] > both["ci_hi_part"], both["ci_hi"] < both["ci_lo_part"]
    return tuple([level for level in LEVELS if level in both.index[at]] for at in (most, less, ~(most | less)))


def _told(found, shown, refuted):
    """The three lists in words, and what they mean for what was expected of every level."""
    above, below, left = map(listed, found)
    return f"{shown} at: {above}; {refuted} at: {below}; open at: {left}; {word(*found)}."


def comparison(contrasts, by_type, halved):
    """Markdown: what 06 found beside what it expected.

    contrasts: rows of the mix: general-own, own-transfer, general-transfer, floor-own, and each other specialist
    against the own one; by_type: general-own by mask_type; halved: levels whose own model stands at under half of its
    valid perplexity before training.
    """

    def of(*names):
        return contrasts[contrasts["name"].isin(names)]

    transfer = of("own-transfer", "general-transfer")
    transfer = transfer[transfer.groupby("level")["ci_lo"].transform("count") == 2]
    others = of(*(f"{level.lower()}-own" for level in LEVELS))
    gained, lost, left = sides(of("general-own"))
    at_c1 = word(*(["C1"] * ("C1" in levels) for levels in (lost, gained, left)))
    return bullets({
        "Floor": _told(sides(of("floor-own"), np.log(2)), "The own model's perplexity is shown to be under half of the "
                       "floor's", "shown not to be") + " It is under half of what it was before training (on valid "
                 f"texts, without an interval) at: {listed(halved)}.",
        "Own level": _told(sides(others), "The own model is shown to be less surprised than every other specialist",
                           "shown to be more surprised than one"),
        "General or own": f"The own model is shown to gain at: {listed(gained)}; shown to lose at: {listed(lost)}; "
                           f"open at: {listed(left)}. C1, where it should lose: {at_c1}.",
        "Transfer": _told(sides(transfer), "It is shown to be ahead of both own and general", "shown to be behind one"),
        "Type of blank": _told(_most(by_type[by_type["mask_type"] != "mix"]), "The own model is shown to gain most (or "
                               "lose least) where the whole document is missing", "shown to gain more elsewhere"),
    })  # fmt: skip


def verdicts(decided, primary, h3_margin):
    """Markdown: the verdicts beside what 07 expected of them. decided: verdicts.csv; h3_margin: of perplexity, as in
    the parameters."""
    outcomes = decided[decided["level"] != ALL].assign(one=decided["verdict"].map(outcome))
    outcomes = outcomes.pivot(index="level", columns="hypothesis", values="one")
    h1, h2 = (list(outcomes.index[outcomes[h].isin(HOLDS)]) for h in ("H1", "H2"))
    both, high = [level for level in h1 if level in h2], [level for level in h1 if level in ("B2", "C1")]
    low = f"{listed(high)} among them, {AGAINST}" if high else f"All below B2, {MET}"
    above = primary[primary["name"].str.endswith("-transfer") & (primary["ci_lo"] > np.log1p(h3_margin))]
    own, general = (list(above.loc[above["name"] == f"{a}-transfer", "level"]) for a in ("own", "general"))
    compared = (MET if len(own) > len(general) else AGAINST) if len(above) else "so neither rival is beaten for sure"
    return bullets({
        "H1 and H2": f"They hold together at: {listed(both)}, {AGAINST if both else MET}.",
        "H1": f"It holds at: {listed(h1)}. {low if h1 else 'So nothing speaks for low levels'}.",
        "H3": f"The interval lies above the margin over the own model at: {listed(own)}; over the general model at: "
              f"{listed(general)}; {compared}.",
        "Inconclusive": f"{int((outcomes == INCONCLUSIVE).sum().sum())} of {outcomes.size} verdicts.",
    })  # fmt: skip
