"""Attention over packed examples, registered with transformers under the name "packed".

It takes the boundaries of the examples (cu_seqlens) instead of a mask. Any causal language model whose attention goes
through transformers' registry can use it.
"""

import inspect

import torch
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from lib.models import devices

NAME = "packed"
TAKES_WINDOW_SIZE = "window_size" in inspect.signature(varlen_attn).parameters  # torch 2.11 and later
CAUSAL = {"window_size": (-1, 0)} if TAKES_WINDOW_SIZE else {"is_causal": True}


def _window_mask(length, window, device):
    """bool [length, length]: the tokens that each token may attend to, itself and the window - 1 before it."""
    position = torch.arange(length, device=device)
    distance = position[:, None] - position
    return (distance >= 0) & (distance < window)


def _padded_sdpa(query, key, value, cu_seqlens, max_seqlen, window, **options):
    """varlen_attn in float32 on a GPU: all examples at once, as rows of a padded batch."""
    token = torch.arange(len(query), dtype=cu_seqlens.dtype, device=cu_seqlens.device)
    row = torch.searchsorted(cu_seqlens, token, right=True) - 1
    cell = row, token - cu_seqlens[row]  # of each token in the padded batch
    n_rows = len(cu_seqlens) - 1
    padded = [x.new_zeros(n_rows, max_seqlen, *x.shape[1:]).index_put(cell, x) for x in (query, key, value)]
    heads_first = (x.transpose(1, 2) for x in padded)
    if window is None:
        options["is_causal"] = True
    else:
        options["attn_mask"] = _window_mask(max_seqlen, window, query.device)
    out = scaled_dot_product_attention(*heads_first, **options)
    return out.transpose(1, 2)[cell]


def _per_sequence_sdpa(query, key, value, cu_seqlens, max_seqlen, window, **options):
    """varlen_attn on a CPU: one example after the other, which is as fast there and needs no padding."""
    lengths = cu_seqlens.diff().tolist()
    per_example = (x.transpose(0, 1)[None].split(lengths, 2) for x in (query, key, value))
    outputs = []
    for length, example in zip(lengths, zip(*per_example)):
        if window is None or length <= window:
            visible = {"is_causal": True}
        else:
            visible = {"attn_mask": _window_mask(length, window, query.device)}
        outputs.append(scaled_dot_product_attention(*example, **visible, **options))
    return torch.cat(outputs, 2)[0].transpose(0, 1)


def _varlen(query, key, value, cu_seqlens, max_seqlen, window, **options):
    """varlen_attn itself: flash attention in 16 bits on a GPU."""
    if window is not None:
        options["window_size"] = (window - 1, 0)  # torch 2.11 and later
    return varlen_attn(query, key, value, cu_seqlens, cu_seqlens, max_seqlen, max_seqlen, **CAUSAL | options)


def _attention(
    module,
    query,
    key,
    value,
    attention_mask,
    scaling=None,
    cu_seqlens=None,
    max_seqlen=None,
    sliding_window=None,
    **other,
):
    """transformers' attention interface: query, key, value [1, heads, T, head_dim] to [1, T, heads, head_dim].

    sliding_window: the number of tokens that each token may attend to, itself included, or None. There is no attention
    dropout, since varlen_attn has none. Raises ValueError for options of a model that are not supported.
    """
    unsupported = [name for name in ("softcap", "s_aux", "position_bias") if other.get(name) is not None]
    if unsupported or cu_seqlens is None:
        raise ValueError(
            "packed attention needs the boundaries of the examples (cu_seqlens) and does not support "
            f"{', '.join(unsupported) or 'padded batches'}"
        )
    sixteen_bits = query.dtype in (torch.bfloat16, torch.float16)
    query, key, value = (x.squeeze(0).transpose(0, 1) for x in (query, key, value))
    n_heads, head_dim = query.shape[1:]
    options = {} if scaling in (None, head_dim**-0.5) else {"scale": scaling}
    if n_heads != key.shape[1]:
        options["enable_gqa"] = True
    if not query.is_cuda:
        attend = _per_sequence_sdpa
    elif sixteen_bits and devices.supports_head_dim(head_dim):
        attend = _varlen
    else:
        attend = _padded_sdpa
    return attend(query, key, value, cu_seqlens, max_seqlen, sliding_window, **options)[None], None


AttentionInterface.register(NAME, _attention)
