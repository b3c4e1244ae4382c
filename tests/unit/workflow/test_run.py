"""Claims about `make run`: it needs room on the disk, and no process of it goes on alone."""

import json
import os
import shutil
import subprocess
import sys
import time

import psutil
import pytest

from lib import errors
from lib.workflow import run
from lib.workflow.progress import display


def test_no_run_starts_on_a_disk_without_room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(errors.WriteError, match="Make room"):
        run.locked("study", "corpus.csv", "params/demo", "laptop", ["false"])


def test_a_profile_for_gpus_is_refused_before_anything_starts(tmp_path, monkeypatch):
    for folder in ["params/demo", "profiles"]:
        shutil.copytree(folder, tmp_path / folder)
    (tmp_path / "corpus.csv").touch()
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.DeviceUnavailable) as refused:
        run.run("mine", ["corpus.csv"], "params/demo", "gpu-server")
    assert str(refused.value) == (
        "The profile says device: cuda, but CUDA_VISIBLE_DEVICES= hides all GPUs. Run the command without this "
        "variable. Or use PROFILE=laptop."
    )
    assert not (tmp_path / "runs").exists()


def test_on_a_cluster_the_node_that_starts_a_run_needs_no_gpu(tmp_path, monkeypatch):
    for folder in ["params/demo", "profiles"]:
        shutil.copytree(folder, tmp_path / folder)
    (tmp_path / "corpus.csv").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run.gpus, "refuse_unusable", lambda device: pytest.fail("the login node was checked"))
    monkeypatch.setattr(run, "locked", lambda *_: 0)
    assert run.run("mine", ["corpus.csv"], "params/demo", "slurm", only="runs/mine/corpus/manifest.json") == 0


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
    log = tmp_path / "runs/study" / display.LOG
    with subprocess.Popen([*words, code_of_command], **options) as running:
        while not (said := log.read_text()).endswith("\n"):
            time.sleep(0.05)
        running.kill()
        _, alive = psutil.wait_procs([psutil.Process(int(said))], timeout=30)
    assert alive == []


def test_after_ctrl_c_the_user_is_told_that_nothing_is_lost(monkeypatch, capsys, tmp_path):
    def killed(*_):
        raise SystemExit(130)

    monkeypatch.chdir(tmp_path)
    for locked in [killed, lambda *_: 130]:
        monkeypatch.setattr(run, "locked", locked)
        monkeypatch.setattr(run.arguments, "check", lambda *_: None)
        monkeypatch.setattr(run, "_on_slurm", lambda _: True)
        with pytest.raises(SystemExit) as end:
            run.demo(profile="laptop")
        said = capsys.readouterr().out
        assert end.value.code == 130 and "Stopped by you; nothing is lost." in said
        assert said.endswith("To go on: make demo\n")
