"""Claims about the order of examples: a step holds its examples as they are built one by one."""

import numpy as np
import pytest

from lib.experiment import parameters
from lib.masking.examples import PAD, build_example, build_examples, example_lengths, loss_weights
from lib.training.dataset import Steps


@pytest.fixture(scope="module")
def steps(index, drawing, first_special):
    few = drawing.model_copy(update={"masks_per_text": 2, "max_length": 45})  # several passes; some are too long
    settings = parameters.load_file("params/demo/a1.yaml").model_copy(
        update={"max_examples": 240, "examples_per_step": 16}
    )
    return Steps(index.iloc[:48], few, settings, 3, first_special)


def build_alone(steps, index, number, mask):
    spans, ends, owner = steps.passes[number]
    text = [np.array(column, np.int32) for column in index.iloc[owner[mask]][["ids", "starts", "ends"]]]
    return build_example(*text, spans[ends[mask - 1] if mask else 0 : ends[mask]], steps.first_special)


def test_a_step_holds_its_examples_as_each_is_built_alone(steps, index):
    assert len(steps.passes) > 1, "no step contains the end of a pass"
    for first in range(0, 240, 16):
        for number_and_mask, *built in zip(steps.order[first : first + 16], *steps.examples(first, first + 16)):
            tokens, roles = build_alone(steps, index, *number_and_mask)
            assert np.array_equal(tokens, built[0]) and np.array_equal(roles, built[1])


def test_a_level_token_comes_first_and_changes_nothing_else(steps, index, first_special):
    plain = steps.mask_settings.model_copy(update={"max_length": 256})
    settings = steps.settings.model_copy(update={"max_examples": 48})
    prefix = np.arange(48) % 5 + 16  # of each text
    with_token = Steps(index.iloc[:48], plain, settings, 3, first_special, prefix)
    without = Steps(index.iloc[:48], plain, settings, 3, first_special)
    assert np.array_equal(with_token.order, without.order)
    assert with_token.lengths.tolist() == (without.lengths + 1).tolist()
    level_tokens = without.table(48)["text_id"].map(dict(zip(index["text_id"], prefix)))
    pairs = zip(level_tokens, zip(*with_token.examples(0, 48)), zip(*without.examples(0, 48)))
    for level_token, (tokens, roles), (plain_tokens, plain_roles) in pairs:
        assert tokens.tolist() == [level_token, *plain_tokens] and tokens.dtype == plain_tokens.dtype
        assert roles[0] == PAD and roles[2:].tolist() == plain_roles[1:].tolist()
    weights = [np.concatenate(loss_weights(dataset.examples(0, 16)[1])) for dataset in (with_token, without)]
    assert weights[0][weights[0] > 0].tolist() == weights[1][weights[1] > 0].tolist()
    assert with_token[0]["targets"].tolist() == without[0]["targets"].tolist()


def test_every_example_drawn_is_in_the_order_or_counted_as_dropped(steps, index):
    last = len(steps.passes) - 1
    for number, drawn in enumerate(steps.passes[:last]):
        alone = [build_alone(steps, index, number, mask) for mask in range(len(drawn[-1]))]
        expected = [-1 if example is None else len(example[0]) for example in alone]
        assert example_lengths(steps.texts, *drawn).tolist() == expected
        fitting = {mask for mask, length in enumerate(expected) if 0 < length <= 45}
        assert set(steps.order[steps.order[:, 0] == number, 1]) == fitting
    assert steps.dropped["longer than max_length"] > 0
    assert steps.tokens(240) == sum(len(tokens) for tokens in steps.examples(0, 240)[0])


def test_no_mask_makes_no_example(steps, first_special):
    none = np.empty(0, np.int32)
    assert build_examples(steps.texts, steps.passes[0], none, none, first_special) == ([], [])


def test_a_training_without_texts_is_refused(index, drawing, settings, first_special):
    with pytest.raises(ValueError, match="0 training texts"):
        Steps(index.iloc[:0], drawing, settings, 0, first_special)
