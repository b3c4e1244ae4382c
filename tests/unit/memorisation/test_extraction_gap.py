"""Claims about the gap between training texts and similar test texts."""

import numpy as np
import pandas as pd
import pytest

from lib.memorisation import extraction_gap


def sums(surprisal, exact, n=60, seed=0):
    """n learners of 50 tokens and 20 words each, who differ a little."""
    rng = np.random.default_rng(seed)
    nll = 50 * (surprisal + 0.05 * rng.standard_normal(n))
    return pd.DataFrame({"nll_text": nll, "n_tokens": 50, "right": rng.binomial(20, exact, n), "words": 20})


def measured(*, gap=0.0, exact=0.0, n=60):
    return extraction_gap.gaps(sums(3.0, 0.3 + exact, n), sums(3.0 + np.log1p(gap), 0.3, n, seed=1), 0.05, 11)


def test_a_known_gap_is_measured():
    found = measured(gap=0.5, exact=0.2)
    assert found["gap_lo"] < 0.5 < found["gap_hi"] and found["gap"] == pytest.approx(0.5, abs=0.05)
    assert found["exact_lo"] < 0.2 < found["exact_hi"]


def test_pairs_have_one_level_and_similar_length():
    rng = np.random.default_rng(0)
    train, test = (pd.DataFrame({"level": rng.choice(["A1", "A2"], n), "n_tokens": rng.integers(5, 90, n)})
                  for n in (400, 60))  # fmt: skip
    train["text_id"] = range(400)
    paired_train, paired_test = extraction_gap.pairs(train, test, 50, 0)
    assert len(paired_train) == len(paired_test) == 50 and paired_train["text_id"].is_unique
    assert (paired_train["level"] == paired_test["level"]).all()
    assert (paired_train["n_tokens"] - paired_test["n_tokens"]).abs().mean() < 2
