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
    made = [preparation.first_step_loss(SETTINGS, drawing, tokenizer, rows, seed) for seed in (3, 3, 4)]
    weights = [loading.fingerprint(network) for _, network in made]
    assert weights[0] == weights[1] != weights[2]
    assert np.array_equal(made[0][0].order, made[1][0].order)


def test_a_level_token_is_told_where_it_is_asked_for(tokenizer, drawing, rows):
    frozen = frozen_masks.draw_frozen(rows, drawing, "training_mix", 1)
    plain = preparation.validation_set(SETTINGS, tokenizer, rows, frozen)
    told = preparation.validation_set(SETTINGS.model_copy(update={"level_prefix": True}), tokenizer, rows, frozen)
    assert told[1][0][0] == tokenizer.convert_tokens_to_ids("4")
    assert all(np.array_equal(one[1:], other) for one, other in zip(told[1], plain[1]))


def test_the_valid_texts_are_few_and_do_not_depend_on_order(rows, monkeypatch):
    monkeypatch.setattr(frozen_masks, "MAX_VALIDATION_TEXTS", 7)
    some, again = (frozen_masks.validation_subset(one) for one in (rows, rows.iloc[::-1]))
    assert len(some) == 7 and set(some["text_id"]) == set(again["text_id"])
    assert some["text_id"].is_monotonic_increasing  # as they stood
