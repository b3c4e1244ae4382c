"""Scores of a model: sums of -ln p over the answers of frozen masks, one row per masked text."""

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
from lib.masking.segmentation import WORD
from lib.masking.token_index import TokenizedTexts
from lib.models import packing

KEYS = ["text_id", "mask_type", "mask_set"]
BATCH_TOKENS = 4096  # that the model reads at once
ANSWER_ROLES = (INFILL, INFILL_SPECIAL)


def frozen_examples(index, masks, first_special, prefix=None):
    """Examples of frozen masks. None is cut or left out: 02_mask draws only masks that fit.

    index: rows of the token index; masks: rows of masks/<split>.parquet; prefix: int [rows of index], a token with
    which each text's examples begin, or None. Returns (keys, tokens, roles): keys a frame with text_id, mask_type,
    mask_set, n_chars and n_words (characters and words masked), tokens and roles one array per row of keys.
    """
    masks = masks.sort_values([*KEYS, "char_offset"], ignore_index=True)
    spans = masks[["span_type", "char_offset", "char_length"]].to_numpy(np.int32)
    keys = masks.groupby(KEYS, sort=True).agg(n_spans=("char_length", "size"), n_chars=("char_length", "sum"))
    span_ends = keys.pop("n_spans").cumsum().to_numpy()
    keys = keys.reset_index()
    text_rows = pd.Index(index["text_id"]).get_indexer(keys["text_id"]).astype(np.int32)
    if (text_rows < 0).any():
        raise ValueError(f"{(text_rows < 0).sum()} frozen masks are of texts that the index lacks: run 02_mask again")
    texts = TokenizedTexts.of(index)
    keys["n_words"] = _words_masked(texts, spans, span_ends, text_rows)
    drawn = spans, span_ends, text_rows
    lengths = example_lengths(texts, *drawn)
    if (lengths < 0).any():
        raise ValueError(f"{(lengths < 0).sum()} frozen masks do not fit their text: run 02_mask again")
    tokens, roles = build_examples(texts, drawn, np.arange(len(keys)), lengths, first_special)
    if prefix is not None and len(keys):
        prefixed = [add_prefix(*example) for example in zip(prefix[text_rows], tokens, roles)]
        tokens, roles = map(list, zip(*prefixed))
    return keys, tokens, roles


def _words_masked(texts, spans, span_ends, text_rows):
    """Words that begin in the blanks of each mask, as 02_mask cuts them: punctuation marks count. int [masks]."""
    is_word = texts.units[:, 0] == WORD
    n_units = np.diff(texts.unit_bounds)
    text_of_unit = np.repeat(np.arange(len(n_units)), n_units)
    text_of_span = np.repeat(text_rows, np.diff(span_ends, prepend=0)).astype(np.int64)
    width = 1 + texts.units[:, 1:].sum(axis=1).max(initial=0)  # more than the length of any text, in characters
    words = text_of_unit[is_word] * width + texts.units[is_word, 1]  # ascending, since units are in reading order
    starts = text_of_span * width + spans[:, 1]
    n_words = np.searchsorted(words, starts + spans[:, 2]) - np.searchsorted(words, starts)
    totals = np.concatenate([[0], np.cumsum(n_words)])
    return np.diff(totals[span_ends], prepend=0)


def score(model, keys, tokens, roles, batch_tokens=BATCH_TOKENS, progress=iter, class_sums=None):
    """Sums of -ln p (nats) per masked text. They do not depend on the rest of a batch.

    Returns keys with n_tokens and nll_text (answer tokens), nll_full (with the end tokens), n_context and nll_context
    (context tokens except the first, which nothing predicts); sums in float64. Context is scored on the training mix
    only, as in training, because it is most of the work; elsewhere n_context is 0. class_sums: a
    `token_classes.ClassSums`, to which the losses of answer tokens are added.
    """
    with_context = np.ones(len(keys), bool)
    if "mask_type" in keys:
        with_context = keys["mask_type"] == "training_mix"
    scored_roles = {True: token_roles(CONTEXT, *ANSWER_ROLES), False: token_roles(*ANSWER_ROLES)}
    targets = [(role * scored_roles[context][role]).astype(np.int64) for role, context in zip(roles, with_context)]
    sums = np.zeros((len(tokens), len(ROLES)))
    model.eval()
    with torch.inference_mode(), packing.packed_attention(model):
        for batch in progress(_batches(tokens, batch_tokens)):
            for numbers, packed, losses in _batch_losses(model, batch, tokens, targets):
                example = np.searchsorted(packed["cu_seqlens"], packed["target_positions"], side="right") - 1
                target_roles = packed["loss_weights"]  # 0, the role of no token, for padding
                np.add.at(sums, (numbers[example], target_roles), losses)
                if class_sums is not None:
                    class_sums.add(numbers, losses[target_roles == INFILL])
    counts = np.zeros((len(tokens), len(ROLES)), np.int64)
    for count, target in zip(counts, targets):
        count += np.bincount(target[1:], minlength=len(ROLES))
    return keys.assign(
        n_tokens=counts[:, INFILL],
        nll_text=sums[:, INFILL],
        nll_full=sums[:, INFILL] + sums[:, INFILL_SPECIAL],
        n_end=counts[:, INFILL_SPECIAL],
        n_context=counts[:, CONTEXT],
        nll_context=sums[:, CONTEXT],
    )


def _batch_losses(model, numbers, tokens, targets):
    """Yield (numbers of masked texts, their packed batch, its losses in float64), in halves if memory runs out.

    numbers: int array. Raises torch.OutOfMemoryError if a single text does not fit.
    """
    packed = packing.pack_examples([tokens[i] for i in numbers], [targets[i] for i in numbers])
    try:
        losses = packing.token_losses(model, packing.to_tensors(packed, model.device)).cpu().double().numpy()
    except torch.OutOfMemoryError:
        if len(numbers) == 1:
            raise
        losses = None
    if losses is None:  # outside the except block, which would keep the tensors of the failed attempt alive
        for half in np.array_split(numbers, 2):
            yield from _batch_losses(model, half, tokens, targets)
    else:
        yield numbers, packed, losses


def unscored(keys):
    """The result of `score` without rows, for a model that is n/a."""
    counts = dict.fromkeys(["n_tokens", "n_end", "n_context"], np.zeros(0, np.int64))
    sums = dict.fromkeys(["nll_text", "nll_full", "nll_context"], np.zeros(0))
    columns = ["n_tokens", "nll_text", "nll_full", "n_end", "n_context", "nll_context"]
    return keys.iloc[:0].assign(**{name: (counts | sums)[name] for name in columns})


def _batches(tokens, batch_tokens):
    """Numbers of masked texts in batches whose tokens just reach batch_tokens."""
    n_before = np.cumsum([0, *map(len, tokens)])[:-1]  # tokens
    batches = np.split(np.arange(len(tokens)), np.flatnonzero(np.diff(n_before // batch_tokens)) + 1)
    return [batch for batch in batches if len(batch)]


def unigram(keys, tokens, roles, train_ids, n_vocabulary):
    """Scores of the unigram baseline: answer tokens by their frequency in the training texts (add-one smoothing).

    train_ids: int array, all training tokens. Returns keys with n_tokens and nll_text.
    """
    counts = np.bincount(train_ids, minlength=n_vocabulary) + 1
    surprisal = np.log(counts.sum()) - np.log(counts)
    answers = [token[role == INFILL] for token, role in zip(tokens, roles)]
    n_tokens = np.array([len(answer) for answer in answers], np.int64)
    return keys.assign(n_tokens=n_tokens, nll_text=np.array([surprisal[answer].sum() for answer in answers], float))


def unigram_scores(index, frozen, vocabulary, scores):
    """Scores of `unigram` at each level with training texts, in the columns of a model's scores.

    The baseline does not predict end tokens and context. index: rows of the token index with level, split and the
    columns of scores that describe a text; frozen: masks/test.parquet; vocabulary: number of tokens, special ones
    included; scores: of the models, which give an empty table its columns.
    """
    tables = []
    for _, rows in index.groupby("level"):
        train = rows[rows["split"] == "train"]
        test = rows[rows["split"] == "test"]
        if len(train):
            masks = frozen[frozen["text_id"].isin(test["text_id"])]
            examples = frozen_examples(test, masks, vocabulary - len(SPECIALS))
            table = unigram(*examples, np.concatenate(train["ids"].to_list()), vocabulary)
            tables.append(table.merge(test, on="text_id"))
    baseline = pd.concat(tables) if tables else scores.iloc[:0]
    return baseline.assign(model="unigram", seed=0, nll_full=0.0, nll_context=0.0, n_context=1)


def same_tokens_as(scores, reference):
    """Does `reference` have every masked text of `scores`, with the same number of tokens?"""
    expected = reference.drop_duplicates(KEYS)[[*KEYS, "n_tokens"]]
    both = scores.merge(expected, on=KEYS, validate="m:1")
    return len(both) == len(scores) and bool((both["n_tokens_x"] == both["n_tokens_y"]).all())
