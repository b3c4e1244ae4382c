"""What each model takes: examples, hours, megabytes, with what the model it began from took."""

import numpy as np
import pandas as pd

from lib.design import kind


def cost_table(runs, models):
    """cost.csv: a row a model, in the order of models, with perplexities on valid texts of its own levels before the
    first step and at the end, the geometric means of its seeds.

    runs: a row a training, train.json's entries and why (of one that is n/a).
    """
    trained = runs[runs["status"] == "trained"]
    by_model = trained.groupby("model")
    sizes = by_model[["examples_seen", "megabytes", "parameters_total"]].mean()
    logs = np.log(trained.set_index("model")[["valid_perplexity", "start_perplexity"]].astype(float))
    cost = runs.groupby("model")[["init_from", "reason"]].first().join(sizes)
    cost = cost.join(np.exp(logs.groupby("model").mean())).reindex(models)
    cost["seeds"] = by_model.size().reindex(models, fill_value=0)
    cost.insert(0, "kind", list(map(kind, models)))
    return cost.rename_axis("model").reset_index()


def add_base(cost, own):
    """What a model took and what its base took before it, a Series beside cost. own: what each took, by model."""
    return cost["model"].map(own) + cost["init_from"].map(own).fillna(0)


def training_hours(cost, runs, seconds):
    """clock.csv: hours of one training of each model, those of its base included. seconds: of each trained run."""
    trained = runs[runs["status"] == "trained"]
    spent = trained.assign(seconds=seconds).groupby("model")["seconds"].mean()
    return pd.DataFrame({"model": cost["model"], "kind": cost["kind"], "hours": add_base(cost, spent) / 3600})
