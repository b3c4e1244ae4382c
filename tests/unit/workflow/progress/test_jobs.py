"""Claims about the jobs of a run: counted by their events, with the step of a training and an honest time left."""

import os
import time

import pytest

from lib.experiment import parameters
from lib.experiment.files import write_json
from lib.workflow.progress.jobs import Jobs


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when they are added to the list."""
    passed = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: sum(passed))
    return passed


@pytest.fixture
def jobs(tmp_path, clock):
    counted = Jobs(tmp_path / "runs/mine", parameters.load_profile("params/demo"))
    counted.take({"event": "run_info", "jobs": {"train": 4, "evaluate": 2, "all": 1, "total": 7}})
    return counted


def start(jobs, number, rule="train", model="a1"):
    jobs.take({"event": "job_info", "id": number, "rule": rule, "name": f"{rule} {model}", "model": model})


def end(jobs, number, kind="job_finished"):
    return jobs.take({"event": kind, "id": number})


def test_jobs_without_a_notebook_do_not_count(jobs):
    start(jobs, 0, rule="all", model=None)
    assert jobs.total == 6 and not jobs.running and end(jobs, 0) is None


def test_a_job_that_ended_has_its_seconds(jobs, clock):
    start(jobs, 7)
    clock.append(12)
    ended = end(jobs, 7)
    assert (ended.job.name, ended.seconds, ended.succeeded) == ("train a1", 12, True)
    assert jobs.n_done("train") == 1 and not jobs.running


def test_a_job_that_failed_is_not_done(jobs):
    start(jobs, 7)
    assert end(jobs, 7, "job_error").succeeded is False and jobs.n_done("train") == 0
    assert [*jobs.stopped] == ["train a1"]
    start(jobs, 7)
    assert not jobs.stopped, "it was started again"


def test_no_time_left_is_claimed_before_a_job_has_ended(jobs):
    start(jobs, 7)
    assert jobs.seconds_left() == (None, False)


def test_the_time_left_counts_what_is_running_as_begun(jobs, clock):
    start(jobs, 7)
    start(jobs, 8, model="a2")
    clock.append(10)
    end(jobs, 7)
    end(jobs, 8)
    start(jobs, 9, model="b1")
    clock.append(4)
    assert jobs.seconds_left() == (8, False)  # 2 trainings of 10 s, two at a time, one of them 4 s old
    start(jobs, 10, rule="evaluate")
    clock.append(2)
    end(jobs, 10)
    assert jobs.seconds_left() == ((20 - 6 + 2) / 2, True)


def test_a_job_that_takes_long_leaves_no_negative_time(jobs, clock):
    start(jobs, 7)
    clock.append(1)
    end(jobs, 7)
    start(jobs, 8, model="a2")
    clock.append(1000)
    assert jobs.seconds_left() == (2, False)


def test_a_training_says_its_seed_step_and_perplexity(jobs):
    start(jobs, 7)
    job = jobs.running[7]
    assert jobs.state(job) == {}
    facts = {"step": 30, "of": 150, "seconds_left": 9, "perplexity": 41.2}
    for seed, step in enumerate([150, 30]):  # the first is left over
        write_json(facts | {"step": step}, jobs.run_dir / f"checkpoints/a1/seed{seed}/progress.json")
    os.utime(jobs.run_dir / "checkpoints/a1/seed0/progress.json", (1, 1))
    assert jobs.state(job) == {"seed": 1} | facts


def test_a_trained_model_has_a_perplexity_for_each_seed(jobs):
    write_json({"valid_perplexity": 28.7}, jobs.run_dir / "models/a1/seed0/train.json")
    write_json({"status": "n/a"}, jobs.run_dir / "models/a1/seed1/train.json")
    assert jobs.perplexities("a1") == [28.7] and jobs.perplexities("a2") == []
