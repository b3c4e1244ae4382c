"""Preconditions of a verdict: the same masks, split and texts for every model that is compared."""

import pandas as pd

from lib.evaluation.scoring import KEYS

UNKNOWN = "unknown: the corpus names no learners"


def preconditions(scores, mask_hashes, split_ids, truncated, training, weights, step0):
    """What must hold before any verdict: a table check, holds, detail (who violates it). What is unknown does not hold.

    scores: the long table. Dicts by model: mask_hashes, split_ids (both may contain notebooks that must agree too),
    truncated (number of frozen masks not scored in full), training (a frame text_id, learner_id; empty for an untrained
    model). Dicts by trained run: weights and step0, hashes after and before training.
    """
    models = sorted(scores["model"].unique())
    hashes = list(weights.values())
    items = scores.groupby(["text_id", "mask_type", "mask_set"])["n_tokens"].agg(["min", "max", "size"])
    runs = len(scores[["model", "seed"]].drop_duplicates())
    uneven = items[(items["min"] != items["max"]) | (items["size"] != runs)].index.unique("text_id")
    equal = [run for run, found in weights.items() if hashes.count(found) > 1 or step0.get(run, found) == found]
    violations = {
        "masks equal for all models": _unequal(dict.fromkeys(models) | mask_hashes),
        "split equal for all models": _unequal(dict.fromkeys(models) | split_ids),
        "tokens equal for all models": [f"text {text}" for text in uneven] if len(items) else ["no scores"],
        "nothing truncated": [m for m in models if truncated.get(m) != 0],
        "no test text in training": _models_that_read(scores, training, "text_id"),
        "no test learner in training": _models_that_read(scores, training, "learner_id"),
        "weights differ": equal if weights else ["none known"],
    }
    rows = [(check, not found, ", ".join(found[:5]) or "none") for check, found in violations.items()]
    return pd.DataFrame(rows, columns=["check", "holds", "detail"])


def study_preconditions(scores, blanks, trained, order, texts, corpus, masks):
    """`preconditions` of a study, from the results of its notebooks.

    scores: all of 04's; blanks: KEYS and hidden (masked characters) of each masked test text; trained: a row a trained
    run, with the entries of train.json; order: model and text_id of the texts that each model read; texts: text_id,
    learner_id; corpus, masks: the reports of 01 and 02. What the base of a model read counts as read by it.
    """
    training = {}
    for model, base in zip(trained["model"], trained["init_from"]):
        read = order.loc[order["model"].isin([model, base]), "text_id"]
        training[model] = texts.loc[texts["text_id"].isin(read), ["text_id", "learner_id"]]
    scored = scores[["model", *KEYS, "n_chars"]].merge(blanks, on=KEYS)
    whole = scored[scored["n_chars"] == scored["hidden"]].groupby("model").size()  # scored to the last character
    truncated = (len(blanks) * trained.groupby("model").size()).sub(whole, fill_value=0)
    declared = trained.groupby("model")[["mask_hash", "split_id"]].agg(lambda values: " and ".join(sorted(set(values))))
    runs = trained.set_index(trained["model"] + " seed " + trained["seed"].astype(str))
    runs = runs[runs["best_at"] > 0]  # others keep the weights that they began with, which 03_train has checked
    hashes = declared["mask_hash"].to_dict() | {"02_mask": masks["mask_hash"]["test"]}
    split_ids = declared["split_id"].to_dict() | {"01_extract": corpus["split_id"], "02_mask": masks["split_id"]}
    weights, step0 = runs["fingerprint"].to_dict(), runs["fingerprint_start"].to_dict()
    checks = preconditions(scores, hashes, split_ids, truncated.to_dict(), training, weights, step0)
    unknown = (checks["check"] == "no test learner in training") & (not corpus["learners_known"])
    return checks.assign(detail=checks["detail"].mask(unknown, UNKNOWN))


def with_labels(checks, mislabelled):
    """The checks and one more: train.json states the model, seed and parameters of its folder. mislabelled: names."""
    detail = ", ".join(mislabelled[:5]) or "none"
    row = {"check": "models are what their folders say", "holds": not mislabelled, "detail": detail}
    return pd.concat([checks, pd.DataFrame([row])], ignore_index=True)


def _unequal(values):
    """Every owner with its value, unless all values are the same and none is None. values: {owner: value}."""
    same = len(set(values.values())) == 1 and None not in values.values()
    return [] if same else [f"{owner} {value}" for owner, value in values.items()]


def _models_that_read(scores, training, column):
    """Models whose training texts are unknown or have a test id in `column`; empty ids are ignored."""

    def ids(table):
        return {str(value) for value in table[column].dropna().unique()} - {""}

    test = ids(scores)
    models = sorted(scores["model"].unique())
    return [model for model in models if model not in training or test & ids(training[model])]
