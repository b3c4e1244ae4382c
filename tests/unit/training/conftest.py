"""A small model like those of the demo, trained and saved."""

import pytest
import torch
from transformers import set_seed

from lib.evaluation import scoring
from lib.experiment import parameters
from lib.masking import frozen_masks
from lib.models import initialization, loading
from lib.training import loop, model_folder
from lib.training.dataset import Steps

SMALL = {"max_examples": 96, "examples_per_step": 8, "eval_every": 16, "n_layer": 1, "n_head": 2, "n_embd": 32}
SMALL |= {"dropout": 0.1}  # so that the weights depend on random numbers


@pytest.fixture(scope="module")
def valid(index, drawing, first_special):
    held_out = index.iloc[48:]
    return scoring.frozen_examples(
        held_out, frozen_masks.draw_frozen(held_out, drawing, "training_mix", 1), first_special
    )


@pytest.fixture(scope="module")
def steps(index, drawing, settings, first_special):
    return Steps(index.iloc[:48], drawing, settings, 0, first_special)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tokenizer, steps, valid, settings):
    """A model trained for ten steps, and its folder."""
    folder = tmp_path_factory.mktemp("trained")
    set_seed(0)
    model = initialization.initial_model(settings, tokenizer, 256)
    before = loading.fingerprint(model)
    curve, clock = loop.train(model, steps, valid, settings, 0, folder / "checkpoints", "test", {})
    facts = {
        "model": "a1",
        "seed": 0,
        "levels": ["A1"],
        "init_from": "scratch",
        "split_id": "s",
        "mask_hash": "m",
        "learners_known": True,
    }
    facts |= loop.outcome(curve) | {"fingerprint": loading.fingerprint(model)}
    model_folder.save_model(folder / "model", model, tokenizer, steps, curve, facts, clock, {})
    return {"folder": folder / "model", "model": model, "before": before, "curve": curve}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """A forked process cannot use the threads of its parent."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def study(index, drawing, tokenizer, first_special):
    """train(folder, seed, inputs, **changed parameters): (fingerprint, curve, run_info)."""
    held_out = index.iloc[48:]
    frozen = frozen_masks.draw_frozen(held_out, drawing, "training_mix", 1)
    valid = scoring.frozen_examples(held_out, frozen, first_special)

    def train(folder, seed=0, inputs=None, **changed):
        settings = parameters.load_file("params/demo/a1.yaml").model_copy(update=SMALL | changed)
        set_seed(seed)
        steps = Steps(index.iloc[:48], drawing, settings, seed, first_special)
        model = initialization.initial_model(settings, tokenizer, 256)
        curve, run_info = loop.train(model, steps, valid, settings, seed, folder, "test", inputs or {"corpus": "abc"})
        return loading.fingerprint(model), curve, run_info

    return train


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    """The training without interruption: 12 steps, with an evaluation and a checkpoint at every second one."""
    return study(tmp_path_factory.mktemp("whole"))
