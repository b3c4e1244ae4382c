"""Claims about the trainer: what stops it, what it has saved by then, and how it reacts when memory runs out."""

import signal

import pytest

from lib.errors import TrainingInterrupted
from lib.experiment import fault_injection
from lib.training import checkpoints
from lib.training.trainer import STOP_SIGNALS, ILMTrainer
from tests.helpers.killed_training import equal


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_stopped_training_saves_at_once_and_resumes(number, study, whole, tmp_path, monkeypatch):
    forward_backward = ILMTrainer._forward_backward
    steps = []

    def signalled(self, *arguments):
        steps.append(self.state.global_step)
        if steps in ([0], [*range(8)]):  # before the first evaluation, and between two
            signal.raise_signal(number)
        return forward_backward(self, *arguments)

    monkeypatch.setattr(ILMTrainer, "_forward_backward", signalled)
    handler = signal.getsignal(number)
    for step in [1, 8]:
        with pytest.raises(TrainingInterrupted, match=f"Saved at step {step}"):
            study(tmp_path)
    resumed = study(tmp_path)
    assert equal(resumed, whole) and resumed[2]["resumed_at"] == 8 and signal.getsignal(number) == handler


def test_a_loss_that_is_not_finite_stops_and_keeps_checkpoints(study, tmp_path, monkeypatch):
    monkeypatch.setenv(fault_injection.VARIABLE, "step:8:nan")
    monkeypatch.setattr(fault_injection, "_visits", {})
    with pytest.raises(FloatingPointError, match="at step 7"):
        study(tmp_path)
    assert checkpoints.step(checkpoints.newest(tmp_path)) == 6


def test_when_memory_runs_out_batches_are_halved_without_loss(study, whole, tmp_path, monkeypatch):
    monkeypatch.setenv(fault_injection.VARIABLE, "step:5:oom")
    monkeypatch.setattr(fault_injection, "_visits", {})
    _, curve, run_info = study(tmp_path, dropout=0.0)
    monkeypatch.delenv(fault_injection.VARIABLE)
    _, expected, usual_info = study(tmp_path / "whole", dropout=0.0)
    assert (run_info["micro_batches"], usual_info["micro_batches"]) == (2, 1)
    assert curve["examples"].tolist() == expected["examples"].tolist()
    assert (curve - expected).abs().max().max() < 1e-3  # the same sums, rounded in another order


def test_too_little_memory_is_reported_after_the_last_halving(study, tmp_path, monkeypatch):
    monkeypatch.setenv(fault_injection.VARIABLE, "step:0:oom")
    with pytest.raises(MemoryError, match="one example at a time"):
        study(tmp_path)
