"""The masks that all models are asked about, drawn once and kept."""

import hashlib

import numpy as np
import pandas as pd

from lib.masking import masks
from lib.masking.examples import example_lengths
from lib.masking.token_index import TokenizedTexts

MASK_COLUMNS = ["text_id", "mask_type", "mask_set", "span_type", "char_offset", "char_length"]
MAX_VALIDATION_TEXTS = (
    2000  # valid texts, at most, that say when training stops: more would make looks dearer than training
)
CANDIDATES = 16  # masks drawn for a text before its frozen ones are chosen


def draw_frozen(index, drawing, mask_type, n_sets):
    """The masks that every model is tested on: the first n_sets of a text that are not empty and fit its tokens.

    drawing: Masks parameters. Returns MASK_COLUMNS, one row a span; span_type counts as in masks.TYPES.
    A text too short for n_sets different masks has fewer.
    """
    rate = drawing.mask_probability if mask_type == "training_mix" else drawing.span_type_mask_rate
    chances = masks.mask_probabilities(rate, drawing.ngram_share, mask_type)
    how = (masks.FROZEN[mask_type], 0, CANDIDATES, drawing.max_redraws, *chances, drawing.max_ngram)
    texts, text_ids = TokenizedTexts.of(index), index["text_id"].to_numpy()
    keys = masks.text_keys(text_ids)
    spans, ends, owner = masks.draw(texts.units, texts.unit_bounds, keys, drawing.mask_seed, *how)
    n_spans, length = np.diff(ends, prepend=0), example_lengths(texts, spans, ends, owner)
    fits = (n_spans > 0) & (length > 0) & (length < drawing.max_length)  # one is left for a level token
    mask_set = pd.Series(fits.astype(int)).groupby(owner).cumsum().to_numpy() - 1  # among those that fit
    taken = np.flatnonzero(fits & (mask_set < n_sets))
    mask = np.repeat(taken, n_spans[taken])  # of each span, its mask
    own = spans[np.isin(np.repeat(np.arange(len(ends)), n_spans), taken)].astype(int)
    columns = [text_ids[owner[mask]], np.full(len(mask), mask_type, object), mask_set[mask], *own.T]
    return pd.DataFrame(dict(zip(MASK_COLUMNS, columns)))


def validation_subset(rows):
    """The rows of the valid texts that a training is looked at by: LOOKED_AT at most, chosen by hash."""
    first = np.argsort(masks.text_keys(rows["text_id"]))[:MAX_VALIDATION_TEXTS]
    return rows.iloc[np.sort(first)]


def mask_hash(frozen):
    """16 hexadecimal digits that name a set of frozen masks."""
    return hashlib.sha256(frozen[MASK_COLUMNS].to_csv(index=False).encode()).hexdigest()[:16]
