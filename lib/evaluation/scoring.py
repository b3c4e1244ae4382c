"""How surprised a model is: sums of -ln p over the answers of frozen masks, one row a masked text."""

import numpy as np
import pandas as pd
import torch

from lib.masking.examples import (
    CONTEXT,
    INFILL,
    INFILL_SPECIAL,
    ROLES,
    SPECIALS,
    add_prefix,
    build_examples,
    example_lengths,
    token_roles,
)
from lib.masking.token_index import TokenizedTexts
from lib.models import packing

KEYS = ["text_id", "mask_type", "mask_set"]
BATCH = 4096  # tokens the model sees at once
ANSWERS = (INFILL, INFILL_SPECIAL)


def frozen_examples(index, masks, first_special, first=None):
    """Examples of frozen masks (02 drew only masks that fit, so each must arrive).

    index: rows of the index; masks: rows of masks/<part>.parquet; first: int [rows of index], a token that each text's
    examples begin with, or None. Returns (keys, tokens, roles): keys a frame with text_id, mask_type, mask_set and
    n_chars (characters masked), tokens and roles one array a row of keys.
    """
    masks = masks.sort_values([*KEYS, "char_offset"], ignore_index=True)
    spans = masks[["span_type", "char_offset", "char_length"]].to_numpy(np.int32)
    keys = masks.groupby(KEYS, sort=True).agg(n_spans=("char_length", "size"), n_chars=("char_length", "sum"))
    ends, keys = keys.pop("n_spans").cumsum().to_numpy(), keys.reset_index()
    owner = pd.Index(index["text_id"]).get_indexer(keys["text_id"]).astype(np.int32)
    if (owner < 0).any():
        raise ValueError(f"{(owner < 0).sum()} frozen masks are of texts that the index lacks: run 02_mask again")
    texts, drawn = TokenizedTexts.of(index), (spans, ends, owner)
    length = example_lengths(texts, *drawn)
    if (length < 0).any():
        raise ValueError(f"{(length < 0).sum()} frozen masks do not fit their text: run 02_mask again")
    built = build_examples(texts, drawn, np.arange(len(keys)), length, first_special)
    if first is not None and len(keys):
        built = map(list, zip(*map(add_prefix, first[owner], *built)))
    return keys, *built


def score(model, keys, tokens, roles, batch=BATCH, progress=iter):
    """Sums of -ln p (nats) per masked text, the same whatever stands beside it in a batch.

    Returns keys with n_tokens and nll_text (answer tokens), nll_full (with the end tokens), n_context and
    nll_context (context tokens but the first, which nothing predicts); sums in float64. Context is scored with
    masks of the mix only, as it is in training; it is most of the work, and elsewhere n_context is 0.
    """
    mix = keys["mask_type"] == "training_mix" if "mask_type" in keys else np.ones(len(keys), bool)
    kept = {True: token_roles(CONTEXT, *ANSWERS), False: token_roles(*ANSWERS)}
    targets = [(role * kept[whole][role]).astype(np.int64) for role, whole in zip(roles, mix)]
    sums = np.zeros((len(tokens), len(ROLES)))
    model.eval()
    with torch.inference_mode(), packing.packed_attention(model):
        for some in progress(_batches(tokens, batch)):
            for part, stream, losses in _scored(model, some, tokens, targets):
                owner = part[np.searchsorted(stream["bounds"], stream["where"], side="right") - 1]
                np.add.at(sums, (owner, stream["values"]), losses)  # what fills a stream up has the role of none
    counts = np.zeros((len(tokens), len(ROLES)), np.int64)
    for count, target in zip(counts, targets):
        count += np.bincount(target[1:], minlength=len(ROLES))
    answers = {"n_tokens": counts[:, INFILL], "nll_text": sums[:, INFILL]}
    ends = {"nll_full": sums[:, INFILL] + sums[:, INFILL_SPECIAL], "n_end": counts[:, INFILL_SPECIAL]}
    return keys.assign(**answers, **ends, n_context=counts[:, CONTEXT], nll_context=sums[:, CONTEXT])


def _scored(model, some, tokens, targets):
    """Yield (numbers of texts, their stream, its losses in float64); half of them at a time where memory runs out.

    some: int array, numbers of texts. Raises torch.OutOfMemoryError when a single text does not fit.
    """
    stream = packing.pack_examples([tokens[i] for i in some], [targets[i] for i in some])
    try:
        losses = packing.token_losses(model, packing.to_tensors(stream, model.device)).cpu().double().numpy()
    except torch.OutOfMemoryError:
        if len(some) == 1:
            raise
        losses = None
    if losses is None:  # outside the except block, which would keep the tensors of the attempt alive
        for half in np.array_split(some, 2):
            yield from _scored(model, half, tokens, targets)
    else:
        yield some, stream, losses


def unscored(keys):
    """What `score` returns, without a row: the scores of a model that does not exist."""
    sums = ["n_tokens", "nll_text", "nll_full", "n_end", "n_context", "nll_context"]
    return keys.iloc[:0].assign(**{name: np.zeros(0, np.int64 if name[:2] == "n_" else np.float64) for name in sums})


def _batches(tokens, batch):
    """Numbers of texts, so many together that their tokens just reach `batch`."""
    before = np.cumsum([0, *map(len, tokens)])[:-1]  # tokens
    parts = np.split(np.arange(len(tokens)), np.flatnonzero(np.diff(before // batch)) + 1)
    return [part for part in parts if len(part)]


def unigram(keys, tokens, roles, train_ids, n_vocabulary):
    """Scores of the floor: answer tokens guessed from their share of the training text (add-one), blind to context.

    train_ids: int array, all training tokens. Returns keys with n_tokens and nll_text.
    """
    counts = np.bincount(train_ids, minlength=n_vocabulary) + 1
    surprisal = np.log(counts.sum()) - np.log(counts)
    answers = [token[role == INFILL] for token, role in zip(tokens, roles)]
    n_tokens = np.array([len(answer) for answer in answers], np.int64)
    return keys.assign(n_tokens=n_tokens, nll_text=np.array([surprisal[answer].sum() for answer in answers], float))


def unigram_scores(index, frozen, vocabulary, scores):
    """The scores of `unigram` at each level that has training and test texts, as those of a model: without what it does
    not foretell, the ends of answers and the context.

    index: rows of the index with level, split and what scores have of a text; frozen: masks/test.parquet; vocabulary:
    tokens, special ones included; scores: those of the models, as which an empty table looks.
    """
    floors = []
    for _, rows in index.groupby("level"):
        train, test = rows[rows["split"] == "train"], rows[rows["split"] == "test"]
        if len(train):
            masked = frozen[frozen["text_id"].isin(test["text_id"])]
            built = frozen_examples(test, masked, vocabulary - len(SPECIALS))
            guessed = unigram(*built, np.concatenate(train["ids"].to_list()), vocabulary)
            floors.append(guessed.merge(test, on="text_id"))
    floor = pd.concat(floors) if floors else scores.iloc[:0]
    return floor.assign(model="unigram", seed=0, nll_full=0.0, nll_context=0.0, n_context=1)


def same_tokens_as(these, scores):
    """Are these scores, of whatever model, of masked texts that `scores` has, and token for token the same?"""
    each = scores.drop_duplicates(KEYS)[[*KEYS, "n_tokens"]]
    both = these.merge(each, on=KEYS, validate="m:1")
    return len(both) == len(these) and bool((both["n_tokens_x"] == both["n_tokens_y"]).all())
