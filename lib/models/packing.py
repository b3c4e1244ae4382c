"""The examples of a step as one stream of tokens: none padded, none seeing another.

Attention takes the bounds of the examples instead of a mask. It is registered with transformers, so that any causal
language model whose attention goes through that registry can be trained with it and no model's code is repeated here.
"""

import contextlib
import inspect
import os

import numpy as np
import torch
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from transformers import AttentionInterface

from lib.models import devices

os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # to ask otherwise spoils CUDA for all forks
MULTIPLE = 128 if torch.cuda.is_available() else 1  # tokens: a GPU's streams are filled up, so that few lengths occur
WORKERS = 4  # processes that assemble a GPU's next steps
ROWS = 256  # logits computed at once on a CPU
NEW = "window_size" in inspect.signature(varlen_attn).parameters
CAUSAL = {"window_size": (-1, 0)} if NEW else {"is_causal": True}  # torch 2.11 and later, and before


def loader_workers():
    """How the Trainer is to load steps: for a GPU, ahead of time by other processes and copied while it computes."""
    if not torch.cuda.is_available():
        return {"dataloader_pin_memory": False}
    workers = {"dataloader_num_workers": WORKERS, "dataloader_prefetch_factor": 4, "dataloader_pin_memory": True}
    return workers | {"accelerator_config": {"non_blocking": True}}


def pack_examples(tokens, values):
    """Examples one behind the other, as arguments of the model and of the output layer.

    tokens, values: one array an example; values are loss weights or roles, 0 where a token is no target.
    Returns input_ids and position_ids (restarting) [1, T]; bounds int32 [examples + 1 or 2], where examples begin and
    end; longest, an int; and of the tokens to predict, [W] each: where (the position before), targets, values.
    T and W are filled up to a MULTIPLE: T with an example of zeros, W with targets of value 0.
    """
    ends = np.cumsum([len(one) for one in tokens])
    n = int(ends[-1])
    filled = n + -n % MULTIPLE
    bounds = np.unique(np.r_[0, ends, filled])
    flat = np.r_[np.concatenate(tokens).astype(np.int64), np.zeros(filled - n, np.int64)]
    value = np.concatenate(values)
    value[bounds[bounds < n]] = 0  # nothing predicts a first token
    (target,) = np.nonzero(value)
    rest = (0, -len(target) % MULTIPLE)
    return {
        "input_ids": flat[None],
        "position_ids": (np.arange(filled) - np.repeat(bounds[:-1], np.diff(bounds)))[None],
        "bounds": bounds.astype(np.int32),
        "longest": int(-(-np.diff(bounds).max() // MULTIPLE) * MULTIPLE),
        "where": np.pad(target - 1, rest),
        "targets": np.pad(flat[target], rest),
        "values": np.pad(value[target], rest),
    }


def to_tensors(batch, device="cpu"):
    """What `lay_out` returns, its arrays as torch tensors."""
    return {name: a if isinstance(a, int) else torch.as_tensor(a, device=device) for name, a in batch.items()}


def _in_window(longest, window, device):
    """What each of `longest` tokens may attend to, bool [longest, longest]: itself and the window - 1 before it."""
    place = torch.arange(longest, device=device)
    back = place[:, None] - place
    return (back >= 0) & (back < window)


def _padded_sdpa(query, key, value, bounds, longest, window, **options):
    """What varlen_attn does, for numbers of 32 bits, on a GPU: all examples at once, as rows of a padded batch."""
    place = torch.arange(len(query), dtype=bounds.dtype, device=bounds.device)
    owner = torch.searchsorted(bounds, place, right=True) - 1
    at = owner, place - bounds[owner]
    rows = [x.new_zeros(len(bounds) - 1, longest, *x.shape[1:]).index_put(at, x) for x in (query, key, value)]
    heads_first = (x.transpose(1, 2) for x in rows)
    seen = {"is_causal": True} if window is None else {"attn_mask": _in_window(longest, window, query.device)}
    out = scaled_dot_product_attention(*heads_first, **seen, **options)
    return out.transpose(1, 2)[at]


def _per_sequence_sdpa(query, key, value, bounds, longest, window, **options):
    """The same where a few large operations are no quicker than many small ones: on a CPU."""
    sizes = bounds.diff().tolist()
    found = []
    for part in zip(*(x.transpose(0, 1)[None].split(sizes, 2) for x in (query, key, value))):
        size = part[0].shape[2]
        beyond = window is not None and size > window
        seen = {"attn_mask": _in_window(size, window, query.device)} if beyond else {"is_causal": True}
        found.append(scaled_dot_product_attention(*part, **seen, **options))
    return torch.cat(found, 2)[0].transpose(0, 1)


def _varlen(query, key, value, bounds, longest, window, **options):
    if window is not None:
        options["window_size"] = (window - 1, 0)  # only torch 2.11 and later know windows
    return varlen_attn(query, key, value, bounds, bounds, longest, longest, **CAUSAL | options)


def _attention(
    module, query, key, value, attention_mask, scaling=None, bounds=None, longest=None, sliding_window=None, **other
):
    """transformers' attention interface: query, key, value [1, heads, T, width] to [1, T, heads, width].

    sliding_window: how many tokens each may attend to, itself among them, or None. There is no attention dropout, since
    varlen_attn has none. Raises ValueError where a model asks for more.
    """
    extra = [name for name in ("softcap", "s_aux", "position_bias") if other.get(name) is not None]
    if extra or bounds is None:
        raise ValueError(f"flat attention takes the bounds of examples and no {', '.join(extra) or 'padded batch'}")
    short = query.dtype in (torch.bfloat16, torch.float16) and devices.takes_head(query.shape[3])
    query, key, value = (x.squeeze(0).transpose(0, 1) for x in (query, key, value))
    options = {} if scaling in (None, query.shape[2] ** -0.5) else {"scale": scaling}
    if query.shape[1] != key.shape[1]:
        options["enable_gqa"] = True
    if not query.is_cuda:
        attend = _per_sequence_sdpa
    elif short:
        attend = _varlen
    else:
        attend = _padded_sdpa
    return attend(query, key, value, bounds, longest, sliding_window, **options)[None], None


AttentionInterface.register("flat", _attention)


@contextlib.contextmanager
def packed_attention(model):
    """Within, the model's attention is the flat one; it builds no mask, since transformers knows none for it.

    A model that reads examples alone keeps its own."""
    if reads_examples_alone(model):
        yield
        return
    before = model.config._attn_implementation
    model.config._attn_implementation = "flat"
    try:
        yield
    finally:
        model.config._attn_implementation = before


def reads_examples_alone(model):
    """Must examples go through this model one at a time? See compatibility.adapt."""
    return getattr(model, "reads_alone", False)


def losses_alone(model, batch):
    """What `token_losses` returns, by the model's own forward pass on each example."""
    where, targets = batch["where"], batch["targets"]
    found = torch.zeros(len(where), device=where.device)
    for first, stop in zip(batch["bounds"].tolist(), batch["bounds"][1:].tolist()):
        here = (where >= first) & (where < stop)
        if here.any():
            logits = model(input_ids=batch["input_ids"][:, first:stop], use_cache=False).logits[0]
            found[here] = cross_entropy(logits[where[here] - first].float(), targets[here], reduction="none")
    return found


def _states(model, batch):
    """What the output layer is given to predict each target from: float [W, width]."""
    names = ["input_ids", "position_ids", "bounds", "longest"]
    hidden = model.base_model(**{name: batch[name] for name in names}, use_cache=False).last_hidden_state
    return hidden[0, batch["where"]]


def token_losses(model, batch):
    """Cross-entropy of each target of a stream, in nats: float32 [W]. To be called within `attention`."""
    if reads_examples_alone(model):
        return losses_alone(model, batch)
    states, head = _states(model, batch), model.get_output_embeddings()
    rows = zip(states.split(ROWS), batch["targets"].split(ROWS)) if len(states) else []
    found = [cross_entropy(head(some).float(), targets, reduction="none") for some, targets in rows]
    return torch.cat(found) if found else states.new_empty(0)


def weighted_loss(model, batch, bfloat16=True):
    """ILM's loss of one optimiser step. To be called within `attention`; on a GPU, nothing here makes the host wait.

    bfloat16: on a GPU, multiply matrices in it (see devices.here); weights, sums, softmax and loss stay in float32.
    """
    short = torch.autocast("cuda", torch.bfloat16, enabled=batch["input_ids"].is_cuda and bfloat16)
    if reads_examples_alone(model):
        with short:
            return (losses_alone(model, batch) * batch["values"]).sum()
    with short:
        logits = model.get_output_embeddings()(_states(model, batch))
    return (cross_entropy(logits.float(), batch["targets"], reduction="none") * batch["values"]).sum()


def chunked_loss(model, batch):
    """`loss` for a CPU: the same number from a few rows of logits at a time."""
    head = model.get_output_embeddings()
    if reads_examples_alone(model) or head.bias is not None:
        return weighted_loss(model, batch)
    return _WeightedLoss.apply(_states(model, batch), head.weight, batch["targets"], batch["values"])


class _WeightedLoss(torch.autograd.Function):
    """sum of values * cross-entropy, from a few rows of logits at a time: whole, they are the largest array by far.

    Its gradients are found on the way, while the logits are at hand.
    """

    @staticmethod
    def forward(ctx, states, weight, targets, values):
        total, by_state, by_weight = states.new_zeros(()), torch.empty_like(states), torch.zeros_like(weight)
        for at in range(0, len(states), ROWS):
            here = slice(at, at + ROWS)
            target, value = targets[here, None], values[here, None].to(states.dtype)
            scores = states[here] @ weight.T
            norm = scores.logsumexp(1, keepdim=True)
            total += ((norm - scores.gather(1, target)) * value).sum()
            scores.sub_(norm).exp_().mul_(value).scatter_add_(1, target, -value)  # the gradient by logits
            by_weight.addmm_(scores.T, states[here])
            by_state[here] = scores @ weight
        ctx.save_for_backward(by_state, by_weight)
        return total

    @staticmethod
    def backward(ctx, by_loss):
        by_state, by_weight = ctx.saved_tensors
        return by_state * by_loss, by_weight * by_loss, None, None
