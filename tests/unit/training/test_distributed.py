"""Claims about one training on several devices: the examples and weights are those of one, also when it goes on."""

import contextlib
import signal
import threading
import time

import numpy as np
import psutil
import pytest
import torch
from transformers import set_seed

from lib.errors import TrainingInterrupted
from lib.evaluation import scoring
from lib.experiment import parameters
from lib.masking import frozen_masks
from lib.models import initialization
from lib.training import checkpoints, loop
from lib.training.dataset import Steps
from lib.training.trainer import ILMTrainer

SMALL = {"max_examples": 800, "examples_per_step": 16, "eval_every": 400, "n_layer": 1, "n_head": 2, "n_embd": 32}


@pytest.fixture(scope="module")
def study(index, drawing, tokenizer, first_special):
    """train(folder, devices): (model, curve, how) after 50 steps.

    In float64: Adam makes steps of full length of rounding errors where a gradient is 0, as a key bias's is.
    """
    held_out = index.iloc[48:]
    valid = scoring.frozen_examples(
        held_out, frozen_masks.draw_frozen(held_out, drawing, "training_mix", 1), first_special
    )
    settings = parameters.load_file("params/demo/a1.yaml").model_copy(update=SMALL)

    def train(folder, devices):
        own = settings.model_copy(update={"devices": devices})
        set_seed(0)
        model = initialization.initial_model(own, tokenizer, 256).double()
        steps = Steps(index.iloc[:48], drawing, own, 0, first_special)
        curve, how = loop.train(model, steps, valid, own, 0, folder, "test", {"corpus": "abc"})
        return model, curve, how

    return train


@pytest.fixture(scope="module")
def one(study, tmp_path_factory):
    return study(tmp_path_factory.mktemp("one"), 1)


def apart(model, other):
    """The largest difference of any weight."""
    return max((a - b).abs().max().item() for a, b in zip(model.parameters(), other.parameters()))


def test_the_shares_of_a_step_are_its_examples_in_order(index, drawing, first_special):
    settings = parameters.load_file("params/demo/a1.yaml").model_copy(update=SMALL | {"examples_per_step": 40})
    steps = Steps(index, drawing, settings, 0, first_special)
    whole = steps[3]
    for of in [2, 3, 8]:
        parts = []
        for which in range(of):
            steps.share = which, of
            parts.append(steps[3])
        for name in ["input_ids", "loss_weights", "targets"]:
            joined = np.concatenate([part[name].ravel() for part in parts])
            assert np.array_equal(joined, whole[name].ravel()), f"{of} shares: other {name}"


def test_two_processes_come_to_the_weights_of_one(study, one, tmp_path):
    model, curve, how = study(tmp_path, 2)
    assert apart(model, one[0]) < 1e-5
    assert np.allclose(curve, one[1], atol=1e-5, equal_nan=True) and how["resumed_at"] is None


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_a_training_goes_on_with_another_number_of_processes(before, after, study, one, tmp_path, monkeypatch):
    if before == 1:
        cut_off(study, tmp_path, monkeypatch)
    else:
        study(tmp_path, before)
        (tmp_path / "checkpoint-50/manifest.json").unlink()  # as if killed while writing it
    model, curve, how = study(tmp_path, after)
    assert how["resumed_at"] == 25 and apart(model, one[0]) < 1e-5
    assert np.allclose(curve, one[1], atol=1e-5, equal_nan=True)
    assert checkpoints.step(checkpoints.newest(tmp_path)) == 50


def cut_off(study, folder, monkeypatch):
    step = ILMTrainer._one

    def warned(self, *batch):
        self.course.ending = self.state.global_step == 24
        return step(self, *batch)

    with monkeypatch.context() as patch, contextlib.suppress(TrainingInterrupted):
        patch.setattr(ILMTrainer, "_one", warned)
        study(folder, 1)


@pytest.mark.parametrize("which", [0, 1])
def test_a_warned_process_ends_all_once_the_first_has_saved(which, study, one, tmp_path):
    def warn():
        while not (tmp_path / "progress.json").exists():
            time.sleep(0.05)
        found = [child for child in psutil.Process().children(recursive=True) if child.environ().get("RANK")]
        by_rank = {child.environ()["RANK"]: child for child in found}
        by_rank[str(which)].send_signal(signal.SIGUSR1)

    warning = threading.Thread(target=warn)
    warning.start()
    with pytest.raises(TrainingInterrupted, match="Saved at step"):
        study(tmp_path, 2)
    warning.join()
    model, _, how = study(tmp_path, 1)
    assert 0 < how["resumed_at"] < 50 and apart(model, one[0]) < 1e-5


def test_an_error_in_one_process_is_that_of_the_training(study, tmp_path, monkeypatch):
    monkeypatch.setenv("ILM_CEFR_FAULT", "step:3:nan")
    with pytest.raises(FloatingPointError, match="at step 2"):
        study(tmp_path, 2)
    assert not torch.distributed.is_initialized()
