"""Claims about estimates: they grow with what they are of, and time and memory of a real training lie near them."""

import pytest
import torch

from lib import params, planning, training
from lib.steps import Steps


@pytest.fixture
def settings():
    return params.load("params/demo/a1.yaml").model_copy(update={"examples": 480, "examples_per_step": 24})


def plan(tokenizer, index, drawing, first_special, settings, rate=1e9):
    steps = Steps(index, drawing, settings, 0, first_special)
    model = training.start(settings, tokenizer, drawing.max_length)
    return planning.needs(model, steps, 0, 0, "cpu", rate), model, steps


def test_flop_are_six_for_each_multiplied_parameter_and_token(tokenizer, index, drawing, first_special, settings):
    found, model, steps = plan(tokenizer, index, drawing, first_special, settings)
    multiplied = sum(p.numel() for name, p in model.named_parameters() if "wpe" not in name)
    assert found["hours"] * 3600 * 1e9 * planning.REACHED["cpu"] == pytest.approx(6 * multiplied * steps.tokens(480))


def test_a_larger_model_and_a_slower_machine_need_more(tokenizer, index, drawing, first_special, settings):
    where = (tokenizer, index, drawing, first_special)
    small = plan(*where, settings)[0]
    large = plan(*where, settings.model_copy(update={"n_layer": 4, "n_embd": 192}))[0]
    slow = plan(*where, settings, rate=5e8)[0]
    assert all(large[name] > small[name] for name in small)
    assert slow == small | {"hours": pytest.approx(2 * small["hours"])}


def test_the_matrix_rate_is_that_of_a_machine():
    assert 1e9 < planning.matrix_rate("cpu") < 1e13 and torch.get_num_threads() >= 1
