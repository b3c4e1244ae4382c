"""The order of training examples: a pure function of seed and pass, indexed by optimiser step.

Item i of `Steps` is the batch of optimiser step i, whatever ran before it and wherever it runs.
"""

import numpy as np
import pandas as pd

from lib.masking import masks
from lib.masking.examples import add_prefix, build_examples, example_lengths, loss_weights
from lib.masking.token_index import TokenizedTexts
from lib.models import packing

ORDER = 1000  # purpose of the random numbers that shuffle a pass; those of masks have other purposes


def last_step(settings, n_examples):
    """The number of steps that read n_examples. The last one is a full step if the budget in settings is larger."""
    return -(-n_examples // settings.examples_per_step)


class Steps:
    """The training examples of one model and seed, divided into optimiser steps.

    index: rows of the index to train on; mask_settings: Masks parameters; settings: Train parameters; prefix: int
    [texts], the level token of each text, or None. rank, world_size: number of this process and of all processes that
    share the examples of each step.
    Attributes: `order` int [examples, 2], pass and number of the mask of each example; `lengths` int [examples], in
    tokens; `dropped` {reason: number of examples that could not be built}. Raises ValueError if a whole pass gives no
    example.
    """

    rank = 0
    world_size = 1

    def __init__(self, index, mask_settings, settings, seed, first_special, prefix=None):
        self.text_ids = index["text_id"].to_numpy()
        self.texts = TokenizedTexts.of(index)
        self.keys = masks.text_keys(self.text_ids)
        self.prefix = prefix
        self.mask_settings = mask_settings
        self.settings = settings
        self.seed = seed
        self.first_special = first_special
        self.dropped = {"two spans in one token": 0, "longer than max_length": 0}
        self.passes = []  # masks of each pass, as `masks.draw` returns them
        self.order = np.empty((0, 2), int)
        self.lengths = np.empty(0, int)
        while len(self.order) < settings.max_examples:
            n_before = len(self.order)
            self._add_pass()
            if len(self.order) == n_before:
                raise ValueError(f"{len(index)} training texts gave no example; dropped: {self.dropped}")

    def _add_pass(self):
        number = len(self.passes)
        n_masks = self.mask_settings.masks_per_text
        drawn = masks.draw(self.texts, self.keys, self.mask_settings, self.seed, masks.TRAINING, number, n_masks)
        self.passes.append(drawn)
        generator = np.random.Generator(np.random.Philox(key=[self.seed, ORDER + number]))
        shuffled = generator.permutation(len(drawn[-1]))  # numbers of masks
        lengths = example_lengths(self.texts, *drawn)[shuffled]
        if self.prefix is not None:
            lengths[lengths > 0] += 1
        fits = (lengths > 0) & (lengths <= self.mask_settings.max_length)
        chosen = np.flatnonzero(fits)[: self.settings.max_examples - len(self.order)]
        if len(self.order) + len(chosen) == self.settings.max_examples:  # what comes later is neither read nor dropped
            lengths = lengths[: chosen[-1] + 1]
        self.dropped["two spans in one token"] += int((lengths < 0).sum())
        self.dropped["longer than max_length"] += int((lengths > self.mask_settings.max_length).sum())
        self.order = np.vstack([self.order, np.column_stack([np.full(len(chosen), number), shuffled[chosen]])])
        self.lengths = np.append(self.lengths, lengths[chosen])

    def examples(self, first, stop):
        """Tokens and roles of the examples first..stop of `order`: two lists with one array an example."""
        order = self.order[first:stop]
        lengths = self.lengths[first:stop]
        tokens = []
        roles = []
        for number in np.unique(order[:, 0]):  # passes follow each other in `order`
            in_pass = order[:, 0] == number
            for example in self._build(self.passes[number], order[in_pass, 1], lengths[in_pass]):
                tokens.append(example[0])
                roles.append(example[1])
        return tokens, roles

    def _build(self, drawn, chosen, lengths):
        """Yield (tokens, roles) of each chosen mask."""
        if self.prefix is None:
            yield from zip(*build_examples(self.texts, drawn, chosen, lengths, self.first_special))
        else:
            level_tokens = self.prefix[drawn[-1][chosen]]
            built = build_examples(self.texts, drawn, chosen, lengths - 1, self.first_special)
            yield from map(add_prefix, level_tokens, *built)

    def __len__(self):
        return last_step(self.settings, len(self.order))

    def __getitem__(self, step):
        return self.micro_batches(step, 1)[0]

    def micro_batches(self, step, n):
        """This process's examples of a step, in order, in n packed batches (or fewer, none of them empty).

        The losses of all micro-batches of all processes add up to the loss of the step.
        """
        size = self.settings.examples_per_step
        tokens, roles = self.examples(step * size, (step + 1) * size)
        weights = loss_weights(roles)
        own_examples = np.array_split(np.arange(len(tokens)), self.world_size)[self.rank]
        batches = []
        for batch in np.array_split(own_examples, n):
            if len(batch):
                batches.append(packing.pack_examples([tokens[i] for i in batch], [weights[i] for i in batch]))
        return batches

    def table(self, n_examples):
        """The first n_examples, one row each: step, text_id, pass, mask (its number among the masks of the pass)."""
        order = self.order[:n_examples]
        owners = [self.passes[number][2][order[order[:, 0] == number, 1]] for number in np.unique(order[:, 0])]
        rows = np.concatenate([np.empty(0, int), *owners])  # the empty array serves a budget of 0
        return pd.DataFrame(
            {
                "step": np.arange(len(order)) // self.settings.examples_per_step,
                "text_id": self.text_ids[rows],
                "pass": order[:, 0],
                "mask": order[:, 1],
            }
        )

    def tokens(self, n_examples):
        """Tokens of the first n_examples, special tokens included."""
        return int(self.lengths[:n_examples].sum())
