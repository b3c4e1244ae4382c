"""What the study advises: which system to use at a level.

Pure functions from perplexities (rows of ppl_matrix.csv, PPL for short) and contrast rows to tables and sentences.
"""

import numpy as np
import pandas as pd

from lib.design import GENERAL, LEVELS, specialist_of, transfer_of
from lib.evaluation.contrasts import select
from lib.evaluation.statistics import on_training_mix, p_above
from lib.formatting import Sentences, format_hours
from lib.hypotheses.decision_rules import h3, outcome
from lib.hypotheses.verdict_text import beside_h3

SAY = Sentences(__file__)


def systems(level):
    """{model: what it is called}, the simplest first."""
    simple = {GENERAL: "the general model", "level_prompted": "the general model with a level token"}
    return simple | {
        transfer_of(level): f"{simple[GENERAL]} fine-tuned on {level}",
        specialist_of(level): f"the model of {level} alone",
    }


def recommend(contrasts, matrix, cost, params, checks=None):
    """{level: what to use}: the simplest system shown, one-sided at alpha, within 2 % of each other system and so of
    the best; if there is none, the lowest PPL, marked uncertain; nothing if a check fails. contrasts: every pair of
    `systems`, either way round; cost: model, hours (with what its start took), megabytes. None stands
    for not known."""
    if checks is not None and not checks["holds"].all():
        return {level: _nothing(level, "the comparison is invalid") for level in LEVELS}
    primary = select(contrasts)
    decided = h3(primary, params).set_index("level")["verdict"].map(outcome)
    beside = {level: beside_h3(decided[level], params.h3_margin) for level in LEVELS}
    rest = matrix, cost.set_index("model"), params
    return {level: _recommend(level, primary[primary["level"] == level], *rest, beside[level]) for level in LEVELS}


def _nothing(level, why):
    return {"model": None, "certain": False, "sentence": f"{level}: no recommendation, since {why}."}


def _recommend(level, contrasts, matrix, cost, params, beside):
    names = systems(level)
    ppl = on_training_mix(matrix[matrix["test"] == level]).set_index("model")["ppl"]
    ppl = ppl.reindex(list(names)).dropna()
    if ppl.empty:
        return _nothing(level, "nothing was tested there")
    back = contrasts.rename(columns={"a": "b", "b": "a", "ci_lo": "ci_hi", "ci_hi": "ci_lo"})
    signs = ["theta", "ci_lo", "ci_hi"]
    pairs = pd.concat([contrasts, back.assign(**-back[signs])]).drop_duplicates(["a", "b"]).set_index(["a", "b"])
    if len(ppl) > 1 and pairs["theta"].isna().all():
        return _nothing(level, "no difference could be estimated there")
    pairs["p"] = p_above(-pairs["theta"], pairs["se"], pairs["df"], -np.log1p(params.recommendation_margin))
    close = []
    for a in ppl.index if len(ppl) > 1 else []:
        if all(pairs["p"].get((a, b), 1) < params.alpha for b in ppl.index.drop(a)):
            close.append(a)
    model = close[0] if close else ppl.idxmin()
    low, high = 100 * np.expm1(pairs.reindex([("general", model)])[["ci_lo", "ci_hi"]].iloc[0])
    numbers = {"gain_lo": low, "gain_hi": high, **cost.reindex([model])[["hours", "megabytes"]].iloc[0]}
    found = {"model": model, "certain": bool(close), "provisional": bool(pairs["provisional"].any())}
    found |= {key: None if np.isnan(x) else float(x) for key, x in numbers.items()}
    near = f"shown within {100 * params.recommendation_margin:.0f} % of the best"
    time = None if found["hours"] is None else format_hours(found["hours"])
    told = {"name": names[model], "near": near, "beside": beside if model == transfer_of(level) else "", "time": time}
    return found | {"sentence": SAY("advice", level=level, only=len(ppl) == 1, found=found, **told)}
