"""Where a model starts: from scratch, or from a base whose sizes, weights and vocabulary fit."""

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GPT2Config

from lib import hub
from lib.masking.examples import SPECIALS
from lib.models import compatibility, loading

DROPOUTS = ["resid_pdrop", "embd_pdrop", "attn_pdrop", "attention_dropout", "hidden_dropout"]  # by architecture


def initial_model(settings, tokenizer, max_length, base=None):
    """A model before its first step: from scratch, or from `base`, a folder or Hugging Face name.

    A base without the seven special tokens gets new embeddings for them. Raises ValueError when the base cannot be
    found or lacks weights, takes fewer than max_length tokens, or has another vocabulary than the tokenizer.
    """
    loading.silence_transformers()
    if base is None:
        started = _scratch(settings, tokenizer, max_length)
    else:
        started = _pretrained(settings, tokenizer, max_length, hub.resolve(base))
    return compatibility.check_and_adapt(started, max_length)


def _pretrained(settings, tokenizer, max_length, base):
    config = _config(base)
    _check_base(base, config, tokenizer, max_length)
    dropouts = {name: settings.dropout for name in DROPOUTS if hasattr(config, name)}
    how = {"dtype": torch.float32, "output_loading_info": True, "use_safetensors": True, "trust_remote_code": False}
    try:
        started, found = AutoModelForCausalLM.from_pretrained(base, **how, **dropouts)  # no pickle, nobody's code
    except OSError as error:
        raise ValueError(
            f"init_from: {base} has no model.safetensors that can be read; other formats may hold code and are not "
            "opened. Take a base that has one, or convert it where you trust it."
        ) from error
    if found["missing_keys"]:  # transformers would go on with random numbers in their place
        raise ValueError(f"{base} lacks weights: {', '.join(sorted(found['missing_keys']))}")
    if config.vocab_size < len(tokenizer):
        started.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    return started


def _scratch(settings, tokenizer, max_length):
    """A small GPT-2 with first weights fit for its width: GPT-2's own are meant for 768 numbers a token (README)."""
    sizes = {name: getattr(settings, name) for name in ["n_layer", "n_head", "n_embd"]}
    dropouts = dict.fromkeys(DROPOUTS[:3], settings.dropout)
    spread = 0.02 * (768 / settings.n_embd) ** 0.5
    end = tokenizer.eos_token_id
    places = {"n_positions": max_length, "bos_token_id": end, "eos_token_id": end}
    places["activation_function"] = "gelu_pytorch_tanh"  # GPT-2's gelu_new in one operation instead of eight
    config = GPT2Config(vocab_size=len(tokenizer), initializer_range=spread, **places, **sizes, **dropouts)
    model = AutoModelForCausalLM.from_config(config)
    torch.nn.init.normal_(model.get_input_embeddings().weight, std=settings.n_embd**-0.5)  # a token has length 1
    return model


def _config(base):
    return hub.load_pretrained(
        AutoConfig,
        base,
        f"init_from: {base} is no trained model of this experiment, no model folder, and "
        "not to be had from Hugging Face. Train it first (03_train), give the path of a folder",
    )


def _check_base(base, config, tokenizer, max_length):
    if loading.max_positions(config) < max_length:
        raise ValueError(
            f"{base} takes {loading.max_positions(config)} tokens, but masks.yaml says max_length: {max_length}. "
            f"Set max_length to {loading.max_positions(config)} or less, or choose another base."
        )
    known = AutoTokenizer.from_pretrained(base).get_vocab()
    foreign = [t for t, i in tokenizer.get_vocab().items() if known.get(t, i if t in SPECIALS else None) != i]
    if foreign:
        raise ValueError(
            f"{base} and the tokenizer of 02_mask disagree on {len(foreign)} of {len(tokenizer)} tokens. "
            f"Set tokenizer: {base} in masks.yaml, so that both are the base's own."
        )
