"""Claims about estimates: they grow with what they are of, and time and memory of a real training lie near them."""

from pathlib import Path

import pytest
import torch

from lib import formatting
from lib.experiment import parameters
from lib.experiment.files import read_json
from lib.models import initialization
from lib.training.dataset import Steps
from lib.workflow import estimates, plan
from lib.workflow.plan import schedule


@pytest.fixture
def settings():
    return parameters.load("params/demo/a1.yaml").model_copy(update={"examples": 480, "examples_per_step": 24})


def needs(tokenizer, index, drawing, first_special, settings, rate=1e9):
    steps = Steps(index, drawing, settings, 0, first_special)
    model = initialization.model(settings, tokenizer, drawing.max_length)
    return estimates.needs(model, steps, 0, 0, "cpu", rate), model, steps


def test_flop_are_six_for_each_multiplied_parameter_and_token(tokenizer, index, drawing, first_special, settings):
    found, model, steps = needs(tokenizer, index, drawing, first_special, settings)
    multiplied = sum(p.numel() for name, p in model.named_parameters() if "wpe" not in name)
    assert found["hours"] * 3600 * 1e9 * estimates.REACHED["cpu"] == pytest.approx(6 * multiplied * steps.tokens(480))


def test_a_larger_model_and_a_slower_machine_need_more(tokenizer, index, drawing, first_special, settings):
    where = (tokenizer, index, drawing, first_special)
    small = needs(*where, settings)[0]
    large = needs(*where, settings.model_copy(update={"n_layer": 4, "n_embd": 192}))[0]
    slow = needs(*where, settings, rate=5e8)[0]
    assert all(large[name] > small[name] for name in small)
    assert slow == small | {"hours": pytest.approx(2 * small["hours"])}


def test_the_matrix_rate_is_that_of_a_machine():
    assert 1e9 < estimates.matrix_rate("cpu") < 1e13 and torch.get_num_threads() >= 1


GPU = parameters.Machine(device="cuda", tflops=989.0, threads=6, at_once=8, longest_hours=24.0)


def test_a_study_is_planned_from_its_parameter_files_alone(tokenizer, index, drawing, first_special):
    asked = parameters.profile("params/efcamdat")
    found = estimates.model(asked["general"], asked["masks"], GPU, 1e15, estimates.lengths())
    assert found["parameters"] == pytest.approx(124.4e6, rel=1e-3)
    assert found["tokens"] == pytest.approx(81 * asked["general"].examples, rel=0.06)
    flop = 3 * 6 * (124.4e6 - 1024 * 768) * found["tokens"]  # three seeds, and looks at valid texts
    assert 1 < found["train_hours"] * 3600 * 1e15 * estimates.REACHED["cuda"] / flop < 1.5
    on_four = asked["general"].model_copy(update={"devices": 4})
    four = estimates.model(on_four, asked["masks"], GPU, 1e15, estimates.lengths())
    assert four["train_hours"] == pytest.approx(found["train_hours"] / 4)


def test_the_plan_of_files_is_that_of_the_model_in_memory(tokenizer, index, drawing, first_special, settings):
    one = settings.model_copy(update={"eval_every": 480, "seeds": [0]})
    made, model, steps = needs(tokenizer, index, drawing, first_special, one, rate=1e9)
    known = {"A1": (1, float(steps.lengths.mean()))}  # one text: looks are next to nothing
    masks = drawing.model_copy(update={"vocabulary": len(tokenizer) - 7})
    cpu = GPU.model_copy(update={"device": "cpu"})
    found = estimates.model(one, masks, cpu, 1e9, known)
    assert found["parameters"] == sum(p.numel() for p in model.parameters())
    for name in ["memory_gb", "disk_gb"]:
        assert found[name] == pytest.approx(made[name], rel=0.02)
    assert found["train_hours"] == pytest.approx(made["hours"], rel=0.01)


def test_a_run_that_has_its_masks_is_planned_by_its_own_texts():
    known, expected = estimates.lengths("runs/demo"), estimates.lengths("runs/none")
    assert set(known) == set(expected) and known["A1"][0] < expected["A1"][0]
    facts = read_json("runs/demo/models/a1/seed0/train.json")
    assert known["A1"][1] == pytest.approx(facts["tokens_seen"] / facts["examples_seen"], rel=0.1)


def test_a_corpus_is_planned_by_its_own_texts_where_they_can_be_counted(tmp_path, monkeypatch):
    settings, corpus, home = parameters.load("params/demo/corpus.yaml"), "runs/synthetic_corpus.csv", Path("runs/demo")
    assert plan.texts(home, corpus, settings) == (estimates.lengths(home), "those of runs/demo")
    found, whose = plan.texts(Path("runs/none"), corpus, settings)
    assert sum(n for n, _ in found.values()) == read_json(home / "corpus/report.json")["rows_in"] and corpus in whose
    (tmp_path / "mine.csv").write_text("writing_id,cefr,text\n1,A1,aaaa\n2,C2,x\n3,A1,aa\n")
    found, _ = plan.texts(home, str(tmp_path / "mine.csv"), settings)
    assert found == {"A1": (2, pytest.approx(3 * estimates.TOKENS))}, "three letters on average; C2 is left out"
    monkeypatch.setattr(plan, "LARGE", 10)
    for asked, words in [(str(tmp_path / "mine.csv"), "too large"), ("", "CORPUS=file")]:
        found, whose = plan.texts(Path("runs/none"), asked, settings)
        assert found == estimates.lengths() and words in whose and "EFCAMDAT" in whose


def test_jobs_are_laid_side_by_side_after_what_they_wait_for():
    jobs = {"general": (4, None), "transfer": (2, "general"), "a": (3, None), "b": (3, None)}
    assert max(schedule(jobs, 1).values()) == 12
    assert schedule(jobs, 2) == {"general": 4, "a": 3, "b": 6, "transfer": 6}
    assert max(schedule(jobs, 8).values()) == 6  # the longest chain


def test_a_job_asks_for_no_more_time_than_it_may_have():
    assert estimates.minutes(10, GPU) == 907 and estimates.minutes(1000, GPU) == 24 * 60


@pytest.mark.parametrize(
    ("hours", "words"), [(1e-4, "0.36 seconds"), (0.02, "72 seconds"), (0.2, "12 minutes"), (35.27, "35.3 hours")]
)
def test_time_is_told_in_units_that_fit(hours, words):
    assert formatting.time_of(hours) == words


def test_disk_is_told_in_units_that_fit():
    assert formatting.size_of(0.0154) == "15 MB" and formatting.size_of(12.34) == "12.3 GB"
