"""The systems that identify levels: two ways of using each kind of models, and three baselines without models."""

from typing import NamedTuple

import pandas as pd

from lib.design import LEVELS
from lib.identification import baselines, classifiers, text_scores

RAW = "{}, least perplexed"  # names of systems; {}: a kind of text_scores.MODELS
CALIBRATED = "{}, calibrated"
BASELINES = ["TF-IDF", "length", "majority"]
SYSTEMS = [form.format(kind) for kind in text_scores.MODELS for form in (RAW, CALIBRATED)] + BASELINES


class Learned(NamedTuple):
    """What systems learn from: frames of texts (text_id as index; level, text) and perplexities of validation texts."""

    train: pd.DataFrame
    valid: pd.DataFrame
    log_ppl: dict  # {kind: texts x levels of ln perplexity, of validation texts}


def comparable_levels(kinds):
    """Levels that every kind with two models or more has a model of, in order.

    kinds: {kind: ({level: model}, seeds, reasons)}. Texts of other levels are left out, since no answer would be right.
    """
    able = [set(models) for models, _, _ in kinds.values() if len(models) > 1]
    return [level for level in LEVELS if able and all(level in models for models in able)]


def calibration(log_ppl, levels, min_texts):
    """(the calibrated classifier or None, why it is None or does not know some level, or None).

    log_ppl: texts x levels, of validation texts; levels: of these texts, a Series with the same index.
    """
    counts = levels.value_counts().reindex(log_ppl.columns, fill_value=0)
    few = [level for level in log_ppl.columns if counts[level] < min_texts]
    reason = f"fewer than {min_texts} validation texts of {', '.join(few)}, which it never answers" if few else None
    enough = ~levels.isin(few)
    if levels[enough].nunique() < 2:
        return None, f"{min_texts} validation texts or more of only {levels[enough].nunique()} level(s); two are needed"
    return classifiers.calibrate(log_ppl[enough], levels[enough]), reason


def identify(learned, texts, log_ppl, settings):
    """(a frame texts x SYSTEMS of identified levels, None where a system is n/a; {system: reason or remark}).

    learned: a Learned; texts: the texts to identify, as a frame like learned.valid; log_ppl: {kind: texts x levels},
    of the same texts; settings: min_texts, tfidf_texts and seed.
    """
    identified = pd.DataFrame(index=texts.index, columns=SYSTEMS, dtype=object)
    remarks = {}
    for kind in text_scores.MODELS:
        raw, calibrated = RAW.format(kind), CALIBRATED.format(kind)
        if kind not in log_ppl:
            remarks[raw] = remarks[calibrated] = "fewer than two trained models"
            continue
        ppl = log_ppl[kind].loc[texts.index]
        identified[raw] = classifiers.least_perplexed(ppl)
        of_valid = learned.log_ppl[kind]
        classifier, remark = calibration(of_valid, learned.valid["level"].loc[of_valid.index], settings.min_texts)
        if remark:
            remarks[calibrated] = remark
        if classifier:
            identified[calibrated] = classifiers.calibrated_level(classifier, ppl)
    sample = baselines.sample_per_level(learned.train, settings.tfidf_texts, settings.seed)
    for name, answer in {
        "TF-IDF": lambda: baselines.tfidf(sample, learned.valid, texts),
        "length": lambda: baselines.length(learned.train, texts),
        "majority": lambda: baselines.majority(learned.train, texts),
    }.items():
        try:
            identified[name] = answer()
        except ValueError as error:
            remarks[name] = str(error)
    return identified, remarks
