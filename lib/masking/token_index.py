"""The index: each text's units and tokens, found once, in flat columns that compiled code walks over."""

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

ROOM = 64  # tokens of an example kept free for its special tokens
COLUMNS = ["units", "ids", "starts", "ends"]  # int32; units hold kind, character offset, length of each in turn
SCHEMA = pa.schema([(name, pa.list_(pa.int32())) for name in COLUMNS])
CHUNK = 500  # texts a process takes at once
WORTH = 20_000  # texts from which on a second process saves more time than its start takes


class TokenizedTexts(NamedTuple):
    """Units and tokens of many texts: those of text i stand from its bound to that of text i + 1."""

    ids: np.ndarray  # [tokens]
    starts: np.ndarray  # [tokens], characters
    ends: np.ndarray
    bounds: np.ndarray  # [texts + 1], into the tokens
    units: np.ndarray  # [units, 3]
    unit_bounds: np.ndarray  # [texts + 1], into the units

    @classmethod
    def of(cls, index):
        """From rows of the index."""
        (unit_rows, unit_bounds), (ids, bounds), (starts, _), (ends, _) = (_flat(index[name]) for name in COLUMNS)
        return cls(ids, starts, ends, bounds, unit_rows.reshape(-1, 3), unit_bounds // 3)


def _flat(lists):
    """A column of lists as (values in a row, bounds)."""
    column = pa.array(lists, pa.list_(pa.int32()))
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    values = column.flatten().to_numpy(zero_copy_only=False)
    return values, np.concatenate([[0], np.cumsum(column.value_lengths().to_numpy(zero_copy_only=False))]).astype(int)


def read_index(path):
    """The index as a frame: text_id, and the COLUMNS as lists that stay flat in memory."""
    return _frame(pq.read_table(path))


def _frame(table):
    return table.to_pandas(types_mapper=lambda kind: pd.ArrowDtype(kind) if pa.types.is_list(kind) else None)


def build_index(texts, tokenizer, splitter, max_length, progress=lambda found, total: found, processes=None):
    """Units and tokens of each text.

    texts: a frame with text_id and text. Returns a frame text_id, COLUMNS; texts of more than max_length - 64 tokens
    have no row. The same whatever the number of processes (by default one a core, where that is worth their start).
    """
    chunks = [texts["text"].iloc[at : at + CHUNK].tolist() for at in range(0, len(texts), CHUNK)]
    processes = processes or (os.cpu_count() if len(texts) >= WORTH else 1)
    with contextlib.ExitStack() as stack:
        if processes > 1:
            pool = stack.enter_context(ProcessPoolExecutor(processes, initializer=_use, initargs=(tokenizer, splitter)))
            found = pool.map(_of_chunk, chunks)
        else:
            _use(tokenizer, splitter)
            found = map(_of_chunk, chunks)
        table = pa.Table.from_batches(progress(found, total=len(chunks)), SCHEMA)
    table = table.add_column(0, "text_id", pa.array(texts["text_id"]))
    short = pc.less_equal(pc.list_value_length(table["ids"]), max_length - ROOM)
    return _frame(table if pc.all(short).as_py() else table.filter(short))  # a filter copies gigabytes


def _use(tokenizer, splitter):
    """Keep in this process what chunks are worked with, so that it is not sent along with each."""
    global _backend, _splitter
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the other cores have chunks of their own
    _backend, _splitter = tokenizer.backend_tokenizer, splitter


def _of_chunk(texts):
    """The index of some texts: a record batch of COLUMNS."""
    columns = [[segment(text, _splitter).ravel() for text in texts], *encode_all(_backend, texts)]
    return pa.record_batch([_lists(column) for column in columns], schema=SCHEMA)


def encode_all(backend, texts):
    """Token ids of corpus texts with their character ranges: three lists of int32 arrays, one array a text.

    backend: a fast tokenizer's `backend_tokenizer`. A learner who types a special token's name has written plain
    characters: encode_special_tokens.
    """
    backend.encode_special_tokens = True
    coded = backend.encode_batch(texts, add_special_tokens=False)
    ranges = [np.array(text.offsets, np.int32).reshape(-1, 2) for text in coded]
    ids = [np.array(text.ids, np.int32) for text in coded]
    return ids, [both[:, 0] for both in ranges], [both[:, 1] for both in ranges]


def encode(tokenizer, text):
    """`encode_all` for one text: int32 (ids, starts, ends)."""
    return tuple(column[0] for column in encode_all(tokenizer.backend_tokenizer, [text]))


def _lists(arrays):
    """One array a text as a column of lists."""
    bounds = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int32)
    return pa.ListArray.from_arrays(bounds, np.concatenate(arrays))
