"""Does a model support packed examples? Tested before its first step; if it does not, it reads them one at a time.

The models of transformers differ in what they do beside attention: some bypass its registry, carry a state from token
to token, or scale their logits. So each model is tested on a few tokens; there is no list of names.
"""

import numpy as np
import torch

from lib.models import packing

TOLERANCE = 1e-3  # nats per token


def check_and_adapt(model, max_length):
    """Let `model` read in the fastest way that reproduces the losses of its own forward pass. Returns the model.

    max_length: tokens of the longest example. Sets the model's attribute `supports_packing`. Where it is False,
    examples are read one at a time. This is correct for any causal language model, and several times slower on short
    texts.
    """
    model.supports_packing = True
    was_training = model.training
    model.eval()
    examples = _random_examples(model, max_length)
    with torch.inference_mode():
        model.supports_packing = _losses_agree(model, examples)
    model.train(was_training)
    return model


def _random_examples(model, max_length):
    """Two int arrays of random tokens: one of max_length tokens, and one a third as long."""
    rng = np.random.default_rng(0)
    n_tokens = model.config.get_text_config().vocab_size
    return [rng.integers(n_tokens, size=max_length), rng.integers(n_tokens, size=max(2, max_length // 3))]


def _losses_agree(model, examples):
    """Are the losses of the packed examples those of each example in a batch of its own?"""
    weights = [np.ones(len(example), np.float32) for example in examples]
    batch = packing.to_tensors(packing.pack_examples(examples, weights), model.device)
    n_targets = sum(map(len, examples)) - len(examples)  # the remaining targets are padding
    expected = packing.per_example_losses(model, batch)[:n_targets]
    try:
        with packing.packed_attention(model):
            packed = packing.token_losses(model, batch)[:n_targets]
    except torch.OutOfMemoryError:
        raise
    except (ValueError, TypeError, AttributeError, RuntimeError):  # raised by models that do not know these arguments
        return False
    return bool((packed - expected).abs().max() <= TOLERANCE)
