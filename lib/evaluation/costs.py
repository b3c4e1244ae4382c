"""What each model took to train: examples, hours and megabytes, with what its base had taken before."""

import numpy as np
import pandas as pd

from lib.design import kind
from lib.evaluation.attribution import budget_limits


def cost_table(runs, models):
    """cost.csv: a row per model, in the order of models.

    Its perplexities on validation texts of its own levels, before the first step and at the end, are geometric means
    of the seeds. runs: a row per training, with the entries of train.json and the reason of a training that is n/a.
    """
    trained = runs[runs["status"] == "trained"]
    by_model = trained.groupby("model")
    sizes = by_model[["examples_seen", "megabytes", "parameters_total"]].mean()
    logs = np.log(trained.set_index("model")[["valid_perplexity", "start_perplexity"]].astype(float))
    cost = runs.groupby("model")[["init_from", "reason"]].first().join(sizes)
    cost = cost.join(np.exp(logs.groupby("model").mean())).reindex(models)
    cost["still_improving"] = budget_limits.still_improving(runs).reindex(models)
    cost["seeds"] = by_model.size().reindex(models, fill_value=0)
    cost.insert(0, "kind", list(map(kind, models)))
    return cost.rename_axis("model").reset_index()


def add_base(cost, without_base):
    """What each model took together with its base, in the rows of cost. without_base: a Series by model."""
    return cost["model"].map(without_base) + cost["init_from"].map(without_base).fillna(0)


def training_hours(cost, runs, seconds):
    """clock.csv: hours of one training of each model, its base's included. seconds: of each trained run."""
    trained = runs[runs["status"] == "trained"]
    mean_seconds = trained.assign(seconds=seconds).groupby("model")["seconds"].mean()
    hours = add_base(cost, mean_seconds) / 3600
    return pd.DataFrame({"model": cost["model"], "kind": cost["kind"], "hours": hours})
