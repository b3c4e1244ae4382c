"""The criteria that the first plan of the study named, as a table beside the verdicts."""

from pathlib import Path

import numpy as np
import pandas as pd

from lib.design import ALL_LEVELS, GENERAL, LEVELS, level_of, specialists, transfer_of
from lib.evaluation.statistics import on_training_mix
from lib.experiment.files import read_yaml
from lib.formatting import Sentences
from lib.hypotheses.decision_rules import NA

NOTES = read_yaml(Path(__file__).with_suffix(".yaml"))
EXPECTED = {"A1": (8, 20), "C1": (20, 40)}  # PPL, the plan's ranges
FINAL = "Final validation perplexity < 50"
SAY = Sentences(__file__)


def plan_criteria(matrix, valid_ppl):
    """The plan's own criteria, applied literally, as rows of original_criteria.csv.

    Columns: criterion, level, model (which is judged), value, passed, note (the definition used here, and why the
    criterion cannot decide alone). matrix: ppl_matrix.csv; valid_ppl: {model: final validation PPL}.
    """
    models = specialists()
    ppl = on_training_mix(matrix).pivot(index="model", columns="test", values="ppl")
    ppl = ppl.reindex([*models, GENERAL, transfer_of("A1")], columns=[*LEVELS, ALL_LEVELS])
    general = ppl.loc[GENERAL]
    best = ppl.loc[models].min()
    own = pd.Series(np.diag(ppl.loc[models, LEVELS]), LEVELS)  # each specialist on its own level
    others = np.log(ppl.loc[models, LEVELS]).mask(np.eye(len(LEVELS), dtype=bool))  # for geometric means
    specificity = np.exp(others.mean(axis=1).set_axis(LEVELS)) / own
    better = np.exp(others.mean()) / own
    transfer = ppl.loc["a1"] / ppl.loc[transfer_of("A1")]
    rows = []

    def judge(criterion, judged, values, least=-np.inf, most=np.inf, **facts):
        for level, value in values.items():
            passed = NA
            if not np.isnan(value):
                passed = "pass" if least <= round(value, 9) <= most else "fail"
            note = NOTES[criterion].format(**facts)
            rows.append([criterion, level, judged.format(level.lower()), value, passed, note])

    judge("Specialization Gain >= 25%", "{}", 100 * (general[LEVELS] / own - 1), least=25)
    judge("Level Specificity >= 3x", "{}", specificity, least=3, general=_general_specificity(general))
    judge("PPL within 10% of best per-CEFR", GENERAL, 100 * (general / best - 1)[LEVELS], most=10)
    judge("3-8x better", "{}", better, least=3)
    judge("Not worse than general model", "{}", 100 * (own / general[LEVELS] - 1)[["C1"]], most=0)
    judge("Best on combined test set", GENERAL, 100 * (general / best - 1)[[ALL_LEVELS]], most=0)
    judge("If transfer > A1-only: valuable", transfer_of("A1"), 100 * (transfer - 1)[["A1"]], least=0)
    for level, (least, most) in EXPECTED.items():
        judge(f"{level} {least}–{most}", "{}", own[[level]], least, most)
    for model, value in valid_ppl.items():
        judge(FINAL, model, {level_of(model) or ALL_LEVELS: value}, most=50, model=model)
    return pd.DataFrame(rows, columns=["criterion", "level", "model", "value", "passed", "note"])


def _general_specificity(general):
    """The specificity of the general model at each level, as a list in words. general: its PPL by test."""
    ratios = []
    for level in LEVELS:
        ratio = np.exp(np.log(general[LEVELS].drop(level)).mean()) / general[level]
        ratios.append(NA if np.isnan(ratio) else f"{ratio:.1f}")
    return ", ".join(ratios)


def explanation(criteria, matrix, min_learners):
    """Markdown: what each criterion measures, and at which levels it rests on few learners. criteria: as
    `plan_criteria` returns it."""
    notes = criteria.drop_duplicates("criterion").set_index("criterion")["note"].to_dict()
    if FINAL in notes:
        notes[FINAL] = NOTES["all_models"]
    learners = on_training_mix(matrix).groupby("test")["n_learners"].max().reindex(LEVELS, fill_value=0)
    few = list(learners.index[learners < min_learners])
    return SAY("explanation", notes=notes, min_learners=min_learners, few=few)
