"""The hypotheses and their decision rules, and what makes a verdict invalid or fragile.

Pure functions from contrast rows to verdict rows. theta, margins: differences of ln PPL, so 10 % is ln 1.10.
Tests are one-sided at alpha; the intervals beside them are two-sided.
"""

from collections import namedtuple

import numpy as np
import pandas as pd

from lib.design import LEVELS
from lib.evaluation.statistics import holm, p_above

SUPPORTED, PARTLY, NOT_SUPPORTED, INCONCLUSIVE = "supported", "partly", "not supported", "inconclusive"
NA, INVALID = "n/a", "invalid"
EQUIVALENT, GENERAL_BETTER = "equivalent", "general better"  # H2 holds, and more
LONGER_TRAINING = "longer training"  # H3: transfer beats both, and so does longer training without level text
HOLDS = {SUPPORTED, EQUIVALENT, GENERAL_BETTER}
PROVISIONAL, OVERALL = " (provisional)", "all"
H3_TESTS = ["specialist_vs_transfer", "general_vs_transfer", "continued_vs_transfer"]  # the last is the control
KEY = ["hypothesis", "level"]
VERDICTS = [*KEY, "theta", "ci_lo", "ci_hi", "p", "p_holm", "margin", "verdict", "robust", "reason"]


def outcome(verdict):
    """A verdict without its stamp and its level names: one of the constants above."""
    return verdict.split(" (")[0]


def _rows(contrasts, name):
    """The contrast `name`, a row per level, NaN where it was not made; ValueError if a level has two."""
    found = contrasts[contrasts["name"] == name].set_index("level")
    if found.index.has_duplicates:
        raise ValueError(f"{name} stands twice at one level: choose one mask_type and subset before deciding")
    rows = found.reindex(LEVELS)
    unknown = rows["theta"].isna() & rows["reason"].isna()
    why = rows["reason"].fillna("").mask(unknown, f"{name} was not compared")
    return rows.assign(reason=why, provisional=rows["provisional"].eq(True))


def _p(rows, margin, side=1):
    """One-sided p by level of theta > margin, or with side=-1 of theta < margin."""
    return pd.Series(p_above(side * rows["theta"], rows["se"], rows["df"], side * margin), rows.index)


def overall(outcomes, everywhere=False):
    """One verdict for five levels: theirs if they agree; else who holds; else refuted, if refuted at all five, or at
    one where the hypothesis speaks of all levels (everywhere)."""
    held, refuted = [level for level in LEVELS if outcomes[level] in HOLDS], outcomes.isin([NOT_SUPPORTED, LONGER_TRAINING])
    if outcomes.nunique() == 1:
        return outcomes.iloc[0]
    if held:
        return SUPPORTED if len(held) == len(LEVELS) else f"{PARTLY} ({', '.join(held)})"
    return NOT_SUPPORTED if refuted.all() or everywhere and refuted.any() else INCONCLUSIVE


def _verdicts(hypothesis, rows, margin, p, p_holm, verdict, notes):
    """Verdict rows of five levels and `all`. The overall p is the largest: the claim needs every level."""
    outcomes = pd.Series(verdict, LEVELS)
    table = rows[["theta", "ci_lo", "ci_hi"]].assign(p=p, p_holm=p_holm, verdict=outcomes)
    table["reason"] = ["; ".join(filter(None, both)) for both in zip(notes, rows["reason"], strict=True)]
    table.loc[OVERALL, ["p", "p_holm"]] = table[["p", "p_holm"]].max(skipna=False)
    counted = [f"{one} at {', '.join(same)}" for one, same in outcomes.groupby(outcomes, sort=False).groups.items()]
    table.loc[OVERALL, ["verdict", "reason"]] = [
        overall(outcomes, HYPOTHESES[hypothesis].everywhere),
        "; ".join(counted),
    ]
    stamped = np.array([*rows["provisional"], rows["provisional"].any()]) & (table["verdict"] != NA)
    table["robust"] = np.where(table["verdict"] == NA, NA, "untested")
    table["verdict"] += np.where(stamped, PROVISIONAL, "")
    return table.rename_axis("level").reset_index().assign(hypothesis=hypothesis, margin=margin)[VERDICTS]


def h1(contrasts, params):
    """Specialisation matters: theta(general, own) > ln 1.10, Holm over the levels."""
    rows, margin = _rows(contrasts, "general_vs_specialist"), np.log1p(params.h1_margin)
    p = _p(rows, margin)
    p_holm, p_strong = holm(p), holm(_p(rows, np.log1p(params.h1_strong)))
    below = _p(rows, margin, -1) < params.alpha
    verdict = np.select([p.isna(), p_holm < params.alpha, below], [NA, SUPPORTED, NOT_SUPPORTED], INCONCLUSIVE)
    notes = np.where(p_strong < params.alpha, f"strong: shown above {100 * params.h1_strong:.0f} % too", "")
    return _verdicts("H1", rows, margin, p, p_holm, verdict, notes)


def h2(contrasts, params):
    """The general model suffices: theta(general, best) < ln 1.10, best being the specialist best on valid. No
    correction, since the overall claim needs all levels. Equivalence is two one-sided tests. A refutation is H1's
    claim where the best is the level's own, so it is corrected as there."""
    rows, margin = _rows(contrasts, "general_vs_best_specialist"), np.log1p(params.h2_margin)
    p, shown = _p(rows, margin, -1), params.alpha
    better, equivalent = _p(rows, -margin, -1) < shown, (p < shown) & (_p(rows, -margin) < shown)
    behind = holm(_p(rows, margin)) < shown
    found = [NA, GENERAL_BETTER, EQUIVALENT, SUPPORTED, NOT_SUPPORTED]
    verdict = np.select([p.isna(), better, equivalent, p < shown, behind], found, INCONCLUSIVE)
    notes = [f"best specialist on valid: {b}" if isinstance(b, str) else "" for b in rows["b"]]
    return _verdicts("H2", rows, margin, p, np.nan, verdict, notes)


def h3(contrasts, params):
    """Transfer is best: theta(own, transfer) and theta(general, transfer) > ln 1.02, by the larger p, Holm over the
    levels; where the general model continued as long was run, that contrast counts too. The row shows the contrast
    with the largest p. Refuted if one of the two is shown below the margin, at alpha / 2 each."""
    tests, margin = [_rows(contrasts, name) for name in H3_TESTS], np.log1p(params.h3_margin)
    above, below = (pd.concat([_p(rows, margin, side) for rows in tests], axis=1) for side in (1, -1))
    both, ran = above[[0, 1]].max(axis=1, skipna=False), above[2].notna()
    p, beats_both = np.fmax(both, above[2]).where(both.notna()), holm(both) < params.alpha
    p_holm = holm(p)
    longer, refuted = beats_both & (below[2] < params.alpha), below[[0, 1]].min(axis=1) < params.alpha / 2
    conditions = [both.isna(), p_holm < params.alpha, longer, refuted]
    verdict = np.select(conditions, [NA, SUPPORTED, LONGER_TRAINING, NOT_SUPPORTED], INCONCLUSIVE)
    weakest = above.fillna({0: 2, 1: 2, 2: -1}).idxmax(axis=1)  # a missing rival shows why, a missing control not
    rows = pd.concat(tests, keys=range(3)).loc[list(zip(weakest, LEVELS, strict=True))].droplevel(0)
    rows["provisional"] = np.any([one["provisional"] for one in tests], axis=0)
    left = "; longer training not excluded: "
    untried = f"{left}no general model was continued as long"
    unbeaten = f"{left}the general model continued as long is not shown beaten"
    control = np.select([~beats_both, ~ran, verdict == INCONCLUSIVE], ["", untried, unbeaten], "")
    notes = np.where(verdict == NA, "", "nearest rival: " + rows["a"].astype(str) + control)
    return _verdicts("H3", rows, margin, p, p_holm, verdict, notes)


# rule: as h1; margin: its parameter; claim: what it says; asks: what is to be shown, above or below the margin {m};
# everywhere: does it speak of all levels, so that one which refutes it refutes the whole?
Hypothesis = namedtuple("Hypothesis", "rule margin claim asks everywhere")
GAIN = "a gain of the level's own model over the general one above {m:.0%}"
BEHIND = "a general model less than {m:.0%} behind the best specialist"
AHEAD = "a transfer model more than {m:.0%} ahead of both"
HYPOTHESES = {
    "H1": Hypothesis(h1, "h1_margin", "specialisation matters", GAIN, everywhere=False),
    "H2": Hypothesis(h2, "h2_margin", "the general model suffices", BEHIND, everywhere=True),
    "H3": Hypothesis(h3, "h3_margin", "transfer is best", AHEAD, everywhere=False),
}


def decide(contrasts, params, checks=None):
    """Verdict rows of HYPOTHESES from contrasts of one mask_type and subset; all invalid if a check fails."""
    table = pd.concat([one.rule(contrasts, params) for one in HYPOTHESES.values()], ignore_index=True)
    if checks is not None and not checks["holds"].all():
        failed = checks[~checks["holds"].astype(bool)]
        why = "; ".join("failed check: " + failed["check"] + " (" + failed["detail"] + ")")
        table[["verdict", "robust", "reason"]] = [INVALID, NA, why]
    return table


def robustness(decide, contrasts, alternatives):
    """Verdict rows of decide(contrasts) with `robust`: yes, "no: by X", "untested: Y". alternatives: {name: contrasts,
    or None where there are none}; one that cannot test what the verdict tested counts as untested, and one that shows
    even more does not contradict."""
    verdicts = decide(contrasts).set_index(KEY)
    base, *others = (
        one if one is None else decide(one).set_index(KEY)["verdict"].str.removesuffix(PROVISIONAL)
        for one in (contrasts, *alternatives.values())
    )
    for key in base.index[~base.isin([NA, INVALID])]:
        cells = [key] if key[1] != OVERALL else [(key[0], level) for level in LEVELS]
        failed, untested = [], [] if alternatives else ["everything"]
        for name, one in zip(alternatives, others, strict=True):
            if one is None or any(one[cell] == NA != base[cell] for cell in cells):
                untested.append(name)
            elif one[key] not in (HOLDS if base[key] == SUPPORTED else {base[key]}):
                failed.append(f"by {name}")
        parts = {"no": failed, "untested": untested}
        verdicts.loc[key, "robust"] = "; ".join(f"{k}: {', '.join(v)}" for k, v in parts.items() if v) or "yes"
    return verdicts.reset_index()[VERDICTS]
