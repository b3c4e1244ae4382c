"""Canary runs: for each model, one more training with its parameters, first seed and texts, with canaries among them.

The model itself is not changed. Of a canary run only runs/<experiment>/memorisation/canaries/<model>.json is kept. An
interrupted one resumes from its last checkpoint in memorisation/checkpoints/.
"""

import shutil
import time

import pandas as pd
from transformers import AutoTokenizer

from lib import formatting
from lib.experiment import parameters
from lib.experiment.files import read_json, write_json
from lib.experiment.schemas import Train
from lib.masking import frozen_masks, token_index
from lib.masking.examples import first_special_of, level_tokens
from lib.memorisation import canaries
from lib.models import loading
from lib.training import loop, preparation

CANARY_LIMITS = {"repeats", "planted", "candidates", "alpha", "seed"}  # the limits on which a canary run depends


def canary_runs(run, facts, index, mask_settings, limits, plant):
    """{model: result of `measure`}: of earlier canary runs whose model is unchanged, and if `plant`, of new ones for
    all other models that were trained on a text.

    facts: {(model, seed): train.json}; index, mask_settings: as in `measure`.
    """
    first_seed = {}
    for model, seed in facts:
        if facts[model, seed]["examples_seen"]:
            first_seed.setdefault(model, seed)
    reports = {}
    for model, seed in first_seed.items():
        reports[model] = _earlier_report(run, model, made_from(facts[model, seed], limits))
    missing = [model for model, report in reports.items() if report is None]
    if plant and missing:
        seconds = sum(read_json(run.model(model, first_seed[model]) / "clock.json")["seconds"] for model in missing)
        hours = formatting.format_hours(seconds / 3600)
        print(f"{len(missing)} trainings with canaries. The trainings without canaries took {hours}.", flush=True)
        loading.silence_transformers()
        for n, model in enumerate(missing, 1):
            reports[model] = measure(run, facts[model, first_seed[model]], index, mask_settings, limits)
            hours = formatting.format_hours(reports[model]["seconds"] / 3600)
            print(f"{n} of {len(missing)}: {model}, {hours}", flush=True)
    return {model: report for model, report in reports.items() if report is not None}


def made_from(facts, limits):
    """All that a canary run depends on. facts: train.json of its model."""
    return {"model": facts["fingerprint"], "seed": facts["seed"], "limits": limits.model_dump(include=CANARY_LIMITS)}


def _report_file(run, model):
    return run.folder / f"memorisation/canaries/{model}.json"


def _earlier_report(run, model, expected):
    """The report of an earlier canary run made from what is expected, or None."""
    file = _report_file(run, model)
    if not file.exists():
        return None
    report = read_json(file)
    return report if report["made_from"] == expected else None


def measure(run, facts, index, mask_settings, limits):
    """Train the canary run of a model, measure exposure, and write memorisation/canaries/<model>.json.

    facts: the model's train.json; index: rows of the token index with level and split. Returns a dict: table (records
    of `canaries.by_times`), chance, texts (of the corpus), planted (texts), examples, examples_per_text, seconds,
    made_from.
    """
    start = time.perf_counter()
    model, seed = facts["model"], facts["seed"]
    checkpoints = run.folder / f"memorisation/checkpoints/{model}/seed{seed}"
    source = made_from(facts, limits)
    canary_run = CanaryRun(facts, index, mask_settings, AutoTokenizer.from_pretrained(run.tokenizer), limits)
    network = canary_run.train(_base(run, facts["init_from"], seed), seed, checkpoints, source)
    table = canaries.by_times(canary_run.canaries["times"].to_numpy(), canary_run.mean_surprisal(network), limits)
    report = {"table": table.to_dict("records"), "chance": canaries.chance(limits.candidates), **canary_run.sizes()}
    report |= {"seconds": round(time.perf_counter() - start, 1), "made_from": source}
    write_json(report, _report_file(run, model))
    shutil.rmtree(checkpoints.parent)  # with its lock
    return report


def _base(run, init_from, seed):
    """The base of a canary run: that of its model, without canaries."""
    if init_from == "scratch":
        return None
    trained_here = run.model(init_from, seed)
    return trained_here if trained_here.exists() else init_from


class CanaryRun:
    """A model's training with canaries among its texts.

    It has more examples in proportion, so that each text is seen as often as before. facts: the model's train.json;
    index: rows of the token index with level and split.
    """

    def __init__(self, facts, index, mask_settings, tokenizer, limits):
        self.model = facts["model"]
        self.mask_settings = mask_settings
        self.tokenizer = tokenizer
        made = canaries.make_canaries(tokenizer, limits, facts["levels"])
        self.canaries = self._with_tokens(made)
        planted = self._with_tokens(canaries.planted_texts(made))
        of_levels = index[index["level"].isin(facts["levels"])]
        texts = of_levels[of_levels["split"] == "train"]
        self.valid_texts = of_levels[of_levels["split"] == "valid"]
        self.n_texts = len(texts)
        self.n_planted = len(planted)
        self.rows = pd.concat([texts, planted], ignore_index=True)
        settings = parameters.validate(Train, facts["parameters"], f"{facts['model']}: train.json")
        budget = -(-settings.max_examples * len(self.rows) // (8 * len(texts))) * 8
        self.settings = settings.model_copy(update={"max_examples": budget, "snapshot_at": {}, "score_at": []})

    def _with_tokens(self, texts):
        settings = self.mask_settings
        index = token_index.build_index(texts, self.tokenizer, settings.splitter, settings.max_length)
        return texts.merge(index)

    def _validation_set(self):
        """The validation texts on which 03_train evaluates, with one mask each."""
        rows = frozen_masks.validation_subset(self.valid_texts)
        frozen = frozen_masks.draw_frozen(rows, self.mask_settings, "training_mix", 1)
        return preparation.validation_set(self.settings, self.tokenizer, rows, frozen)

    def train(self, base, seed, folder, made_from):
        """The trained network. base: as in `initialization.initial_model`; folder: of the checkpoints."""
        data = self.settings, self.mask_settings, self.tokenizer, self.rows
        steps, network = preparation.prepare_training(*data, seed, base)
        description = f"{self.model} with canaries"
        valid = self._validation_set()
        source = {"canaries": made_from}
        curve, *_ = loop.train(network, steps, valid, self.settings, seed, folder, description, source)
        self.examples_seen = int(curve["examples"].iloc[-1])
        return network

    def mean_surprisal(self, network):
        prefix = None
        if self.settings.level_prefix:
            prefix = level_tokens(self.tokenizer, self.canaries["level"])
        special = first_special_of(self.tokenizer)
        return canaries.mean_surprisal(network, self.canaries, self.mask_settings, special, prefix)

    def sizes(self):
        return {
            "texts": self.n_texts,
            "planted": self.n_planted,
            "examples": self.examples_seen,
            "examples_per_text": self.examples_seen / len(self.rows),
        }
