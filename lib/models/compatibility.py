"""Whether a model can read packed examples, tried before its first step; one that cannot reads them one at a time.

transformers' models differ in what they do beside attention: some leave its registry aside, carry a state from token to
token, or scale their logits. So each is tried on a few tokens rather than known by name.
"""

import numpy as np
import torch

from lib.models import packing

TOLERANCE = 1e-3  # nats a token


def check_and_adapt(model, max_length):
    """Let `model` read in the quickest way whose losses are those of its own forward pass; returns the model.

    max_length: tokens of the longest example. Its attribute `reads_alone` is set where examples go one at a time, which
    is right for any causal language model, and several times slower on short texts.
    """
    model.reads_alone = False
    training = model.training
    model.eval()
    examples = _examples(model, max_length)
    with torch.inference_mode():
        model.reads_alone = not _agree(model, examples)
    model.train(training)
    return model


def _examples(model, max_length):
    """Two unequal examples of random tokens, the first as long as any: two int arrays."""
    rng, n_tokens = np.random.default_rng(0), model.config.get_text_config().vocab_size
    return [rng.integers(n_tokens, size=max_length), rng.integers(n_tokens, size=max(2, max_length // 3))]


def _agree(model, examples):
    """Does a packed batch cost what its examples cost alone?"""
    every = [np.ones(len(example), np.float32) for example in examples]
    batch = packing.to_tensors(packing.pack_examples(examples, every), model.device)
    n = sum(map(len, examples)) - len(examples)  # what follows fills the batch up
    alone = packing.losses_alone(model, batch)[:n]
    try:
        with packing.packed_attention(model):
            packed = packing.token_losses(model, batch)[:n]
    except torch.OutOfMemoryError:
        raise
    except (ValueError, TypeError, AttributeError, RuntimeError):  # as its code takes what is strange to it
        return False
    return bool((packed - alone).abs().max() <= TOLERANCE)
