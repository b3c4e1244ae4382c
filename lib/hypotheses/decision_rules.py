"""The hypotheses and their decision rules.

Pure functions from contrast rows to verdict rows. theta and margins are differences of ln PPL, so 10 % is ln 1.10.
Tests are one-sided at alpha; the intervals beside them are two-sided.
"""

from collections import namedtuple

import numpy as np
import pandas as pd

from lib.design import LEVELS
from lib.evaluation.statistics import hochberg, holm, p_above

SUPPORTED, PARTLY, NOT_SUPPORTED, INCONCLUSIVE = "supported", "partly", "not supported", "inconclusive"
NA, INVALID = "n/a", "invalid"
EQUIVALENT, GENERAL_BETTER = "equivalent", "general better"  # H2 holds, and more than H2 is shown
LONGER_TRAINING = "longer training"  # H3: transfer beats both, but not a general model that was trained as long
HOLDS = {SUPPORTED, EQUIVALENT, GENERAL_BETTER}
PROVISIONAL = " (provisional)"  # suffix of a verdict that a missing seed or missing learner ids could change
OVERALL = "all"  # in the column level: the verdict over all levels
H3_TESTS = ["specialist_vs_transfer", "general_vs_transfer", "continued_vs_transfer"]  # the last is the control
NO_CONTROL = "longer training not excluded: no general model was trained as long"
NO_LEAD = "longer training not excluded: no lead shown over a general model trained as long"
VERDICTS = ["hypothesis", "level", "a", "b", "theta", "ci_lo", "ci_hi", "p", "p_adjusted", "margin"]
VERDICTS += ["verdict", "robust", "reason"]


def outcome(verdict):
    """A verdict without its suffix and its level names: one of the constants above."""
    return verdict.split(" (")[0]


def _rows(contrasts, name):
    """The contrast `name`, a row per level, NaN where it was not estimated; ValueError if a level has two."""
    found = contrasts[contrasts["name"] == name].set_index("level")
    if found.index.has_duplicates:
        raise ValueError(f"{name} occurs twice at one level: select one mask_type and subset before deciding")
    rows = found.reindex(LEVELS)
    unexplained = rows["theta"].isna() & rows["reason"].isna()
    reason = rows["reason"].fillna("").mask(unexplained, f"{name} was not compared")
    return rows.assign(reason=reason, provisional=rows["provisional"].eq(True))


def _p(rows, margin, side=1):
    """One-sided p by level of theta > margin, or with side=-1 of theta < margin."""
    return pd.Series(p_above(side * rows["theta"], rows["se"], rows["df"], side * margin), rows.index)


def overall(outcomes, everywhere=False):
    """One verdict over all levels. outcomes: a Series by level.

    It is the levels' common outcome, if they have one. Otherwise it names the levels at which the hypothesis holds.
    Otherwise it is refuted if it is refuted at every level or, for a hypothesis about all levels (everywhere), at one.
    """
    if outcomes.nunique() == 1:
        return outcomes.iloc[0]
    holds = [level for level in LEVELS if outcomes[level] in HOLDS]
    if len(holds) == len(LEVELS):
        return SUPPORTED
    if holds:
        return f"{PARTLY} ({', '.join(holds)})"
    refuted = outcomes.isin([NOT_SUPPORTED, LONGER_TRAINING])
    if refuted.all() or everywhere and refuted.any():
        return NOT_SUPPORTED
    return INCONCLUSIVE


def _verdicts(hypothesis, rows, margin, p, p_adjusted, verdict, notes):
    """Verdict rows of the levels and of OVERALL, whose p is the largest, since the overall claim needs every level."""
    outcomes = pd.Series(verdict, LEVELS)
    table = rows.reindex(columns=["a", "b", "theta", "ci_lo", "ci_hi"])
    table = table.assign(p=p, p_adjusted=p_adjusted, verdict=outcomes)
    reasons = zip(notes, rows["reason"], strict=True)
    table["reason"] = ["; ".join(filter(None, pair)) for pair in reasons]
    table.loc[OVERALL, ["p", "p_adjusted"]] = table[["p", "p_adjusted"]].max(skipna=False)
    groups = outcomes.groupby(outcomes, sort=False).groups
    table.loc[OVERALL, "verdict"] = overall(outcomes, HYPOTHESES[hypothesis].everywhere)
    table.loc[OVERALL, "reason"] = "; ".join(f"{found} at {', '.join(levels)}" for found, levels in groups.items())
    tested = table["verdict"] != NA
    provisional = np.array([*rows["provisional"], rows["provisional"].any()]) & tested
    table["robust"] = np.where(tested, "untested", NA)
    table["verdict"] += np.where(provisional, PROVISIONAL, "")
    return table.rename_axis("level").reset_index().assign(hypothesis=hypothesis, margin=margin)[VERDICTS]


def h1(contrasts, params):
    """Specialisation matters: theta(general, specialist) > ln 1.10, with Holm's correction over the levels.

    A refutation has Hochberg's correction, which does not hinder the claim that H1 is refuted at every level.
    """
    rows = _rows(contrasts, "general_vs_specialist")
    margin = np.log1p(params.h1_margin)
    p = _p(rows, margin)
    p_adjusted = holm(p)
    p_strong = holm(_p(rows, np.log1p(params.h1_strong)))
    below = hochberg(_p(rows, margin, -1)) < params.alpha
    verdict = np.select([p.isna(), p_adjusted < params.alpha, below], [NA, SUPPORTED, NOT_SUPPORTED], INCONCLUSIVE)
    notes = np.where(p_strong < params.alpha, f"strong: also above {100 * params.h1_strong:.0f} %", "")
    return _verdicts("H1", rows, margin, p, p_adjusted, verdict, notes)


def h2(contrasts, params):
    """The general model suffices: theta(general, best) < ln 1.10, where best is the specialist with the lowest
    perplexity on the validation set.

    Claims have Hochberg's correction over the levels. It does not hinder the overall claim, which needs all levels.
    Equivalence is two one-sided tests, by the larger p. A refutation is H1's claim where the best specialist is that of
    the level, so it has Holm's correction as there.
    """
    rows = _rows(contrasts, "general_vs_best_specialist")
    margin = np.log1p(params.h2_margin)
    p = _p(rows, margin, -1)
    p_within = np.maximum(p, _p(rows, -margin))
    suffices = hochberg(p) < params.alpha
    equivalent = hochberg(p_within) < params.alpha
    better = hochberg(_p(rows, -margin, -1)) < params.alpha
    behind = holm(_p(rows, margin)) < params.alpha
    conditions = [p.isna(), better, equivalent, suffices, behind]
    verdict = np.select(conditions, [NA, GENERAL_BETTER, EQUIVALENT, SUPPORTED, NOT_SUPPORTED], INCONCLUSIVE)
    return _verdicts("H2", rows, margin, p, hochberg(p), verdict, [""] * len(rows))


def h3(contrasts, params):
    """Transfer is best: theta(specialist, transfer) and theta(general, transfer) > ln 1.02, by the larger p, with
    Holm's correction over the levels.

    Where the general model was also trained as long on all levels, that contrast counts too. H3 is refuted if the
    specialist's or the general model's contrast is significantly below the margin: the smaller p, doubled. Longer
    training is shown if transfer beats both, but the control's contrast is significantly below the margin: the
    largest of the three p. Both have Hochberg's correction over the levels. A verdict row shows the contrast with the
    rival that the verdict rests on (`_deciding_rival`).
    """
    tests = [_rows(contrasts, name) for name in H3_TESTS]
    margin = np.log1p(params.h3_margin)
    above = pd.concat([_p(rows, margin) for rows in tests], axis=1)
    below = pd.concat([_p(rows, margin, -1) for rows in tests], axis=1)
    both = above[[0, 1]].max(axis=1, skipna=False)
    p = np.fmax(both, above[2]).where(both.notna())
    p_adjusted = holm(p)
    beats_both = holm(both) < params.alpha
    longer = hochberg(np.maximum(both, below[2])) < params.alpha
    refuted = hochberg((2 * below[[0, 1]].min(axis=1)).clip(upper=1)) < params.alpha
    conditions = [both.isna(), p_adjusted < params.alpha, longer, refuted]
    verdict = np.select(conditions, [NA, SUPPORTED, LONGER_TRAINING, NOT_SUPPORTED], INCONCLUSIVE)
    unresolved = beats_both & above[2].notna() & (verdict == INCONCLUSIVE)  # only the control leaves it open
    rival = _deciding_rival(verdict, above, below, unresolved)
    rows = pd.concat(tests, keys=range(3)).loc[list(zip(rival, LEVELS, strict=True))].droplevel(0)
    rows["provisional"] = np.any([test["provisional"] for test in tests], axis=0)
    untested = beats_both & above[2].isna()
    notes = np.select([verdict == NA, untested, unresolved], ["", NO_CONTROL, NO_LEAD], "")
    return _verdicts("H3", rows, margin, p, p_adjusted, verdict, notes)


def _deciding_rival(verdict, above, below, unresolved):
    """By level, the position in H3_TESTS of the rival whose contrast decides: the one that refutes H3, the control
    where it explains the lead or leaves it open, and otherwise the rival with the largest p."""
    rival = above.fillna({0: 2, 1: 2, 2: -1}).idxmax(axis=1)  # a missing rival gives the reason, a missing control not
    rival = rival.mask(verdict == NOT_SUPPORTED, below[[0, 1]].fillna(2).idxmin(axis=1))
    return rival.mask((verdict == LONGER_TRAINING) | unresolved, 2)


# rule: a function like h1; margin: its parameter; claim: the hypothesis in words; requires: what has to be shown, with
# the margin {m}; everywhere: whether it speaks of all levels, so that one level can refute it
Hypothesis = namedtuple("Hypothesis", "rule margin claim requires everywhere")
GAIN = "a gain of the specialist over the general model above {m:.0%}"
BEHIND = "a general model less than {m:.0%} behind the best specialist"
AHEAD = "a transfer model more than {m:.0%} ahead of the specialist and of the general model"
HYPOTHESES = {
    "H1": Hypothesis(h1, "h1_margin", "specialisation matters", GAIN, everywhere=False),
    "H2": Hypothesis(h2, "h2_margin", "the general model suffices", BEHIND, everywhere=True),
    "H3": Hypothesis(h3, "h3_margin", "transfer is best", AHEAD, everywhere=False),
}


def decide(contrasts, params, checks=None):
    """Verdict rows of HYPOTHESES from contrasts of one mask_type and subset; all invalid if a precondition fails."""
    table = pd.concat([hypothesis.rule(contrasts, params) for hypothesis in HYPOTHESES.values()], ignore_index=True)
    if checks is not None and not checks["holds"].all():
        failed = checks[~checks["holds"].astype(bool)]
        reason = "; ".join("failed check: " + failed["check"] + " (" + failed["detail"] + ")")
        table[["verdict", "robust", "reason"]] = [INVALID, NA, reason]
    return table
