"""A tiny model, and its canary run."""

import numpy as np
import pytest

from lib.experiment import parameters
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.memorisation import canary_training
from tests.helpers.memorisation_limits import LIMITS

SIZES = {"max_examples": 120, "examples_per_step": 8, "eval_every": 120, "n_layer": 1, "n_head": 2, "n_embd": 64}


@pytest.fixture(scope="module")
def rows(index):
    """60 texts of A1, ten of them valid."""
    split = np.where(np.arange(len(index)) < 50, "train", "valid")
    return index.assign(level="A1", split=split)


@pytest.fixture(scope="module")
def facts():
    settings = parameters.load_file("params/demo/a1.yaml").model_copy(update=SIZES)
    facts = {"model": "a1", "seed": 0, "levels": ["A1"], "init_from": "scratch", "status": "trained"}
    return facts | {"fingerprint": "f", "examples_seen": 120, "parameters": settings.model_dump()}


@pytest.fixture(scope="module")
def study(tmp_path_factory, tokenizer):
    run = Experiment("study", tmp_path_factory.mktemp("canaries"))
    tokenizer.save_pretrained(run.tokenizer)
    write_json({"seconds": 3}, run.model("a1", 0) / "clock.json")
    return run


@pytest.fixture(scope="module")
def found(study, rows, facts, drawing):
    return canary_training.canary_runs(study, {("a1", 0): facts}, rows, drawing, LIMITS, plant=True)
