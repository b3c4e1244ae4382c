"""Claims about the gap between training texts and test texts like them."""

import numpy as np
import pandas as pd
import pytest

from lib.memorisation import extraction_gap


def sums(surprise, exact, n=60, seed=0):
    """n learners of 50 tokens and 20 words each, who differ a little."""
    rng = np.random.default_rng(seed)
    nll = 50 * (surprise + 0.05 * rng.standard_normal(n))
    return pd.DataFrame({"nll_text": nll, "n_tokens": 50, "right": rng.binomial(20, exact, n), "words": 20})


def told(*, gap=0.0, exact=0.0, n=60):
    return extraction_gap.gaps(sums(3.0, 0.3 + exact, n), sums(3.0 + np.log1p(gap), 0.3, n, seed=1), 0.05, 11)


def test_a_known_gap_is_measured():
    found = told(gap=0.5, exact=0.2)
    assert found["gap_lo"] < 0.5 < found["gap_hi"] and found["gap"] == pytest.approx(0.5, abs=0.05)
    assert found["exact_lo"] < 0.2 < found["exact_hi"]


def test_pairs_are_of_one_level_and_length_each_text_once():
    rng = np.random.default_rng(0)
    read, test = (pd.DataFrame({"level": rng.choice(["A1", "A2"], n), "n_tokens": rng.integers(5, 90, n)})
                  for n in (400, 60))  # fmt: skip
    read["text_id"] = range(400)
    one, other = extraction_gap.pairs(read, test, 50, 0)
    assert len(one) == len(other) == 50 and one["text_id"].is_unique
    assert (one["level"] == other["level"]).all() and (one["n_tokens"] - other["n_tokens"]).abs().mean() < 2
