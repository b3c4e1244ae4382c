"""Claims about `make run`: it needs room on the disk, and no process of it goes on alone."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from lib import errors
from lib.workflow import run


def test_no_run_starts_on_a_disk_without_room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(errors.WriteError, match="Make room"):
        run.locked("study", "corpus.csv", "params/demo", "laptop", ["false"])


def test_the_command_ends_with_the_holder_of_the_lock(tmp_path):
    shutil.copytree("params/demo", tmp_path / "params")
    shutil.copytree("profiles", tmp_path / "profiles")
    (tmp_path / "corpus.csv").touch()
    code = "import sys; from lib.workflow import run; sys.exit(run.locked(*sys.argv[1:5], sys.argv[5:]))"
    words = [sys.executable, "-c", code, "study", "corpus.csv", "params", "laptop", sys.executable, "-c"]
    options = {
        "cwd": tmp_path,
        "env": os.environ | {"PYTHONPATH": os.getcwd()},
        "stdout": subprocess.PIPE,
        "text": True,
    }
    assert subprocess.run([*words, "raise SystemExit(7)"], **options).returncode == 7
    assert json.loads((tmp_path / "runs/study/.lock").read_text())["ended"] is True
    code_of_command = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with subprocess.Popen([*words, code_of_command], **options) as running:
        running.stdout.readline()
        running.kill()
        began = time.monotonic()
        assert running.stdout.read() == "" and time.monotonic() - began < 30  # its end is the end of the child
