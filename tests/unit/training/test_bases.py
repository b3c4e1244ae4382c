"""Claims about bases of many architectures: they train, are cut off, go on, and load as they ended."""

import pytest
import torch
from transformers import set_seed

from lib.errors import CutOff
from lib.models import compatibility, loading
from lib.training import callbacks, loop
from tests.helpers import architectures

FEW = {"examples": 32, "examples_per_step": 8, "eval_every": 16, "learning_rate": 1.0e-3}
SAVED_OTHERWISE = ["gpt_neox", "mixtral", "qwen2_moe"]  # their weights have other names on the disk than in memory


@pytest.fixture(scope="module")
def train(tokenizer, steps, valid, settings):
    """Train a base for four steps; returns the model as it stands in memory."""

    def train(name, folder):
        set_seed(0)
        few = settings.model_copy(update=FEW)
        model = compatibility.adapt(architectures.tiny(name, len(tokenizer)), 128)
        steps.settings, steps.order = few, steps.order[:32]
        curve, clock = loop.train(model, steps, valid, few, 0, folder / "checkpoints", "test", {})
        return model, curve, clock

    return train


@pytest.mark.parametrize("name", [*SAVED_OTHERWISE, "gpt_neo", "mamba"])
def test_a_base_cut_off_goes_on_to_the_same_weights(name, train, tmp_path, monkeypatch):
    whole, curve, _ = train(name, tmp_path / "whole")
    assert curve["valid_loss"].iloc[-1] < curve["valid_loss"].iloc[0]
    on_step_end = callbacks.Checkpoints.on_step_end

    def end_after_two(self, args, state, control, **others):
        self.course.told_to_end = state.global_step == 2
        return on_step_end(self, args, state, control, **others)

    with monkeypatch.context() as patch, pytest.raises(CutOff):
        patch.setattr(callbacks.Checkpoints, "on_step_end", end_after_two)
        train(name, tmp_path / "cut")
    again, _, how = train(name, tmp_path / "cut")
    assert how["resumed_at"] == 2
    assert loading.fingerprint(again) == loading.fingerprint(whole)


@pytest.mark.parametrize("name", SAVED_OTHERWISE)
def test_weights_return_whatever_they_are_called_on_disk(name, tmp_path):
    model = architectures.tiny(name)
    model.save_pretrained(tmp_path)
    other = architectures.tiny(name)
    for weight in other.parameters():
        torch.nn.init.zeros_(weight)
    loading.load_weights(other, tmp_path / "model.safetensors")
    assert loading.fingerprint(other) == loading.fingerprint(model)
