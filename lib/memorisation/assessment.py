"""Has a model memorised its training texts? Assessed before its weights may be shared.

There are two measures: the extraction gap (extraction_gap.py), and the exposure of canaries, with CANARIES=yes
(canary_training.py).
"""

from typing import Annotated

import pandas as pd
from pydantic import Field
from tqdm import tqdm

from lib.experiment import parameters
from lib.experiment.files import file_hash, read_csv, read_json, read_yaml, write_json
from lib.experiment.folders import existing_experiment
from lib.experiment.schemas import Count, Parameters, Share
from lib.masking import token_index
from lib.masking.examples import first_special_of
from lib.memorisation import canaries, canary_training, extraction_gap
from lib.models import loading

MAY_BE_SHARED, OPEN, MUST_NOT_BE_SHARED = "may be shared", "open", "must not be shared"
VERDICTS = [MAY_BE_SHARED, OPEN, MUST_NOT_BE_SHARED]  # from best to worst
MIN_LEARNERS = 20  # in training and in test texts, for the extraction gap
STATEMENTS = {  # estimate, its interval, the limit
    "gap": "perplexity is {:+.1%} higher on test than on training texts ({:+.1%} to {:+.1%}; limit {:.0%})",
    "exact": "words of training texts are filled exactly {:+.1%} more often ({:+.1%} to {:+.1%}; limit {:.0%})",
    "exposure": "exposure of canaries planted once is {:+.1f} bits above chance ({:+.1f} to {:+.1f}; limit {:.1f})",
}
NO_CANARIES = "no canaries were planted (CANARIES=yes plants them)"


class Limits(Parameters):
    """params/memorisation.yaml."""

    texts: Count
    max_gap: Share
    max_exact: Share
    max_exposure: Annotated[float, Field(ge=0)]
    repeats: Annotated[list[Annotated[int, Field(gt=1)]], Field(min_length=1)]
    planted: Count
    candidates: Count
    alpha: Share
    seed: Annotated[int, Field(ge=0)]
    without_canaries: bool


def verdict(measures, limits):
    """(verdict, reason) in words.

    Weights must not be shared if the interval of a measure lies above its limit. They may be shared if all intervals
    end below. measures: the result of `extraction_gap.gaps` and, with canaries, of `canaries.above_chance`.
    """
    few_learners = measures["n_learners"] < MIN_LEARNERS
    above, not_below, statements = [], [], []
    for name, statement in STATEMENTS.items():
        if f"{name}_lo" not in measures or (few_learners and name != "exposure"):
            continue
        limit = getattr(limits, f"max_{name}")
        low, high = measures[f"{name}_lo"], measures[f"{name}_hi"]
        statements.append(statement.format(measures[name], low, high, limit))
        if low > limit:
            above.append(statements[-1])
        if high > limit:
            not_below.append(statements[-1])
    if above:
        return MUST_NOT_BE_SHARED, "; ".join(above)
    if few_learners:
        return OPEN, f"fewer than {MIN_LEARNERS} learners in training or test texts, too few for a test"
    if not_below:
        return OPEN, "not significantly below the limit: " + "; ".join(not_below)
    if not measures.get("sensitive", True):
        return OPEN, "even canaries planted most often have no exposure above chance, so the measure may be insensitive"
    if "exposure" not in measures and not limits.without_canaries:
        return OPEN, f"no gap, but {NO_CANARIES}"
    return MAY_BE_SHARED, "; ".join(statements)


def with_bases(reports, bases):
    """The reports, {model/seed: report}, with no verdict better than that of a model's base.

    bases: {model/seed: model/seed of its base}. Weights keep traces of all texts that they were ever trained on.
    """
    settled = {}
    for model, report in reports.items():
        worst = _worst_verdict(model, reports, bases)
        if worst != report["verdict"]:
            reason = f"it was trained from {bases[model]}, whose verdict is: {worst}"
            report = report | {"verdict": worst, "reason": reason}
        settled[model] = report
    return settled


def _worst_verdict(model, reports, bases):
    """The worst verdict of a model and all its bases."""
    own = reports[model]["verdict"]
    base = bases.get(model)
    if base not in reports:
        return own
    return max(own, _worst_verdict(base, reports, bases), key=VERDICTS.index)


def measure(run, model, seed, index, mask_settings, limits, canary_report=None):
    """The report of one model and seed: levels, gaps, verdict, reason, and the hash of the weights it is about.

    canary_report: the result of `canary_training.measure` for this model, if canaries were planted.
    """
    from transformers import AutoTokenizer

    folder = run.require(run.model(model, seed), "03_train")
    facts = read_json(folder / "train.json")
    order = pd.read_parquet(folder / "order.parquet", columns=["text_id"])
    texts = index[index["level"].isin(facts["levels"])]
    in_test = (texts["split"] == "test") & ~texts["copied"].astype(bool) & ~texts["held_out"].astype(bool)
    report = {"weights": file_hash(folder / "model.safetensors"), "levels": facts["levels"]}
    if order.empty:
        return report | {"verdict": MAY_BE_SHARED, "reason": "it was trained on no text of the corpus"}
    training_texts = texts[texts["text_id"].isin(order["text_id"])]
    train, test = extraction_gap.pairs(training_texts, texts[in_test], limits.texts, limits.seed)
    gaps = {"n_learners": 0}
    if len(train):
        tokenizer, network = AutoTokenizer.from_pretrained(folder), loading.load_model(folder)
        special = first_special_of(tokenizer)
        train_sums = extraction_gap.learner_sums(network, tokenizer, train, mask_settings, special)
        test_sums = extraction_gap.learner_sums(network, tokenizer, test, mask_settings, special)
        gaps = extraction_gap.gaps(train_sums, test_sums, limits.alpha, limits.seed)
    exposure = canaries.above_chance(canary_report) if canary_report else {}
    words, reason = verdict(gaps | exposure, limits)
    if gaps["n_learners"] < MIN_LEARNERS:  # estimates from few learners could identify them
        gaps = {"n_learners": f"<{MIN_LEARNERS}"}
    return report | {"verdict": words, "reason": reason, "pairs": len(train)} | gaps | exposure


def read_texts(run):
    """(rows of the token index with level, learner and split, mask settings, split id)."""
    columns = ["text_id", "learner_id", "level", "split", "copied", "held_out"]
    texts = pd.read_parquet(run.require(run.texts, "01_extract"), columns=columns)
    index = token_index.read_index(run.require(run.index, "02_mask")).merge(texts, on="text_id")
    return index.assign(n_tokens=index["ids"].map(len)), run.mask_settings(), run.masks_report()["split_id"]


def trained_models(run):
    """{(model, seed): train.json} of all trained models, in the order of 06_compare."""
    models = read_csv(run.require(run.compare("cost.csv"), "06_compare"))["model"]
    trained = {}
    for model in models:
        for folder in sorted(run.model(model, 0).parent.glob("seed*")):
            facts = read_json(folder / "train.json")
            if facts["status"] == "trained":
                trained[model, int(folder.name.removeprefix("seed"))] = facts
    return trained


def assess(experiment, plant=False):
    """Write memorisation/memorisation.json of an experiment, aggregates only. plant: train canary runs for it."""
    run = existing_experiment(experiment).start("memorisation")
    limits = parameters.validate(Limits, read_yaml("params/memorisation.yaml"), "params/memorisation.yaml")
    index, mask_settings, split_id = read_texts(run)
    facts = trained_models(run)
    canary_reports = canary_training.canary_runs(run, facts, index, mask_settings, limits, plant)
    reports, bases = {}, {}
    progress = tqdm(facts, unit=" models", ncols=100, leave=False)
    for model, seed in progress:
        progress.set_description(f"{model}, seed {seed}")
        report = measure(run, model, seed, index, mask_settings, limits, canary_reports.get(model))
        reports[f"{model}/seed{seed}"] = report
        bases[f"{model}/seed{seed}"] = f"{facts[model, seed]['init_from']}/seed{seed}"
    reports = with_bases(reports, bases)
    for model, report in reports.items():
        print(f"{model}: {report['verdict']}: {report['reason']}")
    print(f"\n{canaries.summary(canary_reports, limits) if canary_reports else NO_CANARIES}\n")
    path = run.folder / "memorisation/memorisation.json"
    tables = {model: report["table"] for model, report in canary_reports.items()}
    write_json({"limits": limits.model_dump(), "split_id": split_id, "models": reports, "canaries": tables}, path)
    print(f"{path}\nWhether weights may be shared at all depends on the corpus's licence.")
