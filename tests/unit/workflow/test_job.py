"""Claims about retries: a job that ran out of time or was killed is retried, one with its own error is not."""

import json

import pytest

from lib.experiment.files import write_json
from lib.workflow import job


def executed(log, error=None):
    outputs = [{"output_type": "error", "ename": error, "evalue": "reason", "traceback": []}] if error else []
    write_json({"cells": [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": outputs}]}, log)
    return log


OUTCOMES = [("TrainingInterrupted", 75, 0), ("ValueError", 1, 1), (None, 1, 0)]


@pytest.mark.parametrize(("error", "status", "not_retried"), OUTCOMES)
def test_only_an_error_of_its_own_is_not_retried(error, status, not_retried, tmp_path, capsys):
    log = executed(tmp_path / "03_train.a1.ipynb", error)
    before = log.read_bytes()
    assert job.exit_status(log) == status
    for attempt in [2, 3]:
        log.unlink(missing_ok=True)  # the graph removes it before an attempt
        assert job.failed_before(log, attempt) == bool(not_retried)
    assert ("not retried" in capsys.readouterr().out) == bool(not_retried)
    assert not not_retried or log.read_bytes() == before  # for make status


def test_a_repeated_command_forgets_earlier_failures(tmp_path):
    log = executed(tmp_path / "log.ipynb", "ValueError")
    job.exit_status(log)
    assert not job.failed_before(log, 1) and not job.failed_before(log, 2)


def test_a_notebook_that_never_began_is_retried(tmp_path):
    assert job.exit_status(tmp_path / "absent.ipynb") == 1 and not job.failed_before(tmp_path / "absent.ipynb", 2)


@pytest.mark.parametrize(("deaths", "starts", "status"), [(0, 1, 0), (1, 2, 0), (2, 2, 1)])
def test_a_kernel_that_dies_before_the_first_cell_starts_again(deaths, starts, status, tmp_path, monkeypatch, capfd):
    log = tmp_path / "02_mask.ipynb"
    started = []

    def papermill(arguments):
        started.append(arguments)
        executed(log)
        return len(started) <= deaths

    monkeypatch.setattr(job, "_papermill", papermill)
    monkeypatch.setattr(job.os, "dup2", lambda *_: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    given = {"notebook": "n", "settings": "s", "experiment": "e", "value": [], "gpus": 0, "threads": 1, "attempt": 1}
    assert job.run(log=log, **given) == status and len(started) == starts


def test_an_error_of_a_cell_starts_no_second_notebook(tmp_path):
    log = executed(tmp_path / "log.ipynb", "ValueError")
    assert not job.has_begun(log)
    cells = json.loads(log.read_text())["cells"]
    cells[1]["execution_count"] = 1
    write_json({"cells": cells}, log)
    assert job.has_begun(log) and not job.has_begun(tmp_path / "absent.ipynb")
