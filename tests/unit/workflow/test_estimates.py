"""Claims about estimates: hours, memory and disk by hand, and the same from files as from a model in memory."""

import pytest
import torch

from lib.experiment import parameters
from lib.models import initialization
from lib.training.dataset import Steps
from lib.workflow import estimates


@pytest.fixture
def settings():
    return parameters.load_file("params/demo/a1.yaml").model_copy(update={"max_examples": 480, "examples_per_step": 24})


def needs(tokenizer, index, drawing, first_special, settings, rate=1e9):
    steps = Steps(index, drawing, settings, 0, first_special)
    model = initialization.initial_model(settings, tokenizer, drawing.max_length)
    return estimates.estimate(model, steps, 0, 0, "cpu", rate), model, steps


def test_flop_are_six_for_each_multiplied_parameter_and_token(tokenizer, index, drawing, first_special, settings):
    found, model, steps = needs(tokenizer, index, drawing, first_special, settings)
    multiplied = sum(p.numel() for name, p in model.named_parameters() if "wpe" not in name)
    assert found["hours"] * 3600 * 1e9 * estimates.REACHED["cpu"] == pytest.approx(6 * multiplied * steps.tokens(480))


def test_a_larger_model_and_a_slower_machine_need_more(tokenizer, index, drawing, first_special, settings):
    inputs = (tokenizer, index, drawing, first_special)
    small = needs(*inputs, settings)[0]
    large = needs(*inputs, settings.model_copy(update={"n_layer": 4, "n_embd": 192}))[0]
    slow = needs(*inputs, settings, rate=5e8)[0]
    assert all(large[name] > small[name] for name in small)
    assert slow == small | {"hours": pytest.approx(2 * small["hours"])}


def test_the_matrix_rate_is_that_of_a_machine():
    assert 1e9 < estimates.matrix_rate("cpu", False) < 1e13 and torch.get_num_threads() >= 1


GPU = parameters.Machine(device="cuda", tflops=989.0, threads=6, parallel_jobs=8, max_hours=24.0)


def test_a_study_is_planned_from_its_parameter_files_alone(tokenizer, index, drawing, first_special):
    study = parameters.load_profile("params/efcamdat")
    found = estimates.model(study["general"], study["masks"], GPU, 1e15, estimates.lengths())
    assert found["parameters"] == pytest.approx(124.4e6, rel=1e-3)
    assert found["tokens"] == pytest.approx(81 * study["general"].max_examples, rel=0.06)
    flop = 3 * 6 * (124.4e6 - 1024 * 768) * found["tokens"]  # three seeds, and evaluations on validation texts
    assert 1 < found["train_hours"] * 3600 * 1e15 * estimates.REACHED["cuda"] / flop < 1.5
    on_four = study["general"].model_copy(update={"devices": 4})
    four = estimates.model(on_four, study["masks"], GPU, 1e15, estimates.lengths())
    assert four["train_hours"] == pytest.approx(found["train_hours"] / 4)


def test_the_plan_of_files_is_that_of_the_model_in_memory(tokenizer, index, drawing, first_special, settings):
    one_seed = settings.model_copy(update={"eval_every": 480, "seeds": [0]})
    made, model, steps = needs(tokenizer, index, drawing, first_special, one_seed, rate=1e9)
    lengths = {"A1": (1, float(steps.lengths.mean()))}  # one text: evaluations cost next to nothing
    masks = drawing.model_copy(update={"vocabulary_size": len(tokenizer) - 7})
    cpu = GPU.model_copy(update={"device": "cpu"})
    found = estimates.model(one_seed, masks, cpu, 1e9, lengths)
    assert found["parameters"] == sum(p.numel() for p in model.parameters())
    for name in ["memory_gb", "disk_gb"]:
        assert found[name] == pytest.approx(made[name], rel=0.02)
    assert found["train_hours"] == pytest.approx(made["hours"], rel=0.01)


def test_a_job_asks_for_no_more_time_than_it_may_have():
    assert estimates.minutes(10, GPU) == 907 and estimates.minutes(1000, GPU) == 24 * 60
