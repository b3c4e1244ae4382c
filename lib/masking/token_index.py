"""The index: units and tokens of each text, found once and stored in flat columns that compiled code can read."""

import contextlib
import os
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lib.masking.segmentation import segment

RESERVED = 64  # tokens of an example that are left for its special tokens
COLUMNS = ["units", "ids", "starts", "ends"]  # int32; units: type, character offset and length of each unit in turn
SCHEMA = pa.schema([(name, pa.list_(pa.int32())) for name in COLUMNS])
BLANK = "▁"  # how SentencePiece writes it in its vocabulary
CHUNK = 500  # texts that a process works on at once
PARALLEL_FROM = 20_000  # texts; with fewer, starting more processes takes longer than it saves


class TokenizedTexts(NamedTuple):
    """Units and tokens of many texts; those of text i are from bounds[i] to bounds[i + 1]."""

    ids: np.ndarray  # [tokens]
    starts: np.ndarray  # [tokens], characters
    ends: np.ndarray
    token_bounds: np.ndarray  # [texts + 1], into the tokens
    units: np.ndarray  # [units, 3]
    unit_bounds: np.ndarray  # [texts + 1], into the units

    @classmethod
    def of(cls, index):
        """The texts of some rows of the index."""
        units, unit_bounds = _flat(index["units"])
        ids, token_bounds = _flat(index["ids"])
        starts, _ = _flat(index["starts"])
        ends, _ = _flat(index["ends"])
        return cls(ids, starts, ends, token_bounds, units.reshape(-1, 3), unit_bounds // 3)


def _flat(lists):
    """A column of lists as (concatenated values, bounds of the lists)."""
    column = pa.array(lists, pa.list_(pa.int32()))
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    values = column.flatten().to_numpy(zero_copy_only=False)
    lengths = column.value_lengths().to_numpy(zero_copy_only=False)
    return values, np.concatenate([[0], np.cumsum(lengths)]).astype(int)


def read_index(path):
    """The index as a frame of text_id and COLUMNS, whose lists stay flat in memory."""
    return _frame(pq.read_table(path))


def _frame(table):
    return table.to_pandas(types_mapper=lambda dtype: pd.ArrowDtype(dtype) if pa.types.is_list(dtype) else None)


def build_index(texts, tokenizer, splitter, max_length, progress=lambda batches, total: batches, processes=None):
    """Units and tokens of each text.

    texts: a frame with text_id and text; processes: one for each core by default, or one if there are few texts. The
    result does not depend on it. Returns a frame of text_id and COLUMNS, without texts of more than
    max_length - RESERVED tokens.
    """
    chunks = [texts["text"].iloc[first : first + CHUNK].tolist() for first in range(0, len(texts), CHUNK)]
    processes = processes or (os.cpu_count() if len(texts) >= PARALLEL_FROM else 1)
    worker = {"initializer": _start_worker, "initargs": (tokenizer, splitter)}
    with contextlib.ExitStack() as stack:
        if processes > 1:
            pool = stack.enter_context(ProcessPoolExecutor(processes, **worker))
            batches = pool.map(_index_chunk, chunks)
        else:
            _start_worker(tokenizer, splitter)
            batches = map(_index_chunk, chunks)
        table = pa.Table.from_batches(progress(batches, total=len(chunks)), SCHEMA)
    table = table.add_column(0, "text_id", pa.array(texts["text_id"]))
    fits = pc.less_equal(pc.list_value_length(table["ids"]), max_length - RESERVED)
    if not pc.all(fits).as_py():  # filter only if needed, since it copies gigabytes
        table = table.filter(fits)
    return _frame(table)


def _start_worker(tokenizer, splitter):
    """Store tokenizer and splitter in this process, so that they are not sent with each chunk."""
    global _backend, _splitter
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the other cores work on other chunks
    _backend = tokenizer.backend_tokenizer
    _splitter = splitter


def _index_chunk(texts):
    """The index of a list of texts: a record batch of COLUMNS."""
    columns = [[segment(text, _splitter).ravel() for text in texts], *encode_all(_backend, texts)]
    return pa.record_batch([_lists(column) for column in columns], schema=SCHEMA)


def encode_all(backend, texts):
    """Token ids of corpus texts and their character ranges: three lists of int32 arrays, one array a text.

    backend: a fast tokenizer's `backend_tokenizer`. What it puts in front of each text, as its base expects, is there
    with an empty range. A blank that is a token of its own, as in some SentencePiece vocabularies, belongs to the word
    behind it: its range ends where the next token's does. The name of a special token in a learner's text is encoded as
    plain characters.
    """
    backend.encode_special_tokens = True
    encodings = backend.encode_batch(texts, add_special_tokens=True)
    ids = [np.array(encoding.ids, np.int32) for encoding in encodings]
    ranges = [np.array(encoding.offsets, np.int32).reshape(-1, 2) for encoding in encodings]
    blank = backend.token_to_id(BLANK)
    if blank is not None:
        for own_ids, starts_ends in zip(ids, ranges):
            (alone,) = np.nonzero(own_ids[:-1] == blank)
            starts_ends[alone, 1] = starts_ends[alone + 1, 1]
    return ids, [starts_ends[:, 0] for starts_ends in ranges], [starts_ends[:, 1] for starts_ends in ranges]


def encode(tokenizer, text):
    """`encode_all` for one text: int32 (ids, starts, ends)."""
    return tuple(column[0] for column in encode_all(tokenizer.backend_tokenizer, [text]))


def _lists(arrays):
    """Arrays, one a text, as a column of lists."""
    bounds = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int32)
    return pa.ListArray.from_arrays(bounds, np.concatenate(arrays))
