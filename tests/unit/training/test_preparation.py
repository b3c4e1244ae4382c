"""Claims about what a training begins with."""

import numpy as np
import pytest

from lib.experiment import parameters
from lib.masking import frozen_masks
from lib.models import loading
from lib.training import preparation

SETTINGS = parameters.load_file("params/demo/a1.yaml").model_copy(update={"max_examples": 16, "n_embd": 32})


@pytest.fixture(scope="module")
def rows(index):
    return index.assign(level="B2")


def test_the_same_seed_gives_the_same_weights_and_examples(tokenizer, drawing, rows):
    prepared = [preparation.prepare_training(SETTINGS, drawing, tokenizer, rows, seed) for seed in (3, 3, 4)]
    weights = [loading.fingerprint(model) for _, model in prepared]
    assert weights[0] == weights[1] != weights[2]
    assert np.array_equal(prepared[0][0].order, prepared[1][0].order)


def test_level_prefix_adds_the_level_token_to_each_example(tokenizer, drawing, rows):
    frozen = frozen_masks.draw_frozen(rows, drawing, "training_mix", 1)
    plain = preparation.validation_set(SETTINGS, tokenizer, rows, frozen)
    settings = SETTINGS.model_copy(update={"level_prefix": True})
    prefixed = preparation.validation_set(settings, tokenizer, rows, frozen)
    assert prefixed[1][0][0] == tokenizer.convert_tokens_to_ids("4")
    assert all(np.array_equal(tokens[1:], plain_tokens) for tokens, plain_tokens in zip(prefixed[1], plain[1]))


def test_the_validation_subset_does_not_depend_on_order(rows, monkeypatch):
    monkeypatch.setattr(frozen_masks, "MAX_VALIDATION_TEXTS", 7)
    subset = frozen_masks.validation_subset(rows)
    reversed_subset = frozen_masks.validation_subset(rows.iloc[::-1])
    assert len(subset) == 7 and set(subset["text_id"]) == set(reversed_subset["text_id"])
    assert subset["text_id"].is_monotonic_increasing  # in the order of rows
