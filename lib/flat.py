"""A GPU's way through an optimiser step: its examples as one stream of tokens, none padded, none seeing another.

Attention takes the bounds of the examples instead of a mask. It is registered with transformers, so that any causal
language model whose attention goes through that registry can be trained with it and no model's code is repeated here.
"""

import contextlib
import inspect

import numpy as np
import torch
from torch.nn.attention.varlen import varlen_attn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from transformers import AttentionInterface

from lib.examples import loss_weights

MULTIPLE = 128  # tokens: streams are filled up to it, so that few lengths occur
WORKERS = 4  # processes that assemble the next steps
NEW = "window_size" in inspect.signature(varlen_attn).parameters
CAUSAL = {"window_size": (-1, 0)} if NEW else {"is_causal": True}  # torch 2.11 and later, and before


def wanted():
    """Whether to train this way: where there is a GPU."""
    return torch.cuda.is_available()


def way(steps):
    """What the Trainer needs for it: data set, what makes tensors of an item, and further arguments.

    The next steps are assembled by other processes, and copied to the GPU while it computes.
    """
    workers = {"dataloader_num_workers": WORKERS, "dataloader_prefetch_factor": 4, "dataloader_pin_memory": True}
    return Flat(steps), tensors, workers | {"accelerator_config": {"non_blocking": True}}


class Flat:
    """`Steps`, each laid out as one stream: item i is what optimiser step i sees."""

    def __init__(self, steps):
        self.steps = steps

    def __len__(self):
        return len(self.steps)

    def __getitem__(self, step):
        size = self.steps.settings.examples_per_step
        tokens, roles = self.steps.examples(step * size, (step + 1) * size)
        return lay_out(tokens, loss_weights(roles))


def lay_out(tokens, values):
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


def tensors(batch, device="cpu"):
    """What `lay_out` returns, its arrays as torch tensors."""
    return {name: a if isinstance(a, int) else torch.as_tensor(a, device=device) for name, a in batch.items()}


def _masked(query, key, value, bounds, *_, scale=None, enable_gqa=False, **causal):
    """What varlen_attn does, where it cannot run (no GPU, or numbers of 32 bits): slow for long streams."""
    assert causal == CAUSAL
    owner = torch.searchsorted(bounds, torch.arange(len(query), device=query.device), right=True)
    seen = (owner[:, None] == owner[None, :]).tril()
    heads_first = [x.transpose(0, 1)[None] for x in (query, key, value)]
    out = scaled_dot_product_attention(*heads_first, attn_mask=seen, scale=scale, enable_gqa=enable_gqa)
    return out[0].transpose(0, 1)


def _attention(module, query, key, value, attention_mask, scaling=None, bounds=None, longest=None, **other):
    """transformers' attention interface: query, key, value [1, heads, T, width] to [1, T, heads, width].

    There is no attention dropout, since varlen_attn has none. Raises ValueError where a model asks for more.
    """
    extra = [name for name in ("softcap", "s_aux", "position_bias") if other.get(name) is not None]
    if extra or bounds is None:
        raise ValueError(f"flat attention takes the bounds of examples and no {', '.join(extra) or 'padded batch'}")
    on_gpu = query.is_cuda and query.dtype in (torch.bfloat16, torch.float16)
    query, key, value = (x[0].transpose(0, 1) for x in (query, key, value))
    how = CAUSAL | ({} if scaling in (None, query.shape[2] ** -0.5) else {"scale": scaling})
    how |= {} if query.shape[1] == key.shape[1] else {"enable_gqa": True}
    attend = varlen_attn if on_gpu else _masked
    return attend(query, key, value, bounds, bounds, longest, longest, **how)[None], None


AttentionInterface.register("flat", _attention)


@contextlib.contextmanager
def attention(model):
    """Within, the model's attention is the flat one; it builds no mask, since transformers knows none for it."""
    before = model.config._attn_implementation
    model.config._attn_implementation = "flat"
    try:
        yield
    finally:
        model.config._attn_implementation = before


def token_losses(model, batch):
    """Cross-entropy of each target of a stream, in nats: float32 [W]. To be called within `attention`.

    On a GPU matrices are multiplied in bfloat16; weights, sums, softmax and loss stay in float32.
    """
    with torch.autocast("cuda", torch.bfloat16, enabled=batch["input_ids"].is_cuda):
        names = ["input_ids", "position_ids", "bounds", "longest"]
        hidden = model.base_model(**{name: batch[name] for name in names}, use_cache=False).last_hidden_state
        logits = model.get_output_embeddings()(hidden[0, batch["where"]])
    return cross_entropy(logits.float(), batch["targets"], reduction="none")


def loss(model, batch):
    """ILM's loss of one optimiser step. Nothing in here makes the host wait for the GPU."""
    return (token_losses(model, batch) * batch["values"]).sum()
