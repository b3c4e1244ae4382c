"""What 02_mask makes once for all models: the tokenizer, each text's units and tokens, and the frozen masks."""

import hashlib

import numpy as np
import pandas as pd
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from lib import masks
from lib.examples import SPECIALS, encode, example
from lib.units import units

ROOM = 64  # tokens of an example kept free for its special tokens
MASK_COLUMNS = ["text_id", "mask_type", "mask_set", "span_type", "char_offset", "char_length"]
CANDIDATES = 16  # masks drawn for a text before its frozen ones are chosen


def tokenizer(name, training_texts, vocabulary):
    """The tokenizer of an experiment with ILM's seven special tokens behind its last id.

    name: "bpe" trains a byte-level BPE of `vocabulary` tokens on training_texts; else a Hugging Face name or folder,
    which must be a fast tokenizer (its character offsets place the blanks).
    """
    base = _train_bpe(training_texts, vocabulary) if name == "bpe" else _published(name)
    if not base.is_fast:
        raise ValueError(f"tokenizer {name} gives no character offsets; choose one with a tokenizer.json")
    base.add_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIALS])
    return base


def _published(name):
    from transformers import AutoTokenizer  # here, since it brings torch along, which 02_mask does without

    return AutoTokenizer.from_pretrained(name)


def _train_bpe(training_texts, vocabulary):
    coder = Tokenizer(models.BPE())
    coder.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    coder.post_processor = processors.ByteLevel(trim_offsets=False)
    coder.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()  # all 256 bytes, so nothing is ever unknown
    end = "<|endoftext|>"
    how = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[end], initial_alphabet=alphabet, show_progress=False
    )
    coder.train_from_iterator(training_texts, how)
    return PreTrainedTokenizerFast(tokenizer_object=coder, bos_token=end, eos_token=end)


def index(texts, tokenizer, splitter, max_length, progress=iter):
    """Units and tokens of each text, found once and read by every later notebook.

    Returns a frame text_id, units (int32 [n, 3] in one row of 3n), ids, starts, ends (int32, one a token);
    texts of more than max_length - 64 tokens have no row.
    """
    rows = []
    for text_id, text in progress(list(zip(texts["text_id"], texts["text"]))):
        ids, starts, ends = encode(tokenizer, text)
        if len(ids) <= max_length - ROOM:
            rows.append((text_id, units(text, splitter).ravel(), ids, starts, ends))
    return pd.DataFrame(rows, columns=["text_id", "units", "ids", "starts", "ends"])


def freeze(index, drawing, mask_type, n_sets, first_special):
    """The masks that every model is tested on: the first n_sets of a text that are not empty and fit its tokens.

    drawing: Masks parameters. Returns MASK_COLUMNS, one row a span; span_type counts as in masks.TYPES.
    A text too short for n_sets different masks has fewer.
    """
    rate = drawing.p if mask_type == "mix" else drawing.typed_rate
    chance, ngram_share = masks.chances(rate, drawing.ngram_share, mask_type)
    units = [row.reshape(-1, 3) for row in index["units"]]
    keys = np.array([masks.text_key(text_id) for text_id in index["text_id"]], np.uint64)
    how = (masks.FROZEN[mask_type], 0, CANDIDATES, drawing.tries, chance, ngram_share, drawing.max_ngram)
    spans, ends, owner = masks.draw(units, keys, drawing.mask_seed, *how)
    rows, taken = [], np.zeros(len(index), int)
    texts = list(index.itertuples())
    for mask, text in enumerate(owner):
        own = spans[ends[mask - 1] if mask else 0 : ends[mask]]
        if taken[text] < n_sets and len(own) and _fits(texts[text], own, first_special, drawing.max_length):
            rows.extend((texts[text].text_id, mask_type, taken[text], *map(int, span)) for span in own)
            taken[text] += 1
    return pd.DataFrame(rows, columns=MASK_COLUMNS)


def _fits(text, spans, first_special, max_length):
    built = example(text.ids, text.starts, text.ends, spans, first_special)
    return built is not None and len(built[0]) <= max_length


def mask_hash(frozen):
    """16 hexadecimal digits that name a set of frozen masks."""
    return hashlib.sha256(frozen[MASK_COLUMNS].to_csv(index=False).encode()).hexdigest()[:16]
