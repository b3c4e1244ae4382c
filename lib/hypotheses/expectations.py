"""What came out beside what 06 and 07 expected: a word is given only where intervals of paired differences allow it."""

import numpy as np

from lib.design import LEVELS, specialists
from lib.formatting import Sentences, join_names
from lib.hypotheses.decision_rules import HOLDS, INCONCLUSIVE, OVERALL, outcome

MET, AGAINST, OPEN = "as expected", "against what was expected", "so what was expected stays open"
UNKNOWN = "so nobody can tell"
SAY = Sentences(__file__)


def sides(rows, margin=0.0):
    """Levels at which every difference is shown above the margin, one is shown below it, and the other levels.

    rows: of contrasts.csv, one or several a level; those without an interval are left out. margin: of ln PPL.
    """
    known = rows.dropna(subset=["ci_lo", "ci_hi"]).groupby("level")[["ci_lo", "ci_hi"]].min()
    return _three(known["ci_lo"] > margin, known["ci_hi"] < margin)


def _three(above, below):
    """Levels where the one holds, the other, and neither. Both: bool by level."""
    return [[level for level in LEVELS if level in above.index[at]] for at in (above, below, ~(above | below))]


def word(shown, refuted, left):
    """Whether an expectation about all levels is met: by every one, refuted by one, or neither. Lists of levels."""
    if not (shown or refuted or left):
        return UNKNOWN
    return AGAINST if refuted else OPEN if left else MET


def _most(by_type):
    """The three lists for: the gain is greatest where the whole document is missing. Separate intervals must not meet,
    which is stricter than an interval of their difference. by_type: general_vs_specialist by mask_type."""
    rows = by_type.dropna(subset=["ci_lo", "ci_hi"])
    whole = rows[rows["mask_type"] == "document"].set_index("level")
    parts = rows[rows["mask_type"] != "document"].groupby("level")[["ci_lo", "ci_hi"]].max()
    both = whole[["ci_lo", "ci_hi"]].join(parts.add_suffix("_part"), how="inner")
    return _three(both["ci_lo"] > both["ci_hi_part"], both["ci_hi"] < both["ci_lo_part"])


def comparison_expectations(contrasts, by_type, halved):
    """Markdown: what 06 found beside what it expected.

    contrasts: rows of the training mix: the planned ones, unigram_vs_specialist, and each other specialist against the
    level's own; by_type: general_vs_specialist by mask_type; halved: levels whose specialist is below half of its
    valid perplexity before training.
    """

    def of(*names):
        return contrasts[contrasts["name"].isin(names)]

    transfer = of("specialist_vs_transfer", "general_vs_transfer")
    transfer = transfer[transfer.groupby("level")["ci_lo"].transform("count") == 2]
    found = {
        "floor": sides(of("unigram_vs_specialist"), np.log(2)),
        "own": sides(of("general_vs_specialist")),
        "transfer": sides(transfer),
    }
    found["specialists"] = sides(of(*(f"{model}_vs_specialist" for model in specialists())))
    found["by_type"] = _most(by_type[by_type["mask_type"] != "training_mix"])
    gained, lost, left = found["own"]
    at_c1 = word(*(["C1"] * ("C1" in levels) for levels in (lost, gained, left)))
    told = {name: [*map(join_names, lists), word(*lists)] for name, lists in found.items()}
    return SAY("comparison", halved=halved, at_c1=at_c1, **told)


def verdict_expectations(decided, primary, h3_margin):
    """Markdown: the verdicts beside what 07 expected of them. decided: verdicts.csv; h3_margin: of perplexity, as in
    the parameters."""
    outcomes = decided[decided["level"] != OVERALL].assign(one=decided["verdict"].map(outcome))
    outcomes = outcomes.pivot(index="level", columns="hypothesis", values="one")
    h1, h2 = (list(outcomes.index[outcomes[h].isin(HOLDS)]) for h in ("H1", "H2"))
    both, high = [level for level in h1 if level in h2], [level for level in h1 if level in ("B2", "C1")]
    above = primary[primary["name"].str.endswith("_vs_transfer") & (primary["ci_lo"] > np.log1p(h3_margin))]
    own, general = (list(above.loc[above["name"] == f"{a}_vs_transfer", "level"]) for a in ("specialist", "general"))
    facts = {"both": both, "h1": h1, "high": high, "own": own, "general": general, "met": MET, "against": AGAINST}
    return SAY("verdicts", n_open=(outcomes == INCONCLUSIVE).sum().sum(), n_verdicts=outcomes.size, **facts)
