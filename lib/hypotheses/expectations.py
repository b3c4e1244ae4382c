"""What came out beside what 06 and 07 expected. Whether an expectation is met is decided by intervals of paired
differences, never by a point estimate alone."""

import numpy as np
import pandas as pd

from lib.design import LEVELS, specialists
from lib.formatting import Sentences, join_names
from lib.hypotheses.decision_rules import HOLDS, INCONCLUSIVE, INVALID, NA, NOT_SUPPORTED, OVERALL, outcome

MET, AGAINST, OPEN, UNKNOWN = "as expected", "contrary to expectation", "undecided", "not tested"
HIGH = LEVELS[3:]  # at which H1 is not expected to hold
SAY = Sentences(__file__)


def fewest_texts(report):
    """The level with the fewest training texts, of those that have any; None where none has. report: of 01."""
    counts = pd.DataFrame(report["by_level"])
    counts = counts[(counts["split"] == "train") & (counts["n_texts"] > 0) & counts["level"].isin(LEVELS)]
    if counts.empty:
        return None
    return counts.groupby("level")["n_texts"].sum().idxmin()


def sides(rows, margin=0.0):
    """(above, below, undecided): levels at which every interval lies above the margin, at which one lies below it, and
    the others.

    rows: of contrasts.csv, one or several a level; those without an interval are left out. margin: of ln PPL.
    """
    lowest = rows.dropna(subset=["ci_lo", "ci_hi"]).groupby("level")[["ci_lo", "ci_hi"]].min()
    return _levels(lowest["ci_lo"] > margin, lowest["ci_hi"] < margin)


def _levels(above, below):
    """Levels of the first, of the second, and of neither. Both: bool by level."""
    groups = above, below, ~(above | below)
    return [[level for level in LEVELS if level in group.index[group]] for group in groups]


def assessment(confirmed, refuted, undecided):
    """Whether an expectation about all levels is met: by every level, refuted by one, or neither. Lists of levels."""
    if not (confirmed or refuted or undecided):
        return UNKNOWN
    if refuted:
        return AGAINST
    return OPEN if undecided else MET


def _largest_for_documents(by_type):
    """Levels at which the gain is largest where the whole text is masked, not largest, and undecided.

    Separate intervals must not meet, which is stricter than an interval of their difference. by_type: rows
    general_vs_specialist by mask_type.
    """
    rows = by_type.dropna(subset=["ci_lo", "ci_hi"])
    whole = rows[rows["mask_type"] == "document"].set_index("level")[["ci_lo", "ci_hi"]]
    others = rows[rows["mask_type"] != "document"].groupby("level")[["ci_lo", "ci_hi"]].max()
    both = whole.join(others.add_suffix("_others"), how="inner")
    return _levels(both["ci_lo"] > both["ci_hi_others"], both["ci_hi"] < both["ci_lo_others"])


def _loss_at(level, gains):
    """Whether the expected loss of the specialist at one level came out. gains: as `sides` returns them."""
    gained, lost, undecided = ([level] * (level in levels) for levels in gains)
    return assessment(lost, gained, undecided)


def comparison_expectations(contrasts, by_type, halved, smallest):
    """Markdown: what 06 found beside what it expected.

    contrasts: rows of the training mix: the planned ones, unigram_vs_specialist, and each other specialist against the
    level's own; by_type: general_vs_specialist by mask_type; halved: levels whose specialist has less than half of its
    validation perplexity before training; smallest: the level with the fewest training texts, or None.
    """
    transfer = contrasts[contrasts["name"].isin(["specialist_vs_transfer", "general_vs_transfer"])]
    transfer = transfer[transfer.groupby("level")["ci_lo"].transform("count") == 2]
    baseline = contrasts[contrasts["name"] == "unigram_vs_specialist"]
    gains = sides(contrasts[contrasts["name"] == "general_vs_specialist"])
    others = contrasts[contrasts["name"].isin([f"{model}_vs_specialist" for model in specialists()])]
    found = {
        "baseline": sides(baseline, np.log(2)),
        "gains": gains,
        "transfer": sides(transfer),
        "specialists": sides(others),
        "by_type": _largest_for_documents(by_type[by_type["mask_type"] != "training_mix"]),
    }
    facts = {name: [*map(join_names, levels), assessment(*levels)] for name, levels in found.items()}
    return SAY("comparison", halved=halved, smallest=smallest, loss=_loss_at(smallest, gains), **facts)


def _failure_at(level, outcomes):
    """Whether the expected failure of H1 at one level came out. outcomes: of H1 by level."""
    found = outcomes.get(level, NA)
    if found in HOLDS:
        return AGAINST
    return {NOT_SUPPORTED: MET, INCONCLUSIVE: OPEN}.get(found, UNKNOWN)


def verdict_expectations(decided, primary, h3_margin, smallest):
    """Markdown: the verdicts beside what 07 expected of them.

    decided: verdicts.csv; primary: the primary contrasts; h3_margin: of perplexity, as in the parameters; smallest:
    the level with the fewest training texts, or None.
    """
    rows = decided[decided["level"] != OVERALL]
    outcomes = rows.assign(outcome=rows["verdict"].map(outcome))
    outcomes = outcomes.pivot(index="level", columns="hypothesis", values="outcome")
    h1 = list(outcomes.index[outcomes["H1"].isin(HOLDS)])
    h2 = list(outcomes.index[outcomes["H2"].isin(HOLDS)])
    above = primary[primary["ci_lo"] > np.log1p(h3_margin)]
    over_specialist = list(above.loc[above["name"] == "specialist_vs_transfer", "level"])
    over_general = list(above.loc[above["name"] == "general_vs_transfer", "level"])
    return SAY(
        "verdicts",
        both=[level for level in h1 if level in h2],
        h1=h1,
        unexpected=[level for level in h1 if level in HIGH],
        specialist=over_specialist,
        general=over_general,
        smallest=smallest,
        failure=_failure_at(smallest, outcomes["H1"]),
        n_open=int((outcomes == INCONCLUSIVE).sum().sum()),
        n_verdicts=int((~outcomes.isin([NA, INVALID])).sum().sum()),
        met=MET,
        against=AGAINST,
    )
