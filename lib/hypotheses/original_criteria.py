"""The criteria that the study's first plan named, as a table beside today's verdicts."""

from pathlib import Path

import numpy as np
import pandas as pd

from lib.design import ALL_LEVELS, GENERAL, LEVELS, level_of, specialists, transfer_of
from lib.evaluation.statistics import on_training_mix
from lib.experiment.files import read_yaml
from lib.hypotheses.decision_rules import NA

NOTES = read_yaml(Path(__file__).with_suffix(".yaml"))
EXPECTED = {"A1": (8, 20), "C1": (20, 40)}  # PPL, the plan's ranges


def plan_criteria(matrix, valid_ppl):
    """The plan's own criteria, word for word, as rows of original_criteria.csv: criterion, level, model (judged),
    value, passed, note (the definition taken here, and why it cannot decide alone). valid_ppl: {model: final validation
    PPL}."""
    models = specialists()
    ppl = on_training_mix(matrix).pivot(index="model", columns="test", values="ppl")
    ppl = ppl.reindex([*models, GENERAL, transfer_of("A1")], columns=[*LEVELS, ALL_LEVELS])
    general, best = ppl.loc[GENERAL], ppl.loc[models].min()
    own = pd.Series(np.diag(ppl.loc[models, LEVELS]), LEVELS)
    others = np.log(ppl.loc[models, LEVELS]).mask(np.eye(len(LEVELS), dtype=bool))  # for geometric means
    alone = [np.exp(np.log(general[LEVELS].drop(level)).mean()) / general[level] for level in LEVELS]
    alone = ["n/a" if np.isnan(ratio) else f"{ratio:.1f}" for ratio in alone]
    rows = []

    def judge(criterion, whose, values, least=-np.inf, most=np.inf, **told):
        for level, value in values.items():
            passed = "pass" if least <= round(value, 9) <= most else "fail"
            passed = NA if np.isnan(value) else passed
            rows.append([criterion, level, whose.format(level.lower()), value, passed, NOTES[criterion].format(**told)])

    specificity, better = np.exp(others.mean(axis=1).set_axis(LEVELS)) / own, np.exp(others.mean()) / own
    transferred = ppl.loc["a1"] / ppl.loc[transfer_of("A1")]
    judge("Specialization Gain >= 25%", "{}", 100 * (general[LEVELS] / own - 1), least=25)
    judge("Level Specificity >= 3x", "{}", specificity, least=3, alone=", ".join(alone))
    judge("PPL within 10% of best per-CEFR", GENERAL, 100 * (general / best - 1)[LEVELS], most=10)
    judge("3-8x better", "{}", better, least=3)
    judge("Not worse than general model", "{}", 100 * (own / general[LEVELS] - 1)[["C1"]], most=0)
    judge("Best on combined test set", GENERAL, 100 * (general / best - 1)[[ALL_LEVELS]], most=0)
    judge("If transfer > A1-only: valuable", transfer_of("A1"), 100 * (transferred - 1)[["A1"]], least=0)
    for level, (least, most) in EXPECTED.items():
        judge(f"{level} {least}–{most}", "{}", own[[level]], least, most)
    for model, value in valid_ppl.items():
        judge("Final validation perplexity < 50", model, {level_of(model) or ALL_LEVELS: value}, most=50, model=model)
    return pd.DataFrame(rows, columns=["criterion", "level", "model", "value", "passed", "note"])
