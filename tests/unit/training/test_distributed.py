"""Claims about one training on several devices: its examples and weights are those of one, also when it resumes."""

import contextlib
import shutil
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
    """train(folder, devices): (model, curve, run_info) after 50 steps.

    In float64: where a gradient is 0, as that of a key bias is, Adam turns rounding errors into full updates.
    """
    held_out = index.iloc[48:]
    valid = scoring.frozen_examples(
        held_out, frozen_masks.draw_frozen(held_out, drawing, "training_mix", 1), first_special
    )
    settings = parameters.load_file("params/demo/a1.yaml").model_copy(update=SMALL)

    def train(folder, devices):
        on_devices = settings.model_copy(update={"devices": devices})
        set_seed(0)
        model = initialization.initial_model(on_devices, tokenizer, 256).double()
        steps = Steps(index.iloc[:48], drawing, on_devices, 0, first_special)
        curve, run_info = loop.train(model, steps, valid, on_devices, 0, folder, "test", {"corpus": "abc"})
        return model, curve, run_info

    return train


@pytest.fixture(scope="module")
def single(study, tmp_path_factory):
    """The training on one device."""
    return study(tmp_path_factory.mktemp("single"), 1)


@pytest.fixture(scope="module")
def two(study, tmp_path_factory):
    """The folder of a training in two processes, and what it came to."""
    folder = tmp_path_factory.mktemp("two")
    return folder, *study(folder, 2)


def largest_difference(model, other):
    """The largest difference of any weight."""
    return max((a - b).abs().max().item() for a, b in zip(model.parameters(), other.parameters()))


def test_processes_divide_the_examples_of_a_step_in_order(index, drawing, first_special):
    settings = parameters.load_file("params/demo/a1.yaml").model_copy(update=SMALL | {"examples_per_step": 40})
    steps = Steps(index, drawing, settings, 0, first_special)
    whole = steps[3]
    for world_size in [2, 3, 8]:
        steps.world_size = world_size
        batches = []
        for rank in range(world_size):
            steps.rank = rank
            batches.append(steps[3])
        for name in ["input_ids", "loss_weights", "targets"]:
            joined = np.concatenate([batch[name].ravel() for batch in batches])
            assert np.array_equal(joined, whole[name].ravel()), f"{world_size} processes: other {name}"


def test_two_processes_end_with_the_weights_of_one(single, two):
    _, model, curve, run_info = two
    assert largest_difference(model, single[0]) < 1e-5
    assert np.allclose(curve, single[1], atol=1e-5, equal_nan=True) and run_info["resumed_at"] is None


def test_a_training_in_one_process_resumes_in_two(study, single, tmp_path, monkeypatch):
    stop_at_step_25(study, tmp_path, monkeypatch)
    resumes(study, single, tmp_path, 2)


def test_a_training_in_two_processes_resumes_in_one(study, single, two, tmp_path):
    shutil.copytree(two[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "checkpoint-50/manifest.json").unlink()  # as if killed while writing it
    resumes(study, single, tmp_path, 1)


def resumes(study, single, folder, n_processes):
    """The training goes on at half of its steps and comes to the weights of one that was not cut off."""
    model, curve, run_info = study(folder, n_processes)
    assert run_info["resumed_at"] == 25 and largest_difference(model, single[0]) < 1e-5
    assert np.allclose(curve, single[1], atol=1e-5, equal_nan=True)
    assert checkpoints.step(checkpoints.newest(folder)) == 50


def stop_at_step_25(study, folder, monkeypatch):
    forward_backward = ILMTrainer._forward_backward

    def signalled(self, *arguments):
        self.training_state.signalled = self.state.global_step == 24
        return forward_backward(self, *arguments)

    with monkeypatch.context() as patch, contextlib.suppress(TrainingInterrupted):
        patch.setattr(ILMTrainer, "_forward_backward", signalled)
        study(folder, 1)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_one_process_stops_all_after_saving(rank, study, single, tmp_path):
    def send_signal():
        while not (tmp_path / "progress.json").exists():
            time.sleep(0.05)
        children = psutil.Process().children(recursive=True)
        by_rank = {child.environ()["RANK"]: child for child in children if child.environ().get("RANK")}
        by_rank[str(rank)].send_signal(signal.SIGUSR1)

    sender = threading.Thread(target=send_signal)
    sender.start()
    with pytest.raises(TrainingInterrupted, match="Saved at step"):
        study(tmp_path, 2)
    sender.join()
    model, _, run_info = study(tmp_path, 1)
    assert 0 < run_info["resumed_at"] < 50 and largest_difference(model, single[0]) < 1e-5


def test_an_error_in_one_process_is_that_of_the_training(study, tmp_path, monkeypatch):
    monkeypatch.setenv("ILM_CEFR_FAULT", "step:3:nan")
    with pytest.raises(FloatingPointError, match="at step 2"):
        study(tmp_path, 2)
    assert not torch.distributed.is_initialized()
