"""Preconditions of a verdict: the same masks, split and texts for every model that is compared."""

import pandas as pd

from lib.evaluation.scoring import KEYS

UNKNOWABLE = "cannot be known: the corpus names no learners"


def preconditions(scores, mask_hashes, split_ids, truncated, training, weights, step0):
    """What must hold before any verdict: table check, holds, detail (who breaks it). Unknown does not hold.

    scores: the long table. Per model: mask_hashes, split_ids (both may name other parties that must agree), truncated
    (frozen masks that were not scored in full), training (frame text_id, learner_id; empty for an untrained model).
    Per trained run: weights and step0, hashes after and before training."""
    models, hashes = sorted(scores["model"].unique()), list(weights.values())
    items = scores.groupby(["text_id", "mask_type", "mask_set"])["n_tokens"].agg(["min", "max", "size"])
    runs = len(scores[["model", "seed"]].drop_duplicates())
    uneven = items[(items["min"] != items["max"]) | (items["size"] != runs)].index.unique("text_id")
    alike = [run for run, one in weights.items() if hashes.count(one) > 1 or step0.get(run, one) == one]
    culprits = {
        "masks equal for all models": _apart(dict.fromkeys(models) | mask_hashes),
        "split equal for all models": _apart(dict.fromkeys(models) | split_ids),
        "tokens equal for all models": [f"text {text}" for text in uneven] if len(items) else ["no scores"],
        "nothing truncated": [m for m in models if truncated.get(m) != 0],
        "no test text in training": _who_saw(scores, training, "text_id"),
        "no test learner in training": _who_saw(scores, training, "learner_id"),
        "weights differ": alike if weights else ["none known"],
    }
    rows = [(check, not who, ", ".join(who[:5]) or "none") for check, who in culprits.items()]
    return pd.DataFrame(rows, columns=["check", "holds", "detail"])


def study_preconditions(scores, blanks, trained, order, texts, corpus, masks):
    """`preconditions` of a study, from what its notebooks left.

    scores: all of 04's; blanks: KEYS and hidden (characters) of each masked test text; trained: a row a trained run,
    train.json's entries; order: model and text_id of what each model read; texts: text_id, learner_id; corpus, masks:
    the reports of 01 and 02. What the base of a model read counts as read by it.
    """
    training = {}
    for model, base in zip(trained["model"], trained["init_from"]):
        read = order.loc[order["model"].isin([model, base]), "text_id"]
        training[model] = texts.loc[texts["text_id"].isin(read), ["text_id", "learner_id"]]
    met = scores[["model", *KEYS, "n_chars"]].merge(blanks, on=KEYS)
    whole = met[met["n_chars"] == met["hidden"]].groupby("model").size()  # scored to the last character
    truncated = (len(blanks) * trained.groupby("model").size()).sub(whole, fill_value=0)
    stated = trained.groupby("model")[["mask_hash", "split_id"]].agg(lambda seen: " and ".join(sorted(set(seen))))
    runs = trained.set_index(trained["model"] + " seed " + trained["seed"].astype(str))
    runs = runs[runs["examples_seen"] > 0]  # an untuned base is at step 0, as 03_train has made sure
    hashes = stated["mask_hash"].to_dict() | {"02_mask": masks["mask_hash"]["test"]}
    split_ids = stated["split_id"].to_dict() | {"01_extract": corpus["split_id"], "02_mask": masks["split_id"]}
    weights, step0 = runs["fingerprint"].to_dict(), runs["fingerprint_start"].to_dict()
    checks = preconditions(scores, hashes, split_ids, truncated.to_dict(), training, weights, step0)
    unknowable = (checks["check"] == "no test learner in training") & (not corpus["learners_known"])
    return checks.assign(detail=checks["detail"].mask(unknowable, UNKNOWABLE))


def _apart(values):
    """Everyone with what is theirs, unless all have the same and nobody None."""
    same = len(set(values.values())) == 1 and None not in values.values()
    return [] if same else [f"{who} {value}" for who, value in values.items()]


def _who_saw(scores, training, column):
    """Models whose training list is unknown or holds a test id; empty ids are nobody's."""

    def ids(table):
        return {str(one) for one in table[column].dropna().unique()} - {""}

    test, models = ids(scores), sorted(scores["model"].unique())
    return [m for m in models if m not in training or test & ids(training[m])]
