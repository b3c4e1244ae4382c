"""Claims about the lock: one run at a time; the lock of a dead run is taken over, of another machine not."""

import errno
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from lib import errors
from lib.experiment import lock

FACTS = {"pid": os.getpid(), "host": socket.gethostname(), "since": "2026-11-22 12:00:00"}
NAMED = f"is being made by process {os.getpid()} on {socket.gethostname()}, since 2026-11-22 12:00:00"


def test_a_second_run_is_refused_and_the_first_named(tmp_path):
    with lock.acquire(tmp_path, FACTS):
        with pytest.raises(errors.ExperimentRunning, match=NAMED):
            lock.acquire(tmp_path, FACTS)
        assert lock.running(tmp_path) == FACTS
    assert lock.running(tmp_path) is None


def test_while_a_run_goes_on_only_its_own_notebooks_may_run(tmp_path, monkeypatch):
    with lock.acquire(tmp_path, FACTS):
        with pytest.raises(errors.ExperimentRunning, match=NAMED):
            lock.refuse_another(tmp_path)
        monkeypatch.setenv(lock.RUN_VARIABLE, str(os.getpid()))
        lock.refuse_another(tmp_path)
    monkeypatch.delenv(lock.RUN_VARIABLE)
    lock.refuse_another(tmp_path)


def test_the_lock_of_a_killed_run_is_taken_over_in_words(tmp_path, capsys):
    code = "import os, sys; from lib.experiment import lock; from pathlib import Path; "
    code += "f = lock.acquire(Path(sys.argv[1]), "
    code += f"{FACTS | {'pid': 1234567}}); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    with lock.acquire(tmp_path, FACTS):
        assert "process 1234567" in (message := capsys.readouterr().out) and "its lock is taken over" in message


@pytest.mark.parametrize("content", ["", '{"pid": 1', "[]"])
def test_a_torn_lock_stops_no_run(content, tmp_path):
    (tmp_path / ".lock").write_text(content)
    lock.acquire(tmp_path, FACTS).close()


def test_a_lock_of_another_machine_is_not_taken_over(tmp_path):
    (tmp_path / ".lock").write_text(json.dumps(FACTS | {"host": "elsewhere"}))
    with pytest.raises(errors.ExperimentRunning, match=r"on elsewhere(.|\n)*remove .*\.lock"):
        lock.acquire(tmp_path, FACTS)


def no_flock(monkeypatch):
    def refused(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(lock.fcntl, "flock", refused)


def test_without_system_locks_the_process_in_the_file_decides(tmp_path, monkeypatch, capsys):
    no_flock(monkeypatch)
    with lock.acquire(tmp_path, FACTS):
        assert lock.running(tmp_path) == FACTS
        with pytest.raises(errors.ExperimentRunning, match=NAMED):
            lock.acquire(tmp_path, FACTS)
    (tmp_path / ".lock").write_text(json.dumps(FACTS | {"pid": 999999999}))
    assert lock.running(tmp_path) is None
    lock.acquire(tmp_path, FACTS).close()
    assert "its lock is taken over" in capsys.readouterr().out


@pytest.mark.parametrize("locks", [True, False])
def test_a_run_of_another_machine_is_known_by_its_heartbeat(locks, tmp_path, monkeypatch):
    if not locks:
        no_flock(monkeypatch)
    there = FACTS | {"host": "elsewhere", "pid": 999999999}
    (tmp_path / ".lock").write_text(json.dumps(there))
    os.utime(tmp_path / ".lock", (time.time() - 600,) * 2)
    assert lock.running(tmp_path) == there
    with pytest.raises(errors.ExperimentRunning, match="last heartbeat 10 minutes ago"):
        lock.acquire(tmp_path, FACTS)
    monkeypatch.setenv(lock.RUN_VARIABLE, "999999999")  # as its jobs have it, on whatever machine
    lock.refuse_another(tmp_path)
    (tmp_path / ".lock").write_text(json.dumps(there | {"ended": True}))
    assert lock.running(tmp_path) is None
    lock.acquire(tmp_path, FACTS).close()


def test_a_training_that_goes_on_elsewhere_is_named_with_its_step(run):
    checkpoints = run.checkpoints("b1") / "seed0"
    checkpoints.mkdir(parents=True)
    (checkpoints / "progress.json").write_text('{"step": 84, "of": 150, "seconds_left": 60}')
    sentence = "03_train is training b1, seed 0, step 84 of 150"
    with lock.training(checkpoints):
        assert lock.is_training(checkpoints)
        for seed in [0, 1]:
            with pytest.raises(errors.ExperimentRunning, match=sentence):
                run.require(run.model("b1", seed), "03_train")
        with pytest.raises(errors.ExperimentRunning, match=sentence), lock.training(checkpoints):
            pass
        run.require(run.model("a1", 0), "03_train")
    assert not lock.is_training(checkpoints)
    with pytest.raises(errors.MissingResult):
        run.require(run.model("b1", 0), "03_train")
