"""Claims about the floor of a level, which knows how frequent tokens are, and about scores of the same tokens."""

import numpy as np
import pytest

from lib.evaluation import scoring
from lib.masking import frozen_masks


@pytest.fixture(scope="module")
def rows(index):
    """A1 has training and test texts, B1 test texts only."""
    level = np.where(np.arange(len(index)) < 40, "A1", "B1")
    split = np.where(np.arange(len(index)) < 20, "train", "test")
    return index.assign(level=level, split=split, learner_id="x", copied=False)


def test_the_floor_guesses_by_the_levels_own_training_text(rows, drawing, tokenizer):
    frozen = frozen_masks.freeze(rows[rows["split"] == "test"], drawing, "mix", 1)
    floor = scoring.floor(rows, frozen, len(tokenizer), scores=None)
    assert set(floor["level"]) == {"A1"} and (floor["model"] == "unigram").all()
    train = rows[rows["split"] == "train"]
    counts = np.bincount(np.concatenate(train["ids"].to_list()), minlength=len(tokenizer)) + 1
    most_likely = np.log(counts.sum() / counts.max())
    assert (floor["nll_text"] >= floor["n_tokens"] * most_likely - 1e-9).all()


def test_scores_are_of_the_same_tokens_or_not(rows, drawing, tokenizer):
    frozen = frozen_masks.freeze(rows[rows["split"] == "test"], drawing, "mix", 1)
    floor = scoring.floor(rows, frozen, len(tokenizer), scores=None)
    models = floor.assign(model="a1")
    assert scoring.same_tokens(floor, models)
    assert not scoring.same_tokens(floor.assign(n_tokens=floor["n_tokens"] + 1), models)
    assert not scoring.same_tokens(floor, models.iloc[1:])
