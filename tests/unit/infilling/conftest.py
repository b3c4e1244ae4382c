"""Models with random weights for the tests of this room."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from lib.experiment import manifest
from lib.experiment.files import write_json
from lib.experiment.folders import Experiment
from lib.infilling import queries


@pytest.fixture(scope="module")
def network(tokenizer):
    torch.manual_seed(1)
    size = {"n_layer": 1, "n_head": 2, "n_embd": 32, "n_positions": 128}
    return GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), initializer_range=0.3, **size)).eval()


@pytest.fixture
def panel(tmp_path, network, tokenizer):
    """Two trained models, one of them in memory, one that is n/a, one in training, one that needs a level prefix."""
    run = Experiment("study", tmp_path)
    facts = {
        "status": "trained",
        "levels": ["A1"],
        "init_from": "scratch",
        "megabytes": 60.0,
        "parameters_total": 15_000_000,
        "seed": 0,
        "parameters": {},
    }
    prefixed = {"parameters": {"level_prefix": True}}
    models = {
        "a1": {},
        "general": {},
        "b1": {"status": "n/a", "reason": "no text of B1"},
        "c1": {},
        "level_prompted": prefixed,
    }
    for name, own in models.items():
        write_json(facts | own, run.model(name, 0) / "train.json")
        if name != "c1":
            write_json({}, run.model(name, 0) / manifest.MANIFEST)
    return queries.ModelPanel(run, tokenizer, {"general": network, "level_prompted": network})
