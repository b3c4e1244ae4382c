"""The masks on which all models are evaluated, drawn once and stored."""

import hashlib

import numpy as np
import pandas as pd

from lib.masking import masks
from lib.masking.examples import example_lengths
from lib.masking.token_index import TokenizedTexts

MASK_COLUMNS = ["text_id", "mask_type", "mask_set", "span_type", "char_offset", "char_length"]
MAX_VALIDATION_TEXTS = 2000  # texts of an evaluation during training: with more, it would cost more than the training
CANDIDATES = 16  # masks drawn for each text, of which the first that fit are taken


def draw_frozen(index, mask_settings, mask_type, n_sets):
    """The frozen masks of one type: of each text, the first n_sets that have a span and fit its tokens.

    index: rows of the index; mask_settings: Masks parameters. Returns a frame of MASK_COLUMNS, one row a span, with
    span_type as a number of masks.TYPES. A text that is too short for n_sets different masks has fewer.
    """
    texts = TokenizedTexts.of(index)
    text_ids = index["text_id"].to_numpy()
    keys = masks.text_keys(text_ids)
    purpose = masks.FROZEN[mask_type]
    drawn = masks.draw(texts, keys, mask_settings, mask_settings.mask_seed, purpose, 0, CANDIDATES, mask_type)
    spans, ends, owner = drawn
    n_spans = np.diff(ends, prepend=0)
    lengths = example_lengths(texts, *drawn)
    fits = (n_spans > 0) & (lengths > 0) & (lengths < mask_settings.max_length)  # one token is left for a level token
    mask_set = pd.Series(fits.astype(int)).groupby(owner).cumsum().to_numpy() - 1  # counts masks that fit, from 0
    chosen = np.flatnonzero(fits & (mask_set < n_sets))
    mask_of_span = np.repeat(chosen, n_spans[chosen])
    is_chosen = np.isin(np.repeat(np.arange(len(ends)), n_spans), chosen)
    kind, offset, length = spans[is_chosen].astype(int).T
    return pd.DataFrame(
        {
            "text_id": text_ids[owner[mask_of_span]],
            "mask_type": np.full(len(mask_of_span), mask_type, object),
            "mask_set": mask_set[mask_of_span],
            "span_type": kind,
            "char_offset": offset,
            "char_length": length,
        }
    )


def validation_subset(rows):
    """The rows of the validation texts on which training is evaluated: MAX_VALIDATION_TEXTS at most, chosen by hash."""
    return _first_by_hash(rows, MAX_VALIDATION_TEXTS)


def evaluated_texts(rows, per_level):
    """The rows of texts that get frozen masks: at most per_level of each level, chosen by hash; all where it is None.

    rows: with text_id and level.
    """
    if per_level is None:
        return rows
    chosen = [_first_by_hash(of_level, per_level) for _, of_level in rows.groupby("level")]
    return rows[rows["text_id"].isin(pd.concat(chosen)["text_id"])]


def _first_by_hash(rows, n):
    """n rows at most, chosen by the hash of text_id, in their order."""
    chosen = np.argsort(masks.text_keys(rows["text_id"]))[:n]
    return rows.iloc[np.sort(chosen)]


def mask_hash(frozen):
    """16 hexadecimal digits that identify a set of frozen masks."""
    return hashlib.sha256(frozen[MASK_COLUMNS].to_csv(index=False).encode()).hexdigest()[:16]
