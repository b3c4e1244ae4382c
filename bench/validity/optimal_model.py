"""What the best possible model would pay for the blanks of lib/synthetic/known_answers.py, mask by mask."""

import numpy as np
import pandas as pd

from lib.evaluation.scoring import KEYS
from lib.synthetic.known_answers import ODD, law, pair_words


def hidden_words(texts, frozen):
    """What each frozen mask hides and leaves: frame text_id, mask_type, mask_set, words, visible (lists of str).

    texts: frame text_id, text, words parted by spaces; frozen: rows of masks/<part>.parquet.
    """
    rows, text_of = [], dict(zip(texts["text_id"], texts["text"]))
    for key, spans in frozen.groupby(KEYS, sort=False):
        text, hidden, left, at = text_of[key[0]], [], [], 0
        for offset, length in spans[["char_offset", "char_length"]].to_numpy():
            left += text[at:offset].split()
            at = offset + length
            hidden += text[offset:at].split()
        rows.append((*key, hidden, left + text[at:].split()))
    return pd.DataFrame(rows, columns=[*KEYS, "words", "visible"])


def hides_pair(words):
    """Whether x or y of a text of `hidden_levels` is among words: only there is the level worth anything."""
    return not set(pair_words()).isdisjoint(words)


def is_y(words):
    """Whether words are one y of `hidden_levels` and nothing else: its x is left."""
    return len(words) == 1 and words[0] in pair_words()[ODD:]


def nats(words):
    """-ln p of words, each drawn for itself from the law of `known_law`."""
    surprise = dict(zip(law()[0], -np.log(law()[1])))
    return sum(surprise[word] for word in words)
