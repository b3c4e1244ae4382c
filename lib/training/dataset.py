"""Which example comes when in training: a pure function of (seed, pass), looked up by optimiser step.

Item i of `Steps` is what optimiser step i sees, whatever ran before it and wherever it runs.
"""

import numpy as np
import pandas as pd

from lib.masking import masks
from lib.masking.examples import add_prefix, build_examples, example_lengths, loss_weights
from lib.masking.token_index import TokenizedTexts
from lib.models import packing

ORDER = 1000  # purpose of the random numbers that shuffle a pass, apart from all that draw masks


def last_step(settings, examples):
    """The step at which a budget of so many examples ends; the last one is full, if `settings` has a larger budget."""
    return -(-examples // settings.examples_per_step)


class Steps:
    """The training examples of one model and seed, cut into optimiser steps.

    index: rows of the index to train on; drawing: Masks parameters; settings: Train parameters; first: int [texts], a
    token that each text's examples begin with, or None; share: which this process is, and of how many, that share the
    examples of each step.
    `order` holds (pass, mask number) of each example, `lengths` its tokens; `dropped` counts, by reason, examples that
    could not be. Raises ValueError when a whole pass gives no example.
    """

    share = 0, 1

    def __init__(self, index, drawing, settings, seed, first_special, first=None):
        self.first = first
        self.text_ids = index["text_id"].to_numpy()
        self.texts = TokenizedTexts.of(index)
        self.keys = masks.text_keys(self.text_ids)
        self.drawing, self.settings, self.seed, self.first_special = drawing, settings, seed, first_special
        self.dropped = {"two spans in one token": 0, "longer than the model takes": 0}
        self.passes, self.order, self.lengths = [], np.empty((0, 2), int), np.empty(0, int)
        while len(self.order) < settings.max_examples:
            before = len(self.order)
            self._add_pass()
            if len(self.order) == before:
                raise ValueError(f"{len(index)} training texts gave no example; dropped: {self.dropped}")

    def _add_pass(self):
        number, drawing = len(self.passes), self.drawing
        chances = masks.mask_probabilities(drawing.mask_probability, drawing.ngram_share)
        how = (number, drawing.masks_per_text, drawing.max_redraws, *chances, drawing.max_ngram)
        drawn = masks.draw(self.texts.units, self.texts.unit_bounds, self.keys, self.seed, masks.TRAINING, *how)
        self.passes.append(drawn)
        shuffle = np.random.Generator(np.random.Philox(key=[self.seed, ORDER + number])).permutation(len(drawn[-1]))
        length = example_lengths(self.texts, *drawn)[shuffle]
        length[length > 0] += self.first is not None
        fits = (length > 0) & (length <= drawing.max_length)
        taken = np.flatnonzero(fits)[: self.settings.max_examples - len(self.order)]
        if len(self.order) + len(taken) == self.settings.max_examples:  # what comes after is not looked at
            length = length[: taken[-1] + 1]
        self.dropped["two spans in one token"] += int((length < 0).sum())
        self.dropped["longer than the model takes"] += int((length > drawing.max_length).sum())
        self.order = np.vstack([self.order, np.column_stack([np.full(len(taken), number), shuffle[taken]])])
        self.lengths = np.append(self.lengths, length[taken])

    def examples(self, first, stop):
        """Tokens and roles of the examples first..stop of `order`: two lists of arrays, one array an example."""
        order, length, tokens, roles = self.order[first:stop], self.lengths[first:stop], [], []
        for number in np.unique(order[:, 0]):  # passes follow each other in the order
            here = order[:, 0] == number
            more_tokens, more_roles = self._built(self.passes[number], order[here, 1], length[here])
            tokens, roles = tokens + more_tokens, roles + more_roles
        return tokens, roles

    def _built(self, drawn, chosen, length):
        if self.first is None:
            return build_examples(self.texts, drawn, chosen, length, self.first_special)
        built = build_examples(self.texts, drawn, chosen, length - 1, self.first_special)
        return map(list, zip(*map(add_prefix, self.first[drawn[-1][chosen]], *built)))

    def __len__(self):
        return last_step(self.settings, len(self.order))

    def __getitem__(self, step):
        return self.micro_batches(step, 1)[0]

    def micro_batches(self, step, n):
        """Its share of a step in n batches (or fewer) of whole examples, in order.

        Losses of all batches of all shares add up to the step's loss.
        """
        size, (which, of) = self.settings.examples_per_step, self.share
        tokens, roles = self.examples(step * size, (step + 1) * size)
        weights, batches = loss_weights(roles), []
        for some in np.array_split(np.array_split(np.arange(len(tokens)), of)[which], n):
            batches += (
                [packing.pack_examples([tokens[i] for i in some], [weights[i] for i in some])] if len(some) else []
            )
        return batches

    def table(self, seen):
        """The first `seen` examples, one a row: step, text_id, pass, mask (its number among the pass's masks)."""
        order = self.order[:seen]
        here = [self.passes[number][2][order[order[:, 0] == number, 1]] for number in np.unique(order[:, 0])]
        owners = np.concatenate([np.empty(0, int), *here])  # none, where nothing was seen
        return pd.DataFrame({
            "step": np.arange(len(order)) // self.settings.examples_per_step,
            "text_id": self.text_ids[owners],
            "pass": order[:, 0],
            "mask": order[:, 1],
        })  # fmt: skip

    def tokens(self, seen):
        """Tokens in the first `seen` examples, special ones included."""
        return int(self.lengths[:seen].sum())
