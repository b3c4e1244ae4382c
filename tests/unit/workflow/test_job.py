"""Claims about retries: a job that ran out of time or was killed is retried, one with its own error is not."""

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
