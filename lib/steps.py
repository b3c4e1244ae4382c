"""Which example comes when in training: a pure function of (seed, pass), looked up by optimiser step.

Item i of `Steps` is what optimiser step i sees, whatever ran before it and wherever it runs.
"""

import numpy as np
import pandas as pd

from lib import masks
from lib.examples import example, lay_out, loss_weights, pack

ORDER = 1000  # purpose of the random numbers that shuffle a pass, apart from all that draw masks


class Steps:
    """The training examples of one model and seed, cut into optimiser steps.

    index: rows of index.parquet to train on; drawing: Masks parameters; settings: Train parameters.
    `order` lists (pass, mask number) of each example; `dropped` counts examples that could not be, by reason.
    Raises ValueError when a whole pass gives no example.
    """

    def __init__(self, index, drawing, settings, seed, first_special):
        self.texts = list(index.itertuples())
        self.units = [row.units.reshape(-1, 3) for row in self.texts]
        self.keys = np.array([masks.text_key(row.text_id) for row in self.texts], np.uint64)
        self.drawing, self.settings, self.seed, self.first_special = drawing, settings, seed, first_special
        self.dropped = {"two spans in one token": 0, "longer than the model takes": 0}
        self.passes, self.order = [], []
        while len(self.order) < settings.examples:
            before = len(self.order)
            self._add_pass()
            if len(self.order) == before:
                raise ValueError(f"{len(index)} training texts gave no example; dropped: {self.dropped}")

    def _add_pass(self):
        number, drawing = len(self.passes), self.drawing
        chance, ngram_share = masks.chances(drawing.p, drawing.ngram_share)
        how = (number, drawing.masks_per_text, drawing.tries, chance, ngram_share, drawing.max_ngram)
        self.passes.append(masks.draw(self.units, self.keys, self.seed, masks.TRAINING, *how))
        shuffle = np.random.Generator(np.random.Philox(key=[self.seed, ORDER + number]))
        for mask in shuffle.permutation(len(self.passes[-1][1])):
            if len(self.order) == self.settings.examples:
                return
            reason = self._unfit(number, mask)
            if reason:
                self.dropped[reason] += 1
            else:
                self.order.append((number, mask))

    def _unfit(self, number, mask):
        built = self.example(number, mask)
        if built is None:
            return "two spans in one token"
        return "longer than the model takes" if len(built[0]) > self.drawing.max_length else None

    def example(self, number, mask):
        """Tokens and roles of one example, or None when two spans fall into one token."""
        spans, ends, owner = self.passes[number]
        text = self.texts[owner[mask]]
        own = spans[ends[mask - 1] if mask else 0 : ends[mask]]
        return example(text.ids, text.starts, text.ends, own, self.first_special)

    def __len__(self):
        return -(-len(self.order) // self.settings.examples_per_step)

    def __getitem__(self, step):
        size = self.settings.examples_per_step
        built = [self.example(*place) for place in self.order[step * size : (step + 1) * size]]
        tokens, roles = zip(*built)
        return lay_out(pack(tokens, self.settings.row_length), tokens, loss_weights(roles))

    def table(self, seen):
        """The first `seen` examples, one a row: step, text_id, pass, mask (its number among the pass's masks)."""
        order = self.order[:seen]
        owners = [self.passes[number][2][mask] for number, mask in order]
        return pd.DataFrame({
            "step": np.arange(len(order)) // self.settings.examples_per_step,
            "text_id": [self.texts[owner].text_id for owner in owners],
            "pass": [number for number, _ in order],
            "mask": [int(mask) for _, mask in order],
        })  # fmt: skip

    def tokens(self, seen):
        """Tokens in the first `seen` examples, special ones included."""
        return sum(len(self.example(*place)[0]) for place in self.order[:seen])
