"""Packing: the examples of a step as one sequence without padding, in which no example attends to another.

`pack_examples` makes such a batch, and the losses here are computed from it, within `packed_attention`.
"""

import contextlib
import os

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from lib.models import attention
from lib.models.bfloat16 import BFloat16Products

os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # any other check of CUDA makes it unusable in forks
PAD_TO_MULTIPLE = 128 if torch.cuda.is_available() else 1  # tokens: on a GPU, so that few different lengths occur
WORKERS = 4  # processes that assemble a GPU's next steps
LOGIT_ROWS = 256  # rows of logits computed at once on a CPU


def loader_workers():
    """The Trainer's arguments for loading steps: for a GPU, in other processes and copied while it computes."""
    if not torch.cuda.is_available():
        return {"dataloader_pin_memory": False}
    return {
        "dataloader_num_workers": WORKERS,
        "dataloader_prefetch_factor": 4,
        "dataloader_pin_memory": True,
        "accelerator_config": {"non_blocking": True},
    }


def pack_examples(tokens, loss_weights):
    """Examples concatenated to one sequence, as arguments of the model and of the loss.

    tokens, loss_weights: one array per example; a weight is 0 where a token is no target. `scoring` passes the tokens'
    roles as weights.

    Returns a dict. For the model: input_ids and position_ids (restarting) [1, T]; cu_seqlens int32 [examples + 1 or 2],
    the boundaries of the examples; max_seqlen, an int. For the loss, [W] each: target_positions (of the token before
    each target), targets, loss_weights. T and W are padded to PAD_TO_MULTIPLE: T with an example of zeros, W with
    targets of weight 0.
    """
    ends = np.cumsum([len(example) for example in tokens])
    n_tokens = int(ends[-1])
    n_padded = n_tokens + -n_tokens % PAD_TO_MULTIPLE
    cu_seqlens = np.unique(np.r_[0, ends, n_padded])
    lengths = np.diff(cu_seqlens)
    input_ids = np.r_[np.concatenate(tokens).astype(np.int64), np.zeros(n_padded - n_tokens, np.int64)]
    weights = np.concatenate(loss_weights)
    weights[cu_seqlens[cu_seqlens < n_tokens]] = 0  # nothing predicts the first token of an example
    (targets,) = np.nonzero(weights)
    padding = (0, -len(targets) % PAD_TO_MULTIPLE)
    return {
        "input_ids": input_ids[None],
        "position_ids": (np.arange(n_padded) - np.repeat(cu_seqlens[:-1], lengths))[None],
        "cu_seqlens": cu_seqlens.astype(np.int32),
        "max_seqlen": int(-(-lengths.max() // PAD_TO_MULTIPLE) * PAD_TO_MULTIPLE),
        "target_positions": np.pad(targets - 1, padding),
        "targets": np.pad(input_ids[targets], padding),
        "loss_weights": np.pad(weights[targets], padding),
    }


def to_tensors(batch, device="cpu"):
    """A packed batch with its arrays as torch tensors on a device."""
    tensors = {}
    for name, value in batch.items():
        tensors[name] = value if isinstance(value, int) else torch.as_tensor(value, device=device)
    return tensors


@contextlib.contextmanager
def packed_attention(model):
    """A context in which the model uses packed attention, if it supports packing.

    transformers builds no attention mask in it, since it knows none for that attention.
    """
    if not supports_packing(model):
        yield
        return
    previous = model.config._attn_implementation
    model.config._attn_implementation = attention.NAME
    try:
        yield
    finally:
        model.config._attn_implementation = previous


def supports_packing(model):
    """Can the model read packed examples? Otherwise one at a time; see `compatibility.check_and_adapt`."""
    return getattr(model, "supports_packing", True)


def per_example_losses(model, batch):
    """The result of `token_losses`, from the model's own forward pass on each example alone."""
    positions = batch["target_positions"]
    targets = batch["targets"]
    losses = torch.zeros(len(positions), device=positions.device)
    boundaries = batch["cu_seqlens"].tolist()
    for start, stop in zip(boundaries, boundaries[1:]):
        in_example = (positions >= start) & (positions < stop)
        if in_example.any():
            logits = model(input_ids=batch["input_ids"][:, start:stop], use_cache=False).logits[0]
            logits = logits[positions[in_example] - start].float()
            losses[in_example] = cross_entropy(logits, targets[in_example], reduction="none")
    return losses


def _hidden_states(model, batch):
    """The hidden states from which the targets are predicted: float [W, width]."""
    names = ["input_ids", "position_ids", "cu_seqlens", "max_seqlen"]
    output = model.base_model(**{name: batch[name] for name in names}, use_cache=False)
    return output.last_hidden_state[0, batch["target_positions"]]


def token_losses(model, batch):
    """Cross-entropy of each target of a packed batch, in nats: float32 [W]. Call it within `packed_attention`."""
    if not supports_packing(model):
        return per_example_losses(model, batch)
    states = _hidden_states(model, batch)
    if not len(states):
        return states.new_empty(0)
    output_layer = model.get_output_embeddings()
    losses = []
    for rows, targets in zip(states.split(LOGIT_ROWS), batch["targets"].split(LOGIT_ROWS)):
        losses.append(cross_entropy(output_layer(rows).float(), targets, reduction="none"))
    return torch.cat(losses)


def weighted_loss(model, batch, bfloat16=True):
    """ILM's loss of one optimiser step. Call it within `packed_attention`; on a GPU it never synchronises with the CPU.

    bfloat16: on a GPU, compute matrix products in it (see `devices.choose_precision`); weights, sums, softmax and loss
    stay in float32.
    """
    autocast = torch.autocast("cuda", torch.bfloat16, enabled=batch["input_ids"].is_cuda and bfloat16)
    if not supports_packing(model):
        with autocast:
            return (per_example_losses(model, batch) * batch["loss_weights"]).sum()
    with autocast:
        logits = model.get_output_embeddings()(_hidden_states(model, batch))
    return (cross_entropy(logits.float(), batch["targets"], reduction="none") * batch["loss_weights"]).sum()


def chunked_loss(model, batch, bfloat16=False):
    """`weighted_loss` for a CPU: the same number, with LOGIT_ROWS rows of logits at a time.

    bfloat16: compute matrix products in it; everything else stays in float32.
    """
    output_layer = model.get_output_embeddings()
    with BFloat16Products() if bfloat16 else contextlib.nullcontext():
        if not supports_packing(model) or output_layer.bias is not None:
            return weighted_loss(model, batch)
        states = _hidden_states(model, batch)
    factors = torch.bfloat16 if bfloat16 else states.dtype
    return _ChunkedLoss.apply(states, output_layer.weight, batch["targets"], batch["loss_weights"], factors)


class _ChunkedLoss(torch.autograd.Function):
    """Sum of loss weight * cross-entropy, in chunks of rows: the logits of all rows would be by far the largest array.

    The gradients are computed in the forward pass, while the logits are in memory. factors: the type to which factors
    of matrix products are rounded.
    """

    @staticmethod
    def forward(ctx, states, output_weight, targets, loss_weights, factors):
        total = states.new_zeros(())
        states_grad = torch.empty_like(states)
        output_grad = torch.zeros_like(output_weight)
        states, output_weight = states.to(factors), output_weight.to(factors)
        for start in range(0, len(states), LOGIT_ROWS):
            rows = slice(start, start + LOGIT_ROWS)
            target = targets[rows, None]
            weight = loss_weights[rows, None].to(total.dtype)
            logits = (states[rows] @ output_weight.T).to(total.dtype)
            log_sum = logits.logsumexp(1, keepdim=True)
            total += ((log_sum - logits.gather(1, target)) * weight).sum()
            logits_grad = logits.sub_(log_sum).exp_().mul_(weight).scatter_add_(1, target, -weight)  # in place
            logits_grad = logits_grad.to(factors)
            if factors is torch.bfloat16:
                output_grad += logits_grad.T @ states[rows]
            else:
                output_grad.addmm_(logits_grad.T, states[rows])
            states_grad[rows] = logits_grad @ output_weight
        ctx.save_for_backward(states_grad, output_grad)
        return total

    @staticmethod
    def backward(ctx, loss_grad):
        states_grad, output_grad = ctx.saved_tensors
        return states_grad * loss_grad, output_grad * loss_grad, None, None, None
