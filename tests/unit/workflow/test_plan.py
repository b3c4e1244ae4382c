"""Claims about the plan of a study: which job waits for which, and what is printed."""

import pytest
from transformers import LlamaConfig

from lib.experiment import parameters
from lib.workflow import estimates, plan
from lib.workflow.plan import schedule


def test_jobs_run_in_parallel_after_those_they_wait_for():
    jobs = {"general": (4, None), "transfer": (2, "general"), "a": (3, None), "b": (3, None)}
    assert max(schedule(jobs, 1).values()) == 12
    assert schedule(jobs, 2) == {"general": 4, "a": 3, "b": 6, "transfer": 6}
    assert max(schedule(jobs, 8).values()) == 6  # the longest chain


def test_the_sentences_of_a_plan_name_the_limits_of_the_machine(monkeypatch, capsys):
    monkeypatch.setattr(plan, "_draw", lambda *_: None)
    plan.show("no such experiment", [], "params/efcamdat", "slurm")
    out = capsys.readouterr().out
    assert "8 at a time" in out and "24 hours" in out


@pytest.fixture(scope="module")
def billion(tmp_path_factory):
    """A study from a Llama of a billion parameters, of which only the config is there; its files say GPT-2's size."""
    folder = tmp_path_factory.mktemp("base")
    size = {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32}
    LlamaConfig(vocab_size=32000, num_key_value_heads=8, max_position_embeddings=8192, **size).save_pretrained(folder)
    study = parameters.load_profile("params/efcamdat")
    models = {name: p for name, p in study.items() if isinstance(p, parameters.Train)}
    models["general"] = models["general"].model_copy(update={"init_from": str(folder), "examples_per_step": 240})
    return {name: models[name] for name in ["general", "a1_transfer"]}, study["masks"]


def test_a_models_size_is_that_of_its_bases_config(billion):
    models, masks = billion
    for settings in models.values():  # a transfer model has the size of its base's base
        size = estimates.planned_size(settings, masks, models)
        assert size == (1_104_218_112, 0, 16, 2048, 32000)


@pytest.mark.parametrize(
    "gpu_gb, words",
    [
        (8, "does not fit: one example at a time takes"),
        (12, "does not fit"),
        (16, "does not fit"),
        (24, "is trained in smaller batches: a step takes"),
        (40, "is trained in smaller batches"),
        (80, None),
        (None, None),
    ],
)
def test_a_plan_warns_where_a_model_does_not_fit_into_a_gpu(gpu_gb, words, billion):
    models, masks = billion
    machine = parameters.load_machine("gpu-server").model_copy(update={"gpu_gb": gpu_gb})
    needs = {"general": estimates.model(models["general"], masks, machine, 1e15, estimates.lengths(), models)}
    lines = plan.memory_warnings(needs, machine, "gpu-server")
    if words:
        (line,) = lines
        assert line.startswith(f"general {words}") and f"has {gpu_gb} (gpu_gb in its machine.yaml)" in line
    else:
        assert lines == []
