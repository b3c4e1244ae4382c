"""The perplexity of each text under the model of each level, from the scores of 04_evaluate.

A text's ln perplexity is the sum of surprisals over the answers of all its masks of the training mix, divided by their
tokens: the model sees the other words of the text around the blanks. 04 has scored one such mask of each validation
text, and all of each test text.
"""

import pandas as pd

from lib.design import LEVELS, specialist_of, transfer_of
from lib.errors import MissingResult
from lib.evaluation.statistics import on_training_mix
from lib.experiment.files import read_json

MODELS = {"specialists": specialist_of, "transfer models": transfer_of}  # artificial learners: model of a level
COLUMNS = ["text_id", "mask_type", "nll_text", "n_tokens", "copied", "held_out"]  # of scores


def log_perplexity(scores):
    """ln perplexity of each text, a Series by text_id. scores: rows of 04, whose texts on held-out prompts and copied
    texts are left out, as in all primary results."""
    rows = on_training_mix(scores)
    if "copied" in rows:
        rows = rows[~rows["copied"].astype(bool) & ~rows["held_out"].astype(bool)]
    sums = rows.groupby("text_id")[["nll_text", "n_tokens"]].sum()
    sums = sums[sums["n_tokens"] > 0]
    return sums["nll_text"] / sums["n_tokens"]


def mean_over_seeds(by_seed):
    """Texts x levels of ln perplexity: the mean over seeds. by_seed: {seed: frame of texts x levels}.

    Perplexity is then the geometric mean over seeds, as in all tables of 06.
    """
    return sum(by_seed.values()) / len(by_seed)


def trained_models(run, kind):
    """({level: model}, seeds, {level: reason}): the models of a kind (MODELS) that are trained; why others are not."""
    models, seeds, reasons = {}, [], {}
    for level in LEVELS:
        model = MODELS[kind](level)
        found = sorted(int(path.name[4:]) for path in run.model(model, 0).parent.glob("seed*"))
        if not found:
            reasons[level] = f"there is no model {model}"
            continue
        report = read_json(run.require(run.model(model, found[0]) / "train.json", "03_train"))
        if report["status"] == "trained":
            models[level], seeds = model, found
        else:
            reasons[level] = f"{model} is n/a: {report.get('reason')}"
    return models, seeds, reasons


def evaluated(run, models, seeds, table):
    """{seed: texts x levels of ln perplexity}, of texts that every model has scored.

    models: {level: model}; table: scores (test texts) or valid (validation texts). Raises MissingResult, StaleResult.
    """
    by_seed = {}
    for seed in seeds:
        columns = {}
        for level, model in models.items():
            path = run.require(run.scores(model, seed).with_name(f"{table}.parquet"), "04_evaluate")
            columns[level] = log_perplexity(pd.read_parquet(path, columns=COLUMNS))
        by_seed[seed] = pd.DataFrame(columns, columns=list(models)).dropna()
    return by_seed


def require_two(kinds):
    """Raise MissingResult unless some kind has models of two levels. kinds: {kind: ({level: model}, seeds, reasons)}"""
    if max(len(models) for models, _, _ in kinds.values()) < 2:
        reasons = sorted({reason for _, _, reasons in kinds.values() for reason in reasons.values()})
        raise MissingResult(f"Levels are identified among two or more that have trained models. {'; '.join(reasons)}.")
