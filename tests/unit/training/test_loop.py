"""Claims about training: the start of a model, the decrease of its loss, and the weights that are saved."""

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM, set_seed

from lib.errors import IncompatibleCheckpoint, TrainingInterrupted
from lib.evaluation import scoring
from lib.experiment.files import read_json
from lib.models import compatibility, devices, initialization, loading
from lib.training import callbacks, checkpoints, loop, model_folder, trainer
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
    """The Trainer turns it off. Without restoring it, a resumed training that had ended would save another config."""
    assert read_json(trained["folder"] / "config.json")["use_cache"]


def test_training_again_gives_the_same_weights(trained, tokenizer, steps, valid, settings, tmp_path):
    set_seed(0)
    again = initialization.initial_model(settings, tokenizer, 256)
    loop.train(again, steps, valid, settings, 0, tmp_path / "checkpoints", "test", {})
    assert loading.fingerprint(again) == loading.fingerprint(trained["model"])


def test_a_transfer_model_starts_from_the_weights_of_its_base(trained, tokenizer, settings):
    started = initialization.initial_model(settings, tokenizer, 256, trained["folder"])
    assert loading.fingerprint(started) == loading.fingerprint(trained["model"])


def test_a_budget_of_0_leaves_the_initial_weights(tokenizer, index, drawing, settings, first_special, valid, tmp_path):
    no_budget = settings.model_copy(update={"max_examples": 0})
    model = initialization.initial_model(no_budget, tokenizer, 256)
    steps = Steps(index, drawing, no_budget, 0, first_special)
    before = loading.fingerprint(model)
    curve, clock = loop.train(model, steps, valid, no_budget, 0, tmp_path / "checkpoints", "test", {})
    outcome = loop.outcome(curve)
    assert loading.fingerprint(model) == before and outcome["stopped_at"] == 0
    assert outcome["valid_loss"] == outcome["start_loss"] == trainer.infill_loss(scoring.score(model, *valid))
    facts = {
        "model": "m",
        "seed": 0,
        "levels": [],
        "init_from": "scratch",
        "split_id": "s",
        "mask_hash": "m",
        "learners_known": True,
    }
    model_folder.save_model(tmp_path / "model", model, tokenizer, steps, curve, facts | outcome, clock, {})
    assert len(pd.read_parquet(tmp_path / "model/order.parquet")) == 0


def test_the_outcome_is_the_best_evaluation():
    evaluations = [(0, 3.5, 9.0), (40, 3.0, 8.0), (80, 2.0, 5.0), (120, 2.5, 6.0)]
    outcome = loop.outcome(pd.DataFrame(evaluations, columns=["examples", "valid_loss", "valid_perplexity"]))
    assert (outcome["best_at"], outcome["stopped_at"], outcome["valid_perplexity"]) == (80, 120, 5.0)
    assert outcome["start_perplexity"] == 9.0


def test_a_model_that_only_gets_worse_keeps_its_start(trained, tokenizer, steps, valid, settings, tmp_path):
    hopeless = settings.model_copy(update={"learning_rate": 0.9, "eval_every": 8, "patience": 2, "score_at": []})
    model = initialization.initial_model(settings, tokenizer, 256, trained["folder"])
    curve, _ = loop.train(model, steps, valid, hopeless, 0, tmp_path / "checkpoints", "test", {})
    outcome = loop.outcome(curve)
    assert outcome["best_at"] == 0 and outcome["stopped_at"] == 16
    assert outcome["valid_loss"] == outcome["start_loss"]
    assert loading.fingerprint(model) == loading.fingerprint(trained["model"])


def test_scores_between_evaluations_change_no_weights(trained, tokenizer, steps, valid, settings, tmp_path):
    often = settings.model_copy(update={"score_at": [8, 40, 72]})
    set_seed(0)
    model = initialization.initial_model(settings, tokenizer, 256)
    curve, _ = loop.train(model, steps, valid, often, 0, tmp_path, "test", {})
    pd.testing.assert_frame_equal(curve, trained["curve"])
    assert loading.fingerprint(model) == loading.fingerprint(trained["model"])
    scores = checkpoints.read_scores(tmp_path, often.score_at)
    loss = scores.groupby("examples")["nll_text"].sum() / scores.groupby("examples")["n_tokens"].sum()
    assert loss.index.tolist() == [8, 40, 72] and loss.is_monotonic_decreasing
    at_evaluation = curve.set_index("examples").loc[40, "valid_perplexity"]
    assert loss[40] == pytest.approx(np.log(at_evaluation))


def test_training_stops_without_progress_and_keeps_the_best_weights(tokenizer, steps, valid, settings, tmp_path):
    hopeless = settings.model_copy(update={"learning_rate": 0.9, "eval_every": 8, "patience": 2})
    model = initialization.initial_model(settings, tokenizer, 256)
    curve, _ = loop.train(model, steps, valid, hopeless, 0, tmp_path / "checkpoints", "test", {})
    outcome = loop.outcome(curve)
    assert outcome["stopped_at"] == outcome["best_at"] + 2 * 8 < 80
    assert trainer.infill_loss(scoring.score(model, *valid)) == pytest.approx(outcome["valid_loss"], abs=1e-5)


def test_a_loss_that_is_not_finite_stops_training(tokenizer, steps, valid, settings, tmp_path):
    model = initialization.initial_model(settings, tokenizer, 256)
    with torch.no_grad():
        model.transformer.ln_f.bias[0] = torch.nan
    with pytest.raises(FloatingPointError, match="at step 0"):
        loop.train(model, steps, valid, settings, 0, tmp_path / "checkpoints", "test", {})


FOUR_STEPS = {"max_examples": 32, "examples_per_step": 8, "eval_every": 16, "learning_rate": 1.0e-3}
RENAMED_ON_DISK = ["gpt_neox", "mixtral", "qwen2_moe"]  # their weights have other names on disk than in memory


@pytest.fixture(scope="module")
def train(tokenizer, steps, valid, settings):
    """train(architecture, folder): (model in memory, curve, run_info) after four steps."""

    def train(name, folder):
        set_seed(0)
        few = settings.model_copy(update=FOUR_STEPS)
        model = compatibility.check_and_adapt(architectures.tiny(name, len(tokenizer)), 128)
        steps.settings, steps.order = few, steps.order[:32]
        curve, run_info = loop.train(model, steps, valid, few, 0, folder / "checkpoints", "test", {})
        return model, curve, run_info

    return train


@pytest.mark.parametrize("name", [*RENAMED_ON_DISK, "gpt_neo", "mamba"])
def test_any_architecture_resumes_to_the_same_weights(name, train, tmp_path, monkeypatch):
    whole, curve, _ = train(name, tmp_path / "whole")
    assert curve["valid_loss"].iloc[-1] < curve["valid_loss"].iloc[0]
    on_step_end = callbacks.Checkpoints.on_step_end

    def stop_after_two(self, args, state, control, **others):
        self.training_state.should_stop = state.global_step == 2
        return on_step_end(self, args, state, control, **others)

    with monkeypatch.context() as patch, pytest.raises(TrainingInterrupted):
        patch.setattr(callbacks.Checkpoints, "on_step_end", stop_after_two)
        train(name, tmp_path / "stopped")
    resumed, _, run_info = train(name, tmp_path / "stopped")
    assert run_info["resumed_at"] == 2
    assert loading.fingerprint(resumed) == loading.fingerprint(whole)


@pytest.mark.parametrize("name", RENAMED_ON_DISK)
def test_weights_are_loaded_whatever_their_names_on_disk(name, tmp_path):
    model = architectures.tiny(name)
    model.save_pretrained(tmp_path)
    other = architectures.tiny(name)
    for weight in other.parameters():
        torch.nn.init.zeros_(weight)
    loading.load_weights(other, tmp_path / "model.safetensors")
    assert loading.fingerprint(other) == loading.fingerprint(model)


def test_bfloat16_ends_within_a_percent_of_float32s_perplexity(study, tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "current_device", lambda: devices.CPU._replace(bfloat16=True))
    trained = {}
    for precision in ["float32", "auto"]:
        trained[precision] = study(tmp_path / precision, precision=precision, dropout=0.0)
    perplexities = {name: curve["valid_perplexity"] for name, (_, curve, _) in trained.items()}
    assert trained["auto"][0] != trained["float32"][0]
    assert perplexities["auto"].tolist() == pytest.approx(perplexities["float32"].tolist(), rel=0.01)


def test_a_training_resumes_in_its_own_precision_only(study, tmp_path, monkeypatch):
    """auto would otherwise change in the middle where another machine goes on."""
    monkeypatch.setattr(devices, "current_device", lambda: devices.CPU._replace(bfloat16=True))
    study(tmp_path, precision="auto")
    monkeypatch.setattr(devices, "current_device", lambda: devices.CPU)
    with pytest.raises(IncompatibleCheckpoint, match="precision was bfloat16, is float32"):
        study(tmp_path, precision="auto")
