"""Made-up rows of a corpus whose learners climb through levels, copy pages, and nearly repeat each other."""

import re

import numpy as np
import pandas as pd

from lib.design import LEVELS

WORDS = ["cat", "dog", "sun", "bus", "tea", "pen", "map"]


def learners(n_learners=300, texts_each=4, seed=0):
    """Made-up corpus rows as `corpus.clean` leaves them: each learner has one L1 and climbs through two levels."""
    rng = np.random.default_rng(seed)
    rows = []
    for learner in range(n_learners):
        first, l1 = rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]), rng.choice(["Arabic", "French", "Turkish"])
        for n in range(texts_each):
            level, words = first + n // 2, " ".join(rng.choice(WORDS, 30))
            topic = str(10 * level + rng.integers(10))
            rows.append((len(rows), f"L{learner}", LEVELS[level], l1, topic, words))
    return pd.DataFrame(rows, columns=["text_id", "learner_id", "level", "l1", "topic_id", "text"])


def nearly(text):
    """The text with its fourth word and its last but one left out."""
    return re.sub(r"^(\S+ \S+ \S+) \S+(.*) \S+ (\S+)$", r"\1\2 \3", text)


def with_pages(texts, share, seed=0):
    """A share of the texts follow one of ten pages, with one word changed."""
    rng, texts = np.random.default_rng(seed), texts.copy()
    pages = [rng.choice(WORDS, 30) for _ in range(10)]
    for row in np.flatnonzero(rng.random(len(texts)) < share):
        words = pages[row % 10].copy()
        words[rng.integers(30)] = f"name{'abcdefghij'[row % 7]}"
        texts.loc[row, "text"] = " ".join(words)
    return texts
