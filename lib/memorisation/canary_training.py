"""A model's twin: one training more with its parameters, first seed and own texts, and canaries among them.

The model itself is not touched. Of a twin nothing is kept but runs/<experiment>/memorisation/canaries/<model>.json; one
that is cut off goes on from its last checkpoint, in memorisation/checkpoints/.
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

DECIDING = {"repeats", "planted", "candidates", "alpha", "seed"}  # what of the limits a twin is made from


def canary_runs(run, facts, index, drawing, limits, plant):
    """{model: what `measure` found}: of twins trained before, as long as their model is still the same; if `plant`,
    of all models that have read a text. facts: {(model, seed): train.json}; index, drawing: as in `measure`."""
    first = {}
    for model, seed in facts:
        if facts[model, seed]["examples_seen"]:
            first.setdefault(model, seed)
    known = {model: _before(run, model, made_from(facts[model, seed], limits)) for model, seed in first.items()}
    new = [model for model, one in known.items() if one is None]
    if plant and new:
        hours = sum(read_json(run.model(model, first[model]) / "clock.json")["seconds"] for model in new) / 3600
        print(f"{len(new)} trainings with canaries. Those without took {formatting.format_hours(hours)}.", flush=True)
        loading.silence_transformers()
    for n, model in enumerate(new if plant else [], 1):
        known[model] = measure(run, facts[model, first[model]], index, drawing, limits)
        print(f"{n} of {len(new)}: {model}, {formatting.format_hours(known[model]['seconds'] / 3600)}", flush=True)
    return {model: one for model, one in known.items() if one is not None}


def made_from(facts, limits):
    """What must be the same for a twin to be that of a model. facts: the model's train.json."""
    return {"model": facts["fingerprint"], "seed": facts["seed"], "limits": limits.model_dump(include=DECIDING)}


def _file(run, model):
    return run.folder / f"memorisation/canaries/{model}.json"


def _before(run, model, made_from):
    found = read_json(_file(run, model)) if _file(run, model).exists() else None
    return found if found and found["made_from"] == made_from else None


def measure(run, facts, index, drawing, limits):
    """Train the twin of a model, ask it, and leave memorisation/canaries/<model>.json.

    facts: the model's train.json; index: rows of the index with level and split. Returns a dict: table (records of
    `canaries.by_times`), chance, texts (own ones), planted (texts), examples, examples_a_text, seconds, made_from.
    """
    began, model, seed = time.perf_counter(), facts["model"], facts["seed"]
    checkpoints = run.folder / f"memorisation/checkpoints/{model}"
    twin = CanaryRun(facts, index, drawing, AutoTokenizer.from_pretrained(run.tokenizer), limits)
    network = twin.train(_base(run, facts["init_from"], seed), seed, checkpoints, made_from(facts, limits))
    table = canaries.by_times(twin.canaries["times"].to_numpy(), twin.surprise(network), limits)
    found = {"table": table.to_dict("records"), "chance": canaries.chance(limits.candidates), **twin.sizes()}
    found |= {"seconds": round(time.perf_counter() - began, 1), "made_from": made_from(facts, limits)}
    write_json(found, _file(run, model))
    shutil.rmtree(checkpoints)
    return found


def _base(run, init_from, seed):
    """What the twin starts from: as its model did, without canaries in it."""
    own = run.model(init_from, seed)
    return None if init_from == "scratch" else own if own.exists() else init_from


class CanaryRun:
    """A model's training with canaries among its texts. There are more examples, too: each text is seen as often as
    before. facts: the model's train.json; index: rows of the index with level and split."""

    def __init__(self, facts, index, drawing, tokenizer, limits):
        self.drawing, self.tokenizer = drawing, tokenizer
        self.model, self.own = facts["model"], index[index["level"].isin(facts["levels"])]
        made = canaries.invent(tokenizer, limits, facts["levels"])
        self.canaries, planted = self._indexed(made), self._indexed(canaries.copies(made))
        texts = self.own[self.own["split"] == "train"]
        self.n_texts, self.n_planted = len(texts), len(planted)
        self.rows = pd.concat([texts, planted], ignore_index=True)
        settings = parameters.validate(Train, facts["parameters"], f"{facts['model']}: train.json")
        budget = -(-settings.max_examples * len(self.rows) // (8 * len(texts))) * 8
        self.settings = settings.model_copy(update={"max_examples": budget, "snapshot_at": {}})

    def _indexed(self, made):
        return made.merge(token_index.build_index(made, self.tokenizer, self.drawing.splitter, self.drawing.max_length))

    def _valid(self):
        """Valid texts as 03_train looks at them, with one mask each."""
        rows = frozen_masks.validation_subset(self.own[self.own["split"] == "valid"])
        frozen = frozen_masks.draw_frozen(rows, self.drawing, "training_mix", 1)
        return preparation.validation_set(self.settings, self.tokenizer, rows, frozen)

    def train(self, base, seed, folder, made_from):
        """The twin's network, from `base` as `starting.model` takes it; checkpoints in `folder`."""
        made_of = self.settings, self.drawing, self.tokenizer, self.rows
        steps, network = preparation.prepare_training(*made_of, seed, base)
        how = seed, folder, f"{self.model} with canaries", {"canaries": made_from}
        self.seen = int(loop.train(network, steps, self._valid(), self.settings, *how)[0]["examples"].iloc[-1])
        return network

    def surprise(self, network):
        told = level_tokens(self.tokenizer, self.canaries["level"]) if self.settings.level_prefix else None
        special = first_special_of(self.tokenizer)
        return canaries.surprise(network, self.canaries, self.drawing, special, told)

    def sizes(self):
        each = self.seen / len(self.rows)
        return {"texts": self.n_texts, "planted": self.n_planted, "examples": self.seen, "examples_a_text": each}
