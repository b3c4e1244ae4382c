"""Prompts side by side as a model reads them, each once: what is read is kept (transformers' KV cache)."""

import numpy as np
import torch
from torch.nn.functional import pad
from transformers.cache_utils import Cache, DynamicLayer

ROOM = 32  # tokens


def batches(model, prompts, most):
    """Prompts of like length together, of `most` tokens with padding, or a single one: their places, token ids and
    attention mask [rows, width], padded on the left."""
    width = np.array([len(one) for one in prompts])
    order, first = np.argsort(width, kind="stable"), 0
    while first < len(order):
        room = np.arange(1, len(order) - first + 1) * width[order[first:]]  # tokens, if so many prompts go together
        places = order[first : first + max(1, np.searchsorted(room, most, side="right"))]
        first += len(places)
        ids = torch.zeros(len(places), width[places[-1]], dtype=torch.long)
        seen = torch.zeros_like(ids)
        for row, place in enumerate(places):
            ids[row, -width[place] :] = torch.as_tensor(prompts[place])
            seen[row, -width[place] :] = 1
        yield places, ids.to(model.device), seen.to(model.device)


def given(tokens, seen, cache):
    """Arguments of a model that has read `cache` and is to read `tokens`; seen: 1 for tokens, 0 for padding."""
    places = (seen.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
    return {"input_ids": tokens, "attention_mask": seen, "position_ids": places, "past_key_values": cache,
            "use_cache": True}  # fmt: skip


class _Roomy(DynamicLayer):
    """Keys and values of one layer [rows, heads, width, size], with room behind them: no token copies those before."""

    def hold(self, both, width):
        """Take keys and values, of which the first `width` places are filled."""
        self.held, (self.keys, self.values) = both, (one[:, :, :width] for one in both)

    def update(self, keys, values, *_, **__):
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
            self.hold([keys[:, :, :0], values[:, :, :0]], 0)
        width, new = self.keys.shape[2], self.keys.shape[2] + keys.shape[2]
        if new > self.held[0].shape[2]:
            self.held = [pad(one, (0, 0, 0, new + ROOM - one.shape[2])) for one in self.held]
        for held, one in zip(self.held, (keys, values)):
            held[:, :, width:new] = one
        self.hold(self.held, new)
        return self.keys, self.values

    def batch_select_indices(self, indices):
        self.hold([one[indices] for one in self.held], self.keys.shape[2])

    def batch_repeat_interleave(self, repeats):
        self.hold([one.repeat_interleave(repeats, 0) for one in self.held], self.keys.shape[2])


class Rows:
    """In the place of a cache, for a model that reads examples alone: all tokens of each row, read again each time."""

    tokens = None  # long [rows, width]

    def read(self, model, tokens, seen):
        """Log probabilities of the token after each row, [rows, vocabulary]; tokens: what a row has more now."""
        self.tokens = tokens if self.tokens is None else torch.cat([self.tokens, tokens], 1)
        last = [model(row[mask > 0][None], use_cache=False).logits[:, -1] for row, mask in zip(self.tokens, seen)]
        return torch.cat(last).float().log_softmax(-1)

    def reorder_cache(self, parents):
        self.tokens = self.tokens[parents]


class Reader:
    """Prompts of like length side by side, and what is being written behind them, `times` times each.

    rows: long [n], the places of those that go on, among all fillings; tokens [n, new]: what is to be read next;
    seen [n, width]: 1 for all tokens up to them, 0 for padding.
    """

    def __init__(self, places, ids, seen, times):
        self.rows = torch.as_tensor(places, device=ids.device).repeat_interleave(times) * times
        self.rows += torch.arange(times, device=ids.device).repeat(len(places))
        self.tokens, self.seen, self.times, self.cache = ids, seen, times, Cache(layer_class_to_replicate=_Roomy)

    def states(self, model):
        """What the output layer is given for each row's next token: [n, width]."""
        states = model.base_model(**given(self.tokens, self.seen, self.cache)).last_hidden_state[:, -1]
        if len(states) < len(self.rows):  # the prompt was read once
            states, self.seen = (x.repeat_interleave(self.times, 0) for x in (states, self.seen))
            self.cache.batch_repeat_interleave(self.times)
        return states

    def write(self, tokens, going):
        """Take each row's next token, long [n]; only rows that are going, bool [n], stay."""
        self.rows, self.tokens, self.seen = self.rows[going], tokens[going, None], self.seen[going]
        self.seen = torch.cat([self.seen, torch.ones_like(self.tokens)], 1)
        if not going.all():
            self.cache.batch_select_indices(going.nonzero()[:, 0])

    def join(self, wider):
        """Take over another reader's rows; its width is at least this one's."""
        more = wider.seen.shape[1] - self.seen.shape[1]
        self.seen = torch.cat([pad(self.seen, (more, 0)), wider.seen])
        self.rows, self.tokens = torch.cat([self.rows, wider.rows]), torch.cat([self.tokens, wider.tokens])
        for own, other in zip(self.cache.layers, wider.cache.layers):
            pairs = [(own.keys, other.keys), (own.values, other.values)]
            own.hold([torch.cat([pad(a, (0, 0, more, 0)), b]) for a, b in pairs], other.keys.shape[2])
