"""Claims about packed attention: it refuses a batch without boundaries, and its GPU kernel accepts its arguments."""

import numpy as np
import pytest
import torch
from torch.nn.attention.varlen import varlen_attn
from transformers import GPT2Config, GPT2LMHeadModel

from lib.models import attention, packing


@pytest.fixture
def examples():
    """Token ids of three examples, and a loss weight for each token."""
    rng = np.random.default_rng(0)
    tokens = [rng.integers(512, size=n).astype(np.int32) for n in (40, 90, 25)]
    return tokens, [np.ones(len(example), np.float32) for example in tokens]


def test_packed_attention_refuses_a_padded_batch(model, examples):
    with packing.packed_attention(model), pytest.raises(ValueError, match="boundaries of the examples"):
        model(torch.tensor(examples[0][0][None].astype(int)))
    model(torch.tensor(examples[0][0][None].astype(int)))  # outside the context, its own attention


@pytest.mark.parametrize("window", [None, 32])
def test_varlen_attn_accepts_its_arguments(examples, monkeypatch, window):
    """Without a GPU: shapes and dtypes only, forward and backward, as torch declares them for its kernel."""
    calls = []

    def spy(query, key, value, *boundaries, **options):
        calls.append((query.dtype, options))
        return varlen_attn(query, key, value, *boundaries, **options)

    def in_window(*tensors, **options):
        return attention._varlen(*tensors[:5], window, **options)

    monkeypatch.setattr(attention, "varlen_attn", spy)
    monkeypatch.setattr(attention, "_per_sequence_sdpa", in_window)
    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config(vocab_size=512, n_layer=2, n_head=2, n_embd=32)).bfloat16()
    with packing.packed_attention(model):
        batch = packing.to_tensors(packing.pack_examples(*examples), "meta")
        packing.weighted_loss(model, batch).backward()
    expected = (-1, 0) if window is None else (window - 1, 0)
    assert calls == [(torch.bfloat16, {"window_size": expected})] * 2
    assert all(p.grad is not None for p in model.parameters())
