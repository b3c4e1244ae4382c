"""Claims about the trainer: what stops it, what it saves before, and what it does when memory runs out."""

import signal

import pytest

from lib.errors import TrainingInterrupted
from lib.experiment import fault_injection
from lib.training import checkpoints
from lib.training.trainer import WARNINGS, ILMTrainer
from tests.helpers.killed_training import equal


@pytest.mark.parametrize("number", WARNINGS)
def test_a_warned_training_saves_at_once_and_ends_as_if_it_were_not(
    number, study, whole, tmp_path, monkeypatch
):
    one, steps = ILMTrainer._one, []

    def warned(self, *batch):
        steps.append(self.state.global_step)
        if steps in ([0], [*range(8)]):  # before the first look, and between two
            signal.raise_signal(number)
        return one(self, *batch)

    monkeypatch.setattr(ILMTrainer, "_one", warned)
    before = signal.getsignal(number)
    for at in [1, 8]:
        with pytest.raises(TrainingInterrupted, match=f"Saved at step {at}"):
            study(tmp_path)
    again = study(tmp_path)
    assert equal(again, whole) and again[2]["resumed_at"] == 8 and signal.getsignal(number) == before


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(study, tmp_path, monkeypatch):
    monkeypatch.setenv(fault_injection.VARIABLE, "step:8:nan")
    monkeypatch.setattr(fault_injection, "_times", {})
    with pytest.raises(FloatingPointError, match="at step 7"):
        study(tmp_path)
    assert checkpoints.step(checkpoints.newest(tmp_path)) == 6


def test_when_memory_runs_out_the_step_is_cut_and_no_example_is_lost(study, whole, tmp_path, monkeypatch):
    monkeypatch.setenv(fault_injection.VARIABLE, "step:5:oom")
    monkeypatch.setattr(fault_injection, "_times", {})
    _, curve, how = study(tmp_path, dropout=0.0)
    monkeypatch.delenv(fault_injection.VARIABLE)
    _, undisturbed, usual = study(tmp_path / "whole", dropout=0.0)
    assert (how["micro_batches"], usual["micro_batches"]) == (2, 1)
    assert curve["examples"].tolist() == undisturbed["examples"].tolist()
    assert (curve - undisturbed).abs().max().max() < 1e-3  # the sums are the same, rounded in another order


def test_memory_that_always_runs_out_is_said_after_the_last_halving(study, tmp_path, monkeypatch):
    monkeypatch.setenv(fault_injection.VARIABLE, "step:0:oom")
    with pytest.raises(MemoryError, match="one example at a time"):
        study(tmp_path)
