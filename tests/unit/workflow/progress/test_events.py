"""Claims about the events of Snakemake: what starts and ends reaches the process that shows it, and nothing else."""

import json
import logging
import os
import signal

import pytest

from lib.workflow.progress import events

SNAKEMAKE = logging.getLogger("snakemake.logging")


@pytest.fixture
def read_end(monkeypatch):
    """The end to read from of a pipe to which Snakemake's events go."""
    read_end, write_end = os.pipe()
    monkeypatch.setenv(events.VARIABLE, str(write_end))
    monkeypatch.setattr(SNAKEMAKE, "handlers", [])
    monkeypatch.setattr(SNAKEMAKE, "level", logging.INFO)
    events.report()
    yield read_end
    os.close(read_end)
    os.close(write_end)


def say(kind, **facts):
    SNAKEMAKE.info("in words", extra={"event": kind} | facts)


def started(number, name="03 train a1", model="a1"):
    say("job_info", jobid=number, rule_name="train", rule_msg=name, wildcards={"model": model}, input=["x"])


def test_what_starts_and_ends_is_written_a_line_each(read_end):
    say("run_info", stats={"train": 2, "total": 2})
    started(7)
    say("shellcmd", cmd="python")
    SNAKEMAKE.info("no event at all")
    say("job_finished", job_id=7)
    say("job_error", jobid=8)
    assert [json.loads(line) for line in os.read(read_end, 4096).splitlines()] == [
        {"event": "run_info", "jobs": {"train": 2, "total": 2}},
        {"event": "job_info", "model": "a1", "id": 7, "rule": "train", "name": "03 train a1"},
        {"event": "job_finished", "id": 7},
        {"event": "job_error", "id": 8},
    ]


def test_jobs_do_not_get_the_variable(read_end):
    assert events.VARIABLE not in os.environ


def test_snakemake_goes_on_where_nobody_reads(monkeypatch):
    read_end, write_end = os.pipe()
    os.close(read_end)
    monkeypatch.setenv(events.VARIABLE, str(write_end))
    monkeypatch.setattr(SNAKEMAKE, "handlers", [])
    monkeypatch.setattr(SNAKEMAKE, "level", logging.INFO)
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python does at its start
    events.report()
    started(7)
    started(8)
    signal.signal(signal.SIGPIPE, before)
    os.close(write_end)
    assert SNAKEMAKE.handlers == []


def test_without_a_run_nothing_is_reported(monkeypatch):
    monkeypatch.delenv(events.VARIABLE, raising=False)
    monkeypatch.setattr(SNAKEMAKE, "handlers", [])
    events.report()
    assert SNAKEMAKE.handlers == []
