"""Claims about training: where a model may start from, that it learns, and that what is saved is what was learned."""

import socket
import time

import huggingface_hub
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, load_model, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    set_seed,
)

from lib.evaluation import scoring
from lib.experiment import parameters
from lib.experiment.files import read_csv, read_json
from lib.masking import frozen_masks, tokenization
from lib.models import initialization, loading
from lib.training import loop, model_folder, trainer
from lib.training.dataset import Steps

SMALL = {"examples": 80, "examples_per_step": 8, "eval_every": 40, "n_layer": 1, "n_head": 2, "n_embd": 32}


@pytest.fixture(scope="module")
def settings():
    return parameters.load("params/demo/a1.yaml").model_copy(update=SMALL)


@pytest.fixture(scope="module")
def valid(index, drawing, first_special):
    held_out = index.iloc[48:]
    return scoring.frozen_examples(held_out, frozen_masks.freeze(held_out, drawing, "mix", 1), first_special)


@pytest.fixture(scope="module")
def steps(index, drawing, settings, first_special):
    return Steps(index.iloc[:48], drawing, settings, 0, first_special)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tokenizer, steps, valid, settings):
    """Ten steps, and the folder they leave."""
    place = tmp_path_factory.mktemp("trained")
    set_seed(0)
    model = initialization.model(settings, tokenizer, 256)
    before = loading.fingerprint(model)
    curve, clock = loop.train(model, steps, valid, settings, 0, place / "checkpoints", "test", {})
    facts = {"model": "a1", "seed": 0, "levels": ["A1"], "init_from": "scratch", "split_id": "s", "mask_hash": "m",
             "learners_known": True}
    facts |= loop.outcome(curve) | {"fingerprint": loading.fingerprint(model)}
    model_folder.save(place / "model", model, tokenizer, steps, curve, facts, clock, {})
    return {"folder": place / "model", "model": model, "before": before, "curve": curve}


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


def test_the_folder_says_what_was_done(trained, tokenizer, steps):
    folder = trained["folder"]
    facts, order = read_json(folder / "train.json"), pd.read_parquet(folder / "order.parquet")
    assert facts["examples_seen"] == len(order) == 80 and facts["tokens_seen"] == steps.tokens(80)
    assert set(order["text_id"]) <= set(range(48))
    assert AutoTokenizer.from_pretrained(folder).get_vocab() == tokenizer.get_vocab()
    assert read_csv(folder / "curve.csv")["valid_loss"].tolist() == trained["curve"]["valid_loss"].tolist()
    assert f"{facts['valid_perplexity']:.2f}" in (folder / "README.md").read_text(encoding="utf-8")


def test_training_again_gives_the_same_weights(trained, tokenizer, steps, valid, settings, tmp_path):
    set_seed(0)
    again = initialization.model(settings, tokenizer, 256)
    loop.train(again, steps, valid, settings, 0, tmp_path / "checkpoints", "test", {})
    assert loading.fingerprint(again) == loading.fingerprint(trained["model"])


def test_a_transfer_model_starts_from_the_weights_of_its_base(trained, tokenizer, settings):
    started = initialization.model(settings, tokenizer, 256, trained["folder"])
    assert loading.fingerprint(started) == loading.fingerprint(trained["model"])


@pytest.mark.parametrize("rate", [4.0e-3, 0.9])
def test_weights_kept_on_the_way_are_those_of_a_run_stopped_there(
    rate, tokenizer, index, drawing, settings, first_special, valid, tmp_path
):
    """... also where training goes astray (rate .9): then the best look lies before, and training ends before."""
    looks = {"learning_rate": rate, "eval_every": 8, "patience": 2, "keep_at": {"A1": 32, "A2": 72}}
    found = {}
    for examples in (80, 32, 72):
        one = settings.model_copy(update=looks | {"examples": examples} | ({} if examples == 80 else {"keep_at": {}}))
        set_seed(0)
        model = initialization.model(one, tokenizer, 256)
        steps = Steps(index.iloc[:48], drawing, one, 0, first_special)
        loop.train(model, steps, valid, one, 0, tmp_path / str(examples), "test", {})
        found[examples] = loading.fingerprint(model)
        for level, weights in model_folder.kept(tmp_path / "80", one).items():
            load_model(model, weights)
            found[level] = loading.fingerprint(model)
    assert (found["A1"], found["A2"]) == (found[32], found[72])
    assert (found["A1"] != found["A2"]) == (rate < 0.1)


def test_kept_weights_that_are_damaged_are_refused(
    tmp_path, tokenizer, index, drawing, valid, settings, first_special
):
    one = settings.model_copy(update={"keep_at": {"A1": 40}})
    model, steps = initialization.model(one, tokenizer, 256), Steps(index.iloc[:48], drawing, one, 0, first_special)
    loop.train(model, steps, valid, one, 0, tmp_path, "test", {})
    file = model_folder.kept(tmp_path, one)["A1"]
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="kept-5 is damaged"):
        model_folder.kept(tmp_path, one)


def test_an_untuned_model_stays_as_it_began(tokenizer, index, drawing, settings, first_special, valid, tmp_path):
    untuned = settings.model_copy(update={"examples": 0})
    model, steps = initialization.model(untuned, tokenizer, 256), Steps(index, drawing, untuned, 0, first_special)
    before = loading.fingerprint(model)
    curve, clock = loop.train(model, steps, valid, untuned, 0, tmp_path / "checkpoints", "test", {})
    came_to = loop.outcome(curve)
    assert loading.fingerprint(model) == before and came_to["stopped_at"] == 0
    assert came_to["valid_loss"] == came_to["start_loss"] == trainer.infill_loss(scoring.score(model, *valid))
    facts = {"model": "m", "seed": 0, "levels": [], "init_from": "scratch", "split_id": "s", "mask_hash": "m",
             "learners_known": True}
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


def test_no_training_text_is_refused_and_not_waited_for(index, drawing, settings, first_special):
    with pytest.raises(ValueError, match="0 training texts"):
        Steps(index.iloc[:0], drawing, settings, 0, first_special)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A model laid out as GPT-2 is: byte tokens, one merge, <|endoftext|> as the last id, no special token of ILM."""
    folder = tmp_path_factory.mktemp("base")
    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "Ġl", "<|endoftext|>"]
    coder = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=[("Ġ", "l")]))
    coder.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    end = tokens[-1]
    PreTrainedTokenizerFast(tokenizer_object=coder, bos_token=end, eos_token=end).save_pretrained(folder)
    size = {"n_layer": 1, "n_head": 2, "n_embd": 32, "n_positions": 256}
    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokens), **size)).save_pretrained(folder)
    return folder


def test_a_base_gets_seven_new_embeddings_behind_its_own(base, settings):
    coder = tokenization.tokenizer(str(base), None, None)
    n_tokens = len(AutoTokenizer.from_pretrained(base))
    types = [f"<|infill_{name}|>" for name in ["document", "paragraph", "sentence", "ngram", "word"]]
    added = ["<|startofinfill|>", "<|endofinfill|>", *types]
    assert coder.convert_tokens_to_ids(added) == list(range(n_tokens, n_tokens + 7))
    before, after = AutoModelForCausalLM.from_pretrained(base), initialization.model(settings, coder, 256, base)
    assert after.get_input_embeddings().weight.shape[0] == after.config.vocab_size == n_tokens + 7
    assert torch.equal(after.get_input_embeddings().weight[:n_tokens], before.get_input_embeddings().weight)
    assert after.get_output_embeddings().weight is after.get_input_embeddings().weight
    assert after.config.attn_pdrop == settings.dropout


def test_a_base_with_another_vocabulary_is_refused(base, settings, tokenizer):
    with pytest.raises(ValueError, match=r"disagree on \d+ of \d+ tokens"):
        initialization.model(settings, tokenizer, 256, base)


def test_a_base_that_takes_too_few_tokens_is_refused(base, settings):
    with pytest.raises(ValueError, match="takes 256 tokens, but masks.yaml says max_length: 512"):
        initialization.model(settings, tokenization.tokenizer(str(base), None, None), 512, base)


def test_a_base_that_is_not_there_is_refused_with_the_ways_to_get_one(settings, tokenizer):
    with pytest.raises(ValueError, match="init_from: no/such/folder is no trained model"):
        initialization.model(settings, tokenizer, 256, "no/such/folder")


def test_without_a_network_a_missing_base_or_tokenizer_is_said_so_at_once(settings, tokenizer, monkeypatch):
    def unreachable(*_, **__):
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)  # and so again afterwards
    began = time.monotonic()
    with pytest.raises(ValueError, match="init_from: nobody/nothing is no trained model(.|\n)*HF_HUB_OFFLINE=1"):
        initialization.model(settings, tokenizer, 256, "nobody/nothing")
    with pytest.raises(ValueError, match="tokenizer: nobody/nothing is no folder(.|\n)*HF_HUB_OFFLINE=1"):
        tokenization.tokenizer("nobody/nothing", None, None)
    assert time.monotonic() - began < 5


def test_a_base_that_lacks_weights_is_refused(base, settings, tmp_path):
    for file in base.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(base / "model.safetensors")
    del weights["transformer.h.0.mlp.c_fc.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="lacks weights: transformer.h.0.mlp.c_fc.weight"):
        initialization.model(settings, tokenization.tokenizer(str(tmp_path), None, None), 256, tmp_path)


class Acting:
    """What acts when it is unpickled."""

    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was opened')",)


def test_a_base_whose_weights_are_a_pickle_is_refused_unopened(base, settings, tmp_path):
    for file in base.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save({"transformer.wte.weight": Acting()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match="no model.safetensors that can be read"):
        initialization.model(settings, tokenization.tokenizer(str(tmp_path), None, None), 256, tmp_path)
