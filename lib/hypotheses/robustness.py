"""Whether alternative analyses confirm a verdict: each agrees, contradicts or cannot tell.

An alternative analysis applies the same rules to other contrasts: other units, other texts, other weights.
"""

import pandas as pd

from lib.design import LEVELS
from lib.evaluation.contrasts import select
from lib.hypotheses.decision_rules import (
    EQUIVALENT,
    GENERAL_BETTER,
    HOLDS,
    INCONCLUSIVE,
    INVALID,
    LONGER_TRAINING,
    NA,
    NOT_SUPPORTED,
    OVERALL,
    SUPPORTED,
    VERDICTS,
    outcome,
)

AGREES, CONTRADICTS, CANNOT_TELL, UNTESTED = "agrees", "contradicts", "cannot tell", "untested"
# analysis: (mask_type, subset) in contrasts.csv
ANALYSES = {
    "bits per character": ("training_mix", "bits per character"),
    "copied texts included": ("training_mix", "with_copies"),
    "spans up to a sentence": ("word+ngram+sentence", "without_copies"),
    "held-out prompts": ("training_mix", "held-out prompts"),
    "equal examples": ("training_mix", "equal examples"),
}
EQUAL = "equal examples"  # contrasts of H1 and H2 only; H3 has a control of its own, the general model trained longer
SAME = {SUPPORTED: HOLDS} | {found: {found} for found in (EQUIVALENT, GENERAL_BETTER, NOT_SUPPORTED, LONGER_TRAINING)}
OPPOSITE = {
    SUPPORTED: {NOT_SUPPORTED, LONGER_TRAINING},
    EQUIVALENT: {NOT_SUPPORTED, GENERAL_BETTER},
    GENERAL_BETTER: {NOT_SUPPORTED, EQUIVALENT},
    NOT_SUPPORTED: HOLDS | {LONGER_TRAINING},
    LONGER_TRAINING: {SUPPORTED, NOT_SUPPORTED},
}
COMPARISONS = ["hypothesis", "level", "analysis", "result", "verdict", "theta", "ci_lo", "ci_hi"]
PREFIXES = {CONTRADICTS: "no: contradicted by ", CANNOT_TELL: "cannot tell: ", UNTESTED: "untested: "}


def alternatives(contrasts):
    """{analysis: its contrasts, or None where none could be estimated} from contrasts.csv."""
    found = {}
    for analysis, (mask_type, subset) in ANALYSES.items():
        rows = select(contrasts, mask_type, subset)
        found[analysis] = rows if rows["theta"].notna().any() else None
    if found[EQUAL] is not None:
        primary = select(contrasts)
        of_h3 = ~primary["name"].isin(["general_vs_specialist", "general_vs_best_specialist"])
        found[EQUAL] = pd.concat([found[EQUAL], primary[of_h3]])
    return found


def compare(primary, other):
    """AGREES, CONTRADICTS, CANNOT_TELL or UNTESTED: what a verdict row of another analysis says about a verdict row.

    The other analysis contradicts a decision if it shows the opposite, and cannot tell if it decides nothing. An
    inconclusive verdict is contradicted by an estimate of the same contrast whose interval does not meet its own.
    """
    decision = outcome(primary["verdict"])
    alternative = outcome(other["verdict"])
    if alternative in (NA, INVALID):
        return UNTESTED
    if decision == INCONCLUSIVE:
        if _apart(primary, other):
            return CONTRADICTS
        return AGREES if alternative == INCONCLUSIVE else CANNOT_TELL
    if alternative in SAME[decision]:
        return AGREES
    return CONTRADICTS if alternative in OPPOSITE[decision] else CANNOT_TELL


def _apart(primary, other):
    """Whether two verdict rows have intervals that do not meet. H3's rows may show different rivals: then unknown."""
    if primary["hypothesis"] == "H3" and primary["a"] != other["a"]:
        return False
    return other["ci_lo"] > primary["ci_hi"] or other["ci_hi"] < primary["ci_lo"]


def robustness(decide, contrasts, alternatives):
    """(verdicts, comparisons): verdict rows of decide(contrasts) with `robust`, and a row for each verdict of a level
    and each alternative analysis. alternatives: as the function of this name returns it.

    `robust` is "yes" if every analysis agrees, else its parts are joined by "; ": "no: contradicted by X, Y",
    "cannot tell: X", "untested: X". Overall verdicts have the parts of all their levels.
    """
    verdicts = decide(contrasts)
    others = {name: None if rows is None else decide(rows) for name, rows in alternatives.items()}
    comparisons = pd.DataFrame(_comparisons(verdicts, others), columns=COMPARISONS)
    for i, row in verdicts.iterrows():
        if outcome(row["verdict"]) not in (NA, INVALID):
            verdicts.loc[i, "robust"] = _robust(row, comparisons)
    return verdicts[VERDICTS], comparisons


def _comparisons(verdicts, others):
    """Yield the values of COMPARISONS for each verdict of a level that says something, and each analysis."""
    for i, row in verdicts.iterrows():
        if row["level"] == OVERALL or outcome(row["verdict"]) in (NA, INVALID):
            continue
        for analysis, decided in others.items():
            key = [row["hypothesis"], row["level"], analysis]
            if decided is None:
                yield [*key, UNTESTED, NA, None, None, None]
                continue
            other = decided.loc[i]  # decide returns the same rows for any contrasts
            yield [*key, compare(row, other), *other[["verdict", "theta", "ci_lo", "ci_hi"]]]


def _robust(row, comparisons):
    """The value of `robust` for a verdict row."""
    levels = LEVELS if row["level"] == OVERALL else [row["level"]]
    found = comparisons[(comparisons["hypothesis"] == row["hypothesis"]) & comparisons["level"].isin(levels)]
    if found.empty:
        return UNTESTED
    parts = []
    for result, prefix in PREFIXES.items():
        analyses = found.loc[found["result"] == result, "analysis"].unique()
        if len(analyses):
            parts.append(prefix + ", ".join(analyses))
    return "; ".join(parts) or "yes"


def robust_parts(value):
    """{CONTRADICTS, CANNOT_TELL, UNTESTED: analyses} from a value of `robust`."""
    found = {result: [] for result in PREFIXES}
    for part in value.split("; "):
        for result, prefix in PREFIXES.items():
            if part.startswith(prefix):
                found[result] = part.removeprefix(prefix).split(", ")
    return found
