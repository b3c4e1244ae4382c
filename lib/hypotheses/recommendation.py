"""What the study advises: the plan's own criteria beside the verdicts, and which system to use at a level.

Pure functions from perplexities (rows of ppl_matrix.csv, PPL for short) and contrast rows to tables and sentences.
"""
import numpy as np
import pandas as pd

from lib.evaluation.statistics import MIXED, p_above, role
from lib.experiment.folders import LEVELS
from lib.hypotheses.decision_rules import NA, STAMP, h3, outcome
from lib.hypotheses.verdict_text import beside_h3

SYSTEMS = {"general": "the general model", "level_token": "the general model with a level token",
           "{}_transfer": "the general model fine-tuned on {}", "{}": "the model of {} alone"}  # simplest first
EXPECTED = {"A1": (8, 20), "C1": (20, 40)}  # PPL, the plan's ranges


def plan_criteria(matrix, valid_ppl):
    """The plan's own criteria, word for word, as rows of seed_criteria.csv: criterion, level, model (that is judged),
    value, passed, note (the definition taken here, and why it cannot decide alone). valid_ppl: {model: final validation
    PPL}."""
    models, low, high = [level.lower() for level in LEVELS], -np.inf, np.inf
    ppl = matrix[matrix["mask_type"] == "mix"].pivot(index="model", columns="test", values="ppl")
    ppl = ppl.reindex([*models, "general", "a1_transfer"], columns=[*LEVELS, MIXED])
    general, best = ppl.loc["general"], ppl.loc[models].min()
    own = pd.Series(np.diag(ppl.loc[models, LEVELS]), LEVELS)
    others = np.log(ppl.loc[models, LEVELS]).mask(np.eye(len(LEVELS), dtype=bool))  # for geometric means
    alone = [np.exp(np.log(general[LEVELS].drop(level)).mean()) / general[level] for level in LEVELS]
    alone = ["n/a" if np.isnan(ratio) else f"{ratio:.1f}" for ratio in alone]
    rows = [  # the model, values by level, the range that passes, the note
        ("Specialization Gain >= 25%", "{}", 100 * (general[LEVELS] / own - 1), 25, high,
         "general PPL / own PPL - 1, in %. No interval: H1 asks that a gain be shown."),
        ("Level Specificity >= 3x", "{}", np.exp(others.mean(axis=1).set_axis(LEVELS)) / own, 3, high,
         "own model: PPL on the other levels' texts (geometric mean) / PPL on its level's. Easy texts raise it for any "
         f"model: the general one alone has {', '.join(alone)} from A1 to C1."),
        ("PPL within 10% of best per-CEFR", "general", 100 * (general / best - 1)[LEVELS], low, 10,
         "general PPL / lowest PPL of the five level models - 1, in %. No interval, the best is picked on the test "
         "texts, and it cannot hold together with a gain of 25 %."),
        ("3-8x better", "{}", np.exp(others.mean()) / own, 3, high,
         "on the level's texts, PPL of the other levels' models (geometric mean) / PPL of the own one; above 8 passes "
         "too. A wrong level is not the general model."),
        ("Not worse than general model", "{}", 100 * (own / general[LEVELS] - 1)[["C1"]], low, 0,
         "own PPL / general PPL - 1, in %. No interval: between equal models chance alone decides it."),
        ("Best on combined test set", "general", 100 * (general / best - 1)[[MIXED]], low, 0,
         "general PPL / lowest PPL of the five level models - 1 on all levels' texts, in %. Each level model meets "
         "four foreign levels there, so it says little about any level."),
        ("If transfer > A1-only: valuable", "{}_transfer",
         100 * (ppl.loc["a1"] / ppl.loc["a1_transfer"] - 1)[["A1"]], 0, high,
         "A1 model's PPL / transfer's - 1, in %. No interval, and the general model may be as good: see H3."),
        *((f"{level} {a}–{b}", "{}", own[[level]], a, b,
           "own PPL. Tokenizer and masks move it more than any hypothesis.") for level, (a, b) in EXPECTED.items()),
        *(("Final validation perplexity < 50", model, pd.Series({role(model)[1] or MIXED: value}), low, 50,
           f"{model}: PPL on its own valid texts. It compares no two models.") for model, value in valid_ppl.items())]
    cells = [(name, level, who.format(level.lower()), value,
              NA if np.isnan(value) else "pass" if a <= round(value, 9) <= b else "fail", note)
             for name, who, values, a, b, note in rows for level, value in values.items()]
    return pd.DataFrame(cells, columns=["criterion", "level", "model", "value", "passed", "note"])


def recommend(contrasts, matrix, cost, params, checks=None):
    """{level: what to use}: the simplest system shown, one-sided at alpha, within 2 % of each other system and so of
    the best; if there is none, the lowest PPL, marked uncertain; nothing if a check fails. contrasts: every pair of
    SYSTEMS, either way round (mix, unflagged); cost: model, hours (with what its start took), megabytes. None stands
    for not known."""
    if checks is not None and not checks["holds"].all():
        return {level: _nothing(level, "the comparison is invalid") for level in LEVELS}
    primary = contrasts[(contrasts["mask_type"] == "mix") & (contrasts["subset"] == "unflagged")]
    decided = h3(primary, params).set_index("level")["verdict"].map(outcome)
    beside = {level: beside_h3(decided[level], params.h3_margin) for level in LEVELS}
    return {level: _recommend(level, primary[primary["level"] == level], matrix, cost.set_index("model"), params,
                              beside[level]) for level in LEVELS}


def _nothing(level, why):
    return {"model": None, "certain": False, "sentence": f"{level}: no recommendation, since {why}."}


def _recommend(level, contrasts, matrix, cost, params, beside):
    names = {key.format(level.lower()): words.format(level) for key, words in SYSTEMS.items()}
    ppl = matrix[(matrix["test"] == level) & (matrix["mask_type"] == "mix")].set_index("model")["ppl"]
    ppl = ppl.reindex(list(names)).dropna()
    if ppl.empty:
        return _nothing(level, "nothing was tested there")
    back = contrasts.rename(columns={"a": "b", "b": "a", "ci_lo": "ci_hi", "ci_hi": "ci_lo"})
    signs = ["theta", "ci_lo", "ci_hi"]
    pairs = pd.concat([contrasts, back.assign(**-back[signs])]).drop_duplicates(["a", "b"]).set_index(["a", "b"])
    if len(ppl) > 1 and pairs["theta"].isna().all():
        return _nothing(level, "no difference could be estimated there")
    pairs["p"] = p_above(-pairs["theta"], pairs["se"], pairs["df"], -np.log1p(params.recommend_within))
    close = [a for a in ppl.index if len(ppl) > 1
             and all(pairs["p"].get((a, b), 1) < params.alpha for b in ppl.index.drop(a))]
    model = close[0] if close else ppl.idxmin()
    low, high = 100 * np.expm1(pairs.reindex([("general", model)])[["ci_lo", "ci_hi"]].iloc[0])
    numbers = {"gain_lo": low, "gain_hi": high, **cost.reindex([model])[["hours", "megabytes"]].iloc[0]}
    found = {"model": model, "certain": bool(close), "provisional": bool(pairs["provisional"].any()),
             **{key: None if np.isnan(x) else float(x) for key, x in numbers.items()}}
    near = f"shown within {100 * params.recommend_within:.0f} % of the best"
    beside = beside if model.endswith("_transfer") else ""
    advice = (f"use {names[model]}, the simplest system {near}{beside}" if close else
              f"{names[model]} is the only system tested" if len(ppl) == 1 else
              f"{names[model]} comes first, but no system is {near}: uncertain")
    return found | {"sentence": _advice(f"{level}: {advice}", found)}


def _advice(text, found):
    """The sentence that begins with text: with gain, time and size as far as they are known."""
    if found["gain_lo"] is not None:
        text += f"; gain over the general model {found['gain_lo']:+.1f} to {found['gain_hi']:+.1f} %"
    if None not in (found["hours"], found["megabytes"]):
        hours, short = found["hours"], found["hours"] < 1
        text += f"; {60 * hours if short else hours:.1f} {'minutes' if short else 'hours'} of training"
        text += f", {found['megabytes']:.0f} MB"
    return text + (f"{STAMP}." if found["provisional"] else ".")


def promises(record):
    """bench/records/simulation.json as a table, a row a condition: seeds, noise (sd of ln PPL between seeds), studies,
    the lowest and highest share of intervals at a level that hold the truth, and the share of studies that claim H1 at
    some level though every true gain is the margin: by the rule, and were seed noise left out."""
    columns = ["seeds", "noise", "studies", "false_h1_anywhere", "false_h1_without_seed_noise"]
    table = pd.DataFrame(record["conditions"]).T[columns].infer_objects()
    coverage = pd.DataFrame({name: one["coverage"] for name, one in record["conditions"].items()})
    table.insert(3, "coverage_lowest", coverage.min())
    table.insert(4, "coverage_highest", coverage.max())
    return table.rename_axis("condition").reset_index()
