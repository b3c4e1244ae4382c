"""Claims about the lock: one run at a time, named; a dead one is taken over, one on another machine is not."""

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

from lib import errors
from lib.experiment import lock
from lib.workflow import run

FACTS = {"pid": os.getpid(), "host": socket.gethostname(), "since": "2026-11-22 12:00:00"}
NAMED = f"is being made by process {os.getpid()} on {socket.gethostname()}, since 2026-11-22 12:00:00"


def test_a_second_run_is_refused_and_the_first_named(tmp_path):
    with lock.take(tmp_path, FACTS):
        with pytest.raises(errors.Held, match=NAMED):
            lock.take(tmp_path, FACTS)
        assert lock.running(tmp_path) == FACTS
    assert lock.running(tmp_path) is None


def test_a_notebook_run_by_hand_is_refused_meanwhile_and_one_of_the_run_is_not(tmp_path, monkeypatch):
    with lock.take(tmp_path, FACTS):
        with pytest.raises(errors.Held, match=NAMED):
            lock.refuse_another(tmp_path)
        monkeypatch.setenv(lock.RUN, str(os.getpid()))
        lock.refuse_another(tmp_path)
    monkeypatch.delenv(lock.RUN)
    lock.refuse_another(tmp_path)


def test_a_lock_left_by_a_kill_is_taken_over_in_words(tmp_path, capsys):
    code = "import os, sys; from lib.experiment import lock; from pathlib import Path; "
    code += "f = lock.take(Path(sys.argv[1]), "
    code += f"{FACTS | {'pid': 1234567}}); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    with lock.take(tmp_path, FACTS):
        assert "process 1234567" in (said := capsys.readouterr().out) and "its lock is taken over" in said


@pytest.mark.parametrize("content", ["", '{"pid": 1'])
def test_a_torn_lock_hinders_nobody(content, tmp_path):
    (tmp_path / ".lock").write_text(content)
    lock.take(tmp_path, FACTS).close()


def test_a_lock_of_another_machine_is_not_taken_over(tmp_path):
    (tmp_path / ".lock").write_text(json.dumps(FACTS | {"host": "elsewhere"}))
    with pytest.raises(errors.Held, match=r"on elsewhere(.|\n)*remove .*\.lock"):
        lock.take(tmp_path, FACTS)


def test_nothing_is_begun_on_a_disk_without_room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(errors.NotWritten, match="Make room"):
        run.locked("study", "corpus.csv", "params/demo", "laptop", ["false"])


def test_what_is_run_dies_with_the_locks_holder_and_its_exit_status_is_passed_on(tmp_path):
    shutil.copytree("params/demo", tmp_path / "params")
    shutil.copytree("profiles", tmp_path / "profiles")
    (tmp_path / "corpus.csv").touch()
    code = "import sys; from lib.workflow import run; sys.exit(run.locked(*sys.argv[1:5], sys.argv[5:]))"
    words = [sys.executable, "-c", code, "study", "corpus.csv", "params", "laptop", sys.executable, "-c"]
    how = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": os.getcwd()}, "stdout": subprocess.PIPE, "text": True}
    assert subprocess.run([*words, "raise SystemExit(7)"], **how).returncode == 7
    assert json.loads((tmp_path / "runs/study/.lock").read_text())["ended"] is True
    told = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with subprocess.Popen([*words, told], **how) as running:
        running.stdout.readline()
        running.kill()
        began = time.monotonic()
        assert running.stdout.read() == "" and time.monotonic() - began < 30  # its end is the end of the child


def no_flock(monkeypatch):
    def refused(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(lock.fcntl, "flock", refused)


def test_without_locks_of_the_file_system_the_file_tells_the_living_from_the_dead(tmp_path, monkeypatch, capsys):
    no_flock(monkeypatch)
    with lock.take(tmp_path, FACTS):
        assert lock.running(tmp_path) == FACTS
        with pytest.raises(errors.Held, match=NAMED):
            lock.take(tmp_path, FACTS)
    (tmp_path / ".lock").write_text(json.dumps(FACTS | {"pid": 999999999}))
    assert lock.running(tmp_path) is None
    lock.take(tmp_path, FACTS).close()
    assert "its lock is taken over" in capsys.readouterr().out


@pytest.mark.parametrize("locks", [True, False])
def test_a_run_of_another_machine_is_seen_to_go_on_and_its_process_id_says_nothing_here(locks, tmp_path, monkeypatch):
    if not locks:
        no_flock(monkeypatch)
    there = FACTS | {"host": "elsewhere", "pid": 999999999}
    (tmp_path / ".lock").write_text(json.dumps(there))
    os.utime(tmp_path / ".lock", (time.time() - 600,) * 2)
    assert lock.running(tmp_path) == there
    with pytest.raises(errors.Held, match="last sign of life 10 minutes ago"):
        lock.take(tmp_path, FACTS)
    monkeypatch.setenv(lock.RUN, "999999999")  # as its jobs have it, on whatever machine
    lock.refuse_another(tmp_path)
    (tmp_path / ".lock").write_text(json.dumps(there | {"ended": True}))
    assert lock.running(tmp_path) is None
    lock.take(tmp_path, FACTS).close()
