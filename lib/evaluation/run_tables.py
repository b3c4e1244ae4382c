"""Tables of all training runs, one below the other (06_compare)."""

import pandas as pd

from lib.evaluation import scoring
from lib.experiment.files import read_json

# columns of infills' words.parquet and samples.parquet that lexical metrics need
INFILL_COLUMNS = ["text_id", "learner_id", "level", "model", "seed", "answer"]
INFILLS = {"words": [*INFILL_COLUMNS, "exact", "top5"]}
INFILLS["samples"] = [*INFILL_COLUMNS, "infill", "unigram_overlap", "bigram_overlap"]


def read_runs(run, runs, path_of, made_by, read=pd.read_parquet, columns=()):
    """The tables of training runs, with the columns model and seed; an empty table with `columns` if there are no runs.

    run: the Experiment; runs: a frame with model and seed; path_of: function of model and seed that returns a path;
    made_by: the notebook that writes it. Raises MissingResult and StaleResult.
    """
    tables = []
    for row in runs.itertuples():
        path = run.require(path_of(row.model, row.seed), made_by)
        tables.append(read(path).assign(model=row.model, seed=row.seed))
    if not tables:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(tables, ignore_index=True)


def read_equal(run, runs, scores, without=()):
    """04's scores of the general model at equal examples, whose name ends in _equal; no rows where none were kept.

    runs: rows of `train_reports`; scores: of all models; without: text_ids to leave out. Raises ValueError where the
    two were scored on other tokens.
    """
    with_snapshots = runs[[bool(parameters["snapshot_at"]) for parameters in runs["parameters"]]]
    if with_snapshots.empty:
        return scores.iloc[:0]
    equal = read_runs(run, with_snapshots, lambda m, s: run.scores(m, s).with_name("equal.parquet"), "04_evaluate")
    equal["model"] += "_equal"
    if not scoring.same_tokens_as(equal, scores):
        raise ValueError("weights at equal examples were scored on other tokens: run 04_evaluate again")
    return equal[~equal["text_id"].isin(without)]


def read_infills(run, runs, name, without=()):
    """05's table `name` (words or samples) of the runs whose parameters ask for infills.

    runs: rows of `train_reports`; without: text_ids to leave out.
    """
    with_infills = runs[[bool(parameters["infill"]) for parameters in runs["parameters"]]]
    table = read_runs(run, with_infills, lambda m, s: run.infills(m, s, name), "05_infill", columns=INFILLS[name])
    return table[~table["text_id"].isin(without)]


def train_reports(run, models, seeds):
    """03's report of each training run, a row each; `reason` is None for models that were trained."""
    rows = []
    for model in models:
        for seed in seeds:
            report = read_json(run.require(run.model(model, seed) / "train.json", "03_train"))
            rows.append({"model": model, "seed": seed, "reason": None} | report)
    return pd.DataFrame(rows)


def training_seconds(run, runs):
    """How long each training run took, in their order. runs: a frame with model and seed."""
    return [read_json(run.model(row.model, row.seed) / "clock.json")["seconds"] for row in runs.itertuples()]
