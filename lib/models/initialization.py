"""A model before its first step: from scratch, or from a base whose size, weights and vocabulary fit."""

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GPT2Config

from lib import hub
from lib.masking.examples import SPECIALS
from lib.models import compatibility, loading

GPT2_DROPOUTS = ["resid_pdrop", "embd_pdrop", "attn_pdrop"]
DROPOUTS = [*GPT2_DROPOUTS, "attention_dropout", "hidden_dropout"]  # as other architectures call them


def initial_model(settings, tokenizer, max_length, base=None):
    """A model before its first step: from scratch, or from `base`, a folder or Hugging Face name.

    A base without the seven special tokens gets new embeddings for them. Raises ValueError if the base cannot be
    found, lacks weights, takes fewer than max_length tokens, or has another vocabulary than the tokenizer.
    """
    loading.silence_transformers()
    if base is None:
        model = _from_scratch(settings, tokenizer, max_length)
    else:
        model = _from_base(settings, tokenizer, max_length, hub.resolve(base))
    return compatibility.check_and_adapt(model, max_length)


def _from_base(settings, tokenizer, max_length, base):
    config = _load_config(base)
    _check_base(base, config, tokenizer, max_length)
    dropouts = {name: settings.dropout for name in DROPOUTS if hasattr(config, name)}
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            base,
            dtype=torch.float32,
            output_loading_info=True,
            use_safetensors=True,  # a pickle could run code
            trust_remote_code=False,
            **dropouts,
        )
    except OSError as error:
        raise ValueError(
            f"init_from: {base} has no model.safetensors that can be read; other formats may contain code and are not "
            "opened. Choose a base that has one, or convert it where you trust it."
        ) from error
    if report["missing_keys"]:  # transformers would replace them by random numbers
        raise ValueError(f"{base} lacks weights: {', '.join(sorted(report['missing_keys']))}")
    if config.vocab_size < len(tokenizer):
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    return model


def _from_scratch(settings, tokenizer, max_length):
    """A small GPT-2 whose initial weights are scaled to its width: GPT-2's own standard deviation suits 768."""
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=max_length,
        n_layer=settings.n_layer,
        n_head=settings.n_head,
        n_embd=settings.n_embd,
        initializer_range=0.02 * (768 / settings.n_embd) ** 0.5,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        activation_function="gelu_pytorch_tanh",  # GPT-2's gelu_new in one operation instead of eight
        **dict.fromkeys(GPT2_DROPOUTS, settings.dropout),
    )
    model = AutoModelForCausalLM.from_config(config)
    embeddings = model.get_input_embeddings().weight
    torch.nn.init.normal_(embeddings, std=settings.n_embd**-0.5)  # a token's vector has an expected squared norm of 1
    return model


def _load_config(base):
    return hub.load_pretrained(
        AutoConfig,
        base,
        f"init_from: {base} is no trained model of this experiment, no model folder, and "
        "not available from Hugging Face. Train it first (03_train), give the path of a folder",
    )


def _check_base(base, config, tokenizer, max_length):
    available = loading.max_positions(config)
    if available < max_length:
        raise ValueError(
            f"{base} takes {available} tokens, but masks.yaml says max_length: {max_length}. "
            f"Set max_length to {available} or less, or choose another base."
        )
    base_vocabulary = AutoTokenizer.from_pretrained(base).get_vocab()
    differing = []
    for token, token_id in tokenizer.get_vocab().items():
        expected = token_id if token in SPECIALS else None  # special tokens may be new
        if base_vocabulary.get(token, expected) != token_id:
            differing.append(token)
    if differing:
        raise ValueError(
            f"{base} and the tokenizer of 02_mask disagree on {len(differing)} of {len(tokenizer)} tokens. "
            f"Set tokenizer: {base} in masks.yaml, so that both use the base's tokenizer."
        )
