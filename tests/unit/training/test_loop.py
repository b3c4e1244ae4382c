"""Claims about training: where a model may start from, that it learns, and that what is saved is what was learned."""

import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM, set_seed

from lib.errors import TrainingInterrupted
from lib.evaluation import scoring
from lib.experiment.files import read_json
from lib.models import compatibility, initialization, loading
from lib.training import callbacks, loop, model_folder, trainer
from lib.training.dataset import Steps
from tests.helpers import architectures


def test_training_lowers_the_valid_loss(trained):
    curve = trained["curve"]
    assert curve["examples"].tolist() == [0, 40, 80]
    losses = curve["valid_loss"].tolist()
    assert losses[0] > losses[1] > losses[2] and losses[2] < losses[0] - 0.2


def test_the_saved_model_is_the_one_in_memory_and_not_step_0(trained, valid):
    loaded = AutoModelForCausalLM.from_pretrained(trained["folder"])
    losses = [trainer.infill_loss(scoring.score(model, *valid)) for model in (loaded, trained["model"])]
    assert losses[0] == losses[1] == pytest.approx(trained["curve"]["valid_loss"].min(), abs=1e-5)
    assert loading.fingerprint(loaded) != trained["before"]


def test_training_leaves_the_cache_of_a_model_on(trained):
    """The Trainer turns it off; who goes on from an ended training would leave another config than who trained."""
    assert read_json(trained["folder"] / "config.json")["use_cache"]


def test_training_again_gives_the_same_weights(trained, tokenizer, steps, valid, settings, tmp_path):
    set_seed(0)
    again = initialization.initial_model(settings, tokenizer, 256)
    loop.train(again, steps, valid, settings, 0, tmp_path / "checkpoints", "test", {})
    assert loading.fingerprint(again) == loading.fingerprint(trained["model"])


def test_a_transfer_model_starts_from_the_weights_of_its_base(trained, tokenizer, settings):
    started = initialization.initial_model(settings, tokenizer, 256, trained["folder"])
    assert loading.fingerprint(started) == loading.fingerprint(trained["model"])


def test_an_untuned_model_stays_as_it_began(tokenizer, index, drawing, settings, first_special, valid, tmp_path):
    untuned = settings.model_copy(update={"max_examples": 0})
    model, steps = (
        initialization.initial_model(untuned, tokenizer, 256),
        Steps(index, drawing, untuned, 0, first_special),
    )
    before = loading.fingerprint(model)
    curve, clock = loop.train(model, steps, valid, untuned, 0, tmp_path / "checkpoints", "test", {})
    came_to = loop.outcome(curve)
    assert loading.fingerprint(model) == before and came_to["stopped_at"] == 0
    assert came_to["valid_loss"] == came_to["start_loss"] == trainer.infill_loss(scoring.score(model, *valid))
    facts = {
        "model": "m",
        "seed": 0,
        "levels": [],
        "init_from": "scratch",
        "split_id": "s",
        "mask_hash": "m",
        "learners_known": True,
    }
    model_folder.save_model(tmp_path / "model", model, tokenizer, steps, curve, facts | came_to, clock, {})
    assert len(pd.read_parquet(tmp_path / "model/order.parquet")) == 0


def test_the_best_look_counts_and_the_start_does_not():
    looks = [(0, 1.0, 2.0), (40, 3.0, 8.0), (80, 2.0, 5.0), (120, 2.5, 6.0)]
    came_to = loop.outcome(pd.DataFrame(looks, columns=["examples", "valid_loss", "valid_perplexity"]))
    assert (came_to["best_at"], came_to["stopped_at"], came_to["valid_perplexity"]) == (80, 120, 5.0)
    assert came_to["start_perplexity"] == 2.0


def test_training_stops_without_progress_and_keeps_the_best_weights(tokenizer, steps, valid, settings, tmp_path):
    hopeless = settings.model_copy(update={"learning_rate": 0.9, "eval_every": 8, "patience": 2})
    model = initialization.initial_model(settings, tokenizer, 256)
    curve, _ = loop.train(model, steps, valid, hopeless, 0, tmp_path / "checkpoints", "test", {})
    came_to = loop.outcome(curve)
    assert came_to["stopped_at"] == came_to["best_at"] + 2 * 8 < 80
    assert trainer.infill_loss(scoring.score(model, *valid)) == pytest.approx(came_to["valid_loss"], abs=1e-5)


def test_a_loss_that_is_no_number_stops_training(tokenizer, steps, valid, settings, tmp_path):
    model = initialization.initial_model(settings, tokenizer, 256)
    with torch.no_grad():
        model.transformer.ln_f.bias[0] = torch.nan
    with pytest.raises(FloatingPointError, match="at step 0"):
        loop.train(model, steps, valid, settings, 0, tmp_path / "checkpoints", "test", {})


FEW = {"max_examples": 32, "examples_per_step": 8, "eval_every": 16, "learning_rate": 1.0e-3}
SAVED_OTHERWISE = ["gpt_neox", "mixtral", "qwen2_moe"]  # their weights have other names on the disk than in memory


@pytest.fixture(scope="module")
def train(tokenizer, steps, valid, settings):
    """Train a base for four steps; returns the model as it stands in memory."""

    def train(name, folder):
        set_seed(0)
        few = settings.model_copy(update=FEW)
        model = compatibility.check_and_adapt(architectures.tiny(name, len(tokenizer)), 128)
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

    with monkeypatch.context() as patch, pytest.raises(TrainingInterrupted):
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
