"""Claims about training: where a model may start from, that it learns, and that what is saved is what was learned."""

import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM, set_seed

from lib.evaluation import scoring
from lib.experiment.files import read_json
from lib.models import initialization, loading
from lib.training import loop, model_folder, trainer
from lib.training.dataset import Steps


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
    again = initialization.model(settings, tokenizer, 256)
    loop.train(again, steps, valid, settings, 0, tmp_path / "checkpoints", "test", {})
    assert loading.fingerprint(again) == loading.fingerprint(trained["model"])


def test_a_transfer_model_starts_from_the_weights_of_its_base(trained, tokenizer, settings):
    started = initialization.model(settings, tokenizer, 256, trained["folder"])
    assert loading.fingerprint(started) == loading.fingerprint(trained["model"])


def test_an_untuned_model_stays_as_it_began(tokenizer, index, drawing, settings, first_special, valid, tmp_path):
    untuned = settings.model_copy(update={"examples": 0})
    model, steps = initialization.model(untuned, tokenizer, 256), Steps(index, drawing, untuned, 0, first_special)
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
    model_folder.save(tmp_path / "model", model, tokenizer, steps, curve, facts | came_to, clock, {})
    assert len(pd.read_parquet(tmp_path / "model/order.parquet")) == 0


def test_the_best_look_counts_and_the_start_does_not():
    looks = [(0, 1.0, 2.0), (40, 3.0, 8.0), (80, 2.0, 5.0), (120, 2.5, 6.0)]
    came_to = loop.outcome(pd.DataFrame(looks, columns=["examples", "valid_loss", "valid_perplexity"]))
    assert (came_to["best_at"], came_to["stopped_at"], came_to["valid_perplexity"]) == (80, 120, 5.0)
    assert came_to["start_perplexity"] == 2.0


def test_training_stops_without_progress_and_keeps_the_best_weights(tokenizer, steps, valid, settings, tmp_path):
    hopeless = settings.model_copy(update={"learning_rate": 0.9, "eval_every": 8, "patience": 2})
    model = initialization.model(settings, tokenizer, 256)
    curve, _ = loop.train(model, steps, valid, hopeless, 0, tmp_path / "checkpoints", "test", {})
    came_to = loop.outcome(curve)
    assert came_to["stopped_at"] == came_to["best_at"] + 2 * 8 < 80
    assert trainer.infill_loss(scoring.score(model, *valid)) == pytest.approx(came_to["valid_loss"], abs=1e-5)


def test_a_loss_that_is_no_number_stops_training(tokenizer, steps, valid, settings, tmp_path):
    model = initialization.model(settings, tokenizer, 256)
    with torch.no_grad():
        model.transformer.ln_f.bias[0] = torch.nan
    with pytest.raises(FloatingPointError, match="at step 0"):
        loop.train(model, steps, valid, settings, 0, tmp_path / "checkpoints", "test", {})
