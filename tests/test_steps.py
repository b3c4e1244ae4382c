"""Claims about the order of training: what is assembled for a whole step is what each example is for itself."""

import numpy as np
import pytest

from lib import params
from lib.examples import example, lengths
from lib.steps import Steps


@pytest.fixture(scope="module")
def steps(index, drawing, first_special):
    few = drawing.model_copy(update={"masks_per_text": 2, "max_length": 45})  # several passes, and some are too long
    settings = params.load("params/demo/a1.yaml").model_copy(update={"examples": 240, "examples_per_step": 16})
    return Steps(index.iloc[:48], few, settings, 3, first_special)


def one_by_one(steps, index, number, mask):
    spans, ends, owner = steps.passes[number]
    text = [np.array(column, np.int32) for column in index.iloc[owner[mask]][["ids", "starts", "ends"]]]
    return example(*text, spans[ends[mask - 1] if mask else 0 : ends[mask]], steps.first_special)


def test_a_whole_step_holds_what_each_example_is_for_itself(steps, index):
    assert len(steps.passes) > 1, "no step reaches into another pass"
    for first in range(0, 240, 16):
        for place, *built in zip(steps.order[first : first + 16], *steps.examples(first, first + 16)):
            tokens, roles = one_by_one(steps, index, *place)
            assert np.array_equal(tokens, built[0]) and np.array_equal(roles, built[1])


def test_every_example_drawn_is_in_the_order_or_counted_as_dropped(steps, index):
    last = len(steps.passes) - 1
    for number, drawn in enumerate(steps.passes[:last]):
        alone = [one_by_one(steps, index, number, mask) for mask in range(len(drawn[-1]))]
        expected = [-1 if one is None else len(one[0]) for one in alone]
        assert lengths(steps.texts, *drawn).tolist() == expected
        fitting = {mask for mask, length in enumerate(expected) if 0 < length <= 45}
        assert set(steps.order[steps.order[:, 0] == number, 1]) == fitting
    assert steps.dropped["longer than the model takes"] > 0
    assert steps.tokens(240) == sum(len(tokens) for tokens in steps.examples(0, 240)[0])
