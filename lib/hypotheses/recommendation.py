"""Which system to use at a level.

Pure functions from perplexities (rows of ppl_matrix.csv, PPL for short) and contrast rows to tables and sentences.
"""

import itertools

import numpy as np
import pandas as pd

from lib.design import BALANCED_TEXT, CONTINUED, EQUAL_TEXT_LEVEL, GENERAL, LEVELS, WITHOUT, specialist_of, transfer_of
from lib.evaluation import comparisons
from lib.evaluation.contrasts import select
from lib.evaluation.statistics import on_training_mix, p_above
from lib.formatting import Sentences, format_hours
from lib.hypotheses.decision_rules import h3, outcome
from lib.hypotheses.verdict_text import h3_requirement

PROMPTED = "level_prompted"
SAY = Sentences(__file__)


def systems(level, models):
    """{model: its name in a sentence} of the models that may be used at a level, the simplest first.

    One model for all levels is simpler than one with a level token, that simpler than a transfer model, and that, which
    shares its base with other levels, simpler than a specialist. models: those that were trained; models made for
    another level are left out.
    """
    names = {GENERAL: "the general model", CONTINUED: "the general model trained longer"}
    for model in comparisons.controls_at(level, sorted(models)):
        if model not in (CONTINUED, PROMPTED):
            names[model] = _control(model)
    names[PROMPTED] = "the general model with a level token"
    names[transfer_of(level)] = f"the general model fine-tuned on {level}"
    names[specialist_of(level)] = f"the {level} specialist"
    return {model: name for model, name in names.items() if model in models}


def _control(model):
    """The name of a control without a name of its own."""
    if model.startswith(WITHOUT):
        return f"the general model trained without {model.removeprefix(WITHOUT).upper()}"
    if model in EQUAL_TEXT_LEVEL:
        balanced = ", levels in equal parts" if model.startswith(BALANCED_TEXT) else ""
        return f"the general model on only as many texts as {EQUAL_TEXT_LEVEL[model]} has{balanced}"
    return f"the control {model}"


def control_pairs(trained):
    """{level: pairs (name, a, b)} of each two trained controls: the contrasts that a recommendation needs beside those
    of `lib.evaluation.comparisons`. trained: names of the models that were trained."""
    pairs = {}
    for level in LEVELS:
        controls = comparisons.controls_at(level, trained)
        pairs[level] = [(f"{a}_vs_{b}", a, b) for a, b in itertools.combinations(controls, 2)]
    return pairs


def pairs_with_controls(models, trained):
    """{level: pairs} of each control with the general model, the specialist, the transfer model and, where both were
    trained, with each other control. models, trained: names."""
    pairs = comparisons.control_pairs(models)
    for level, among_controls in control_pairs(trained).items():
        pairs[level] += among_controls
    return pairs


def trained_systems(cost):
    """The models that were trained, from cost.csv: initial weights and models without texts are no systems."""
    return list(cost.loc[cost["examples_seen"] > 0, "model"])


def recommend(contrasts, matrix, cost, params, checks=None):
    """{level: recommendation}: the simplest trained system that is shown, one-sided at alpha, to be within the margin
    of each other system and so of the best.

    If there is none, it is the system with the lowest PPL, marked uncertain; if a precondition fails, there is none.
    contrasts: every pair of `systems`, in either order; cost: model, examples_seen, hours (with those of its base) and
    megabytes. A recommendation has model, certain, sentence, and unless there is none provisional, left_out, gain_lo,
    gain_hi (over the general model, %), hours and megabytes, None where unknown.
    """
    if checks is not None and not checks["holds"].all():
        return {level: _none(level, "the comparison is invalid") for level in LEVELS}
    primary = select(contrasts)
    decided = h3(primary, params).set_index("level")["verdict"].map(outcome)
    found = {}
    for level in LEVELS:
        rows = primary[primary["level"] == level]
        requirement = h3_requirement(decided[level], params.h3_margin)
        found[level] = _recommend(level, rows, matrix, cost, params, requirement)
    return found


def _none(level, reason):
    return {"model": None, "certain": False, "sentence": f"{level}: no recommendation, because {reason}."}


def _recommend(level, contrasts, matrix, cost, params, requirement):
    names = systems(level, trained_systems(cost))
    ppl = on_training_mix(matrix[matrix["test"] == level]).set_index("model")["ppl"]
    ppl = ppl.reindex(list(names)).dropna()
    if ppl.empty:
        return _none(level, "no system was tested there")
    pairs = _both_ways(contrasts, ppl.index)
    compared = set(pairs.index.get_level_values("a"))
    if len(ppl) > 1:
        if not compared:
            return _none(level, "no difference could be estimated there")
        ppl = ppl[ppl.index.isin(compared)]
    left_out = [names[model] for model in names if model not in ppl.index]
    close = _close_to_all(pairs, ppl.index, params)
    model = close[0] if close else ppl.idxmin()
    found = {"model": model, "certain": bool(close), "provisional": bool(pairs["provisional"].any())}
    found["left_out"] = left_out
    found |= _numbers(model, pairs, cost)
    facts = {"name": names[model], "margin": 100 * params.recommendation_margin, "requirement": ""}
    facts["time"] = None if found["hours"] is None else format_hours(found["hours"])
    if model == transfer_of(level):
        facts["requirement"] = requirement
    return found | {"sentence": SAY("advice", level=level, only=len(ppl) == 1, found=found, **facts)}


def _both_ways(contrasts, models):
    """Estimated contrasts of these models by (a, b), each also with a and b exchanged."""
    rows = contrasts[contrasts["a"].isin(models) & contrasts["b"].isin(models)].dropna(subset="theta")
    exchanged = rows.rename(columns={"a": "b", "b": "a", "ci_lo": "ci_hi", "ci_hi": "ci_lo"})
    signed = ["theta", "ci_lo", "ci_hi"]
    exchanged = exchanged.assign(**-exchanged[signed])
    return pd.concat([rows, exchanged]).drop_duplicates(["a", "b"]).set_index(["a", "b"])


def _close_to_all(pairs, models, params):
    """The models, in their order, that are shown to be within the margin of each other one."""
    margin = np.log1p(params.recommendation_margin)
    p = pd.Series(p_above(-pairs["theta"], pairs["se"], pairs["df"], -margin), pairs.index)
    close = []
    for model in models:
        others = [other for other in models if other != model]
        if others and all(p.get((model, other), 1) < params.alpha for other in others):
            close.append(model)
    return close


def _numbers(model, pairs, cost):
    """The gain of a model over the general one, its hours and its megabytes; None where unknown."""
    interval = pairs.reindex([(GENERAL, model)])[["ci_lo", "ci_hi"]].iloc[0]
    low, high = 100 * np.expm1(interval)
    spent = cost.set_index("model").reindex([model])[["hours", "megabytes"]].iloc[0]
    numbers = {"gain_lo": low, "gain_hi": high, "hours": spent["hours"], "megabytes": spent["megabytes"]}
    return {name: None if np.isnan(value) else float(value) for name, value in numbers.items()}
