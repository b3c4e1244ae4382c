"""Batches of prompts whose keys and values are cached, so that each token is read once (transformers' KV cache)."""

import numpy as np
import torch
from torch.nn.functional import pad
from transformers.cache_utils import Cache, DynamicLayer

SPARE_POSITIONS = 32  # allocated at once for tokens to come


def prompt_batches(model, prompts, max_tokens):
    """Batches of prompts of similar length, with at most max_tokens tokens including padding, or of a single prompt.

    Yields the indices of a batch's prompts, and their token ids and attention mask [rows, width], padded on the left.
    """
    lengths = np.array([len(prompt) for prompt in prompts])
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        remaining = lengths[order[start:]]
        sizes = np.arange(1, len(remaining) + 1) * remaining  # tokens of a batch of the first 1, 2, ... prompts
        n_rows = max(1, np.searchsorted(sizes, max_tokens, side="right"))
        indices = order[start : start + n_rows]
        start += n_rows
        input_ids = torch.zeros(n_rows, lengths[indices[-1]], dtype=torch.long)
        attention_mask = torch.zeros_like(input_ids)
        for row, index in enumerate(indices):
            input_ids[row, -lengths[index] :] = torch.as_tensor(prompts[index])
            attention_mask[row, -lengths[index] :] = 1
        yield indices, input_ids.to(model.device), attention_mask.to(model.device)


def model_inputs(input_ids, attention_mask, cache):
    """Arguments of a model that is to read input_ids after the tokens in `cache`.

    attention_mask: [rows, cached + new]: 1 for tokens, 0 for padding.
    """
    positions = (attention_mask.cumsum(1) - 1).clamp(min=0)
    return {
        "input_ids": input_ids,
        "attention_mask": attention_mask,
        "position_ids": positions[:, -input_ids.shape[1] :],
        "past_key_values": cache,
        "use_cache": True,
    }


class _PreallocatedLayer(DynamicLayer):
    """Keys and values of a layer [rows, heads, width, head_dim], with spare positions: a new token copies nothing."""

    def store(self, buffers, width):
        """Use these buffers of keys and values, of which the first `width` positions are filled."""
        self.buffers = buffers
        self.keys, self.values = (buffer[:, :, :width] for buffer in buffers)

    def update(self, keys, values, *_, **__):
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
            self.store([keys[:, :, :0], values[:, :, :0]], 0)
        old_width = self.keys.shape[2]
        width = old_width + keys.shape[2]
        if width > self.buffers[0].shape[2]:
            self.buffers = [pad(x, (0, 0, 0, width + SPARE_POSITIONS - x.shape[2])) for x in self.buffers]
        for buffer, new in zip(self.buffers, (keys, values)):
            buffer[:, :, old_width:width] = new
        self.store(self.buffers, width)
        return self.keys, self.values

    def batch_select_indices(self, indices):
        self.store([buffer[indices] for buffer in self.buffers], self.keys.shape[2])

    def batch_repeat_interleave(self, repeats):
        self.store([buffer.repeat_interleave(repeats, 0) for buffer in self.buffers], self.keys.shape[2])


class UncachedRows:
    """In place of a cache, for a model that does not support packing: all tokens of each row, read again each time."""

    input_ids = None  # long [rows, width]

    def read(self, model, input_ids, attention_mask):
        """Log probabilities of the token after each row, [rows, vocabulary]. input_ids: the new tokens of each row."""
        self.input_ids = input_ids if self.input_ids is None else torch.cat([self.input_ids, input_ids], 1)
        logits = []
        for row, mask in zip(self.input_ids, attention_mask):
            logits.append(model(row[mask > 0][None], use_cache=False).logits[:, -1])
        return torch.cat(logits).float().log_softmax(-1)

    def reorder_cache(self, parents):
        self.input_ids = self.input_ids[parents]


class PromptBatch:
    """A batch of prompts and the fillings being generated for them, n_samples of each prompt.

    rows: long [n], the indices of the unfinished fillings among all fillings; input_ids [n, new]: to be read next;
    attention_mask [n, width]: 1 for all tokens up to them, 0 for padding.
    """

    def __init__(self, indices, input_ids, attention_mask, n_samples):
        self.rows = torch.as_tensor(indices, device=input_ids.device).repeat_interleave(n_samples) * n_samples
        self.rows += torch.arange(n_samples, device=input_ids.device).repeat(len(indices))
        self.input_ids = input_ids
        self.attention_mask = attention_mask
        self.n_samples = n_samples
        self.cache = Cache(layer_class_to_replicate=_PreallocatedLayer)

    def hidden_states(self, model):
        """The hidden state from which each row's next token is predicted: [n, width]."""
        output = model.base_model(**model_inputs(self.input_ids, self.attention_mask, self.cache))
        states = output.last_hidden_state[:, -1]
        if len(states) < len(self.rows):  # the prompts, each of which was read once for all its fillings
            states = states.repeat_interleave(self.n_samples, 0)
            self.attention_mask = self.attention_mask.repeat_interleave(self.n_samples, 0)
            self.cache.batch_repeat_interleave(self.n_samples)
        return states

    def append(self, tokens, unfinished):
        """Append each row's next token, long [n], and keep only the unfinished rows, bool [n]."""
        self.rows = self.rows[unfinished]
        self.input_ids = tokens[unfinished, None]
        attention_mask = self.attention_mask[unfinished]
        self.attention_mask = torch.cat([attention_mask, torch.ones_like(self.input_ids)], 1)
        if not unfinished.all():
            self.cache.batch_select_indices(unfinished.nonzero()[:, 0])

    def join(self, wider):
        """Take over the rows of another PromptBatch, which is at least as wide."""
        padding = wider.attention_mask.shape[1] - self.attention_mask.shape[1]
        self.attention_mask = torch.cat([pad(self.attention_mask, (padding, 0)), wider.attention_mask])
        self.rows = torch.cat([self.rows, wider.rows])
        self.input_ids = torch.cat([self.input_ids, wider.input_ids])
        for layer, other in zip(self.cache.layers, wider.cache.layers):
            keys = torch.cat([pad(layer.keys, (0, 0, padding, 0)), other.keys])
            values = torch.cat([pad(layer.values, (0, 0, padding, 0)), other.values])
            layer.store([keys, values], other.keys.shape[2])
