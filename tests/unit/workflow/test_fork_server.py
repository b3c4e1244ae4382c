"""Claims about warm starts: a fork does what `python -m` does, and goes when who asked for it goes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere everything starts cold")
WARM = str(Path("lib/workflow/fork_server.py").resolve())
ENDED_BY = {"exit(3)": 3, "exit('a word')": 1, "exit()": 0, "1 / 0": 1, "pass": 0}


@pytest.fixture
def server(warm):
    """The environment of a command that is served."""
    return os.environ | warm


def run(line, folder, env, **how):
    (folder / "said.py").write_text(line)
    return subprocess.run([sys.executable, WARM, "said"], cwd=folder, env=env, text=True, **how)


@pytest.mark.parametrize("line", ENDED_BY)
def test_a_fork_ends_as_a_cold_start_ends(line, server, tmp_path):
    warm = run(line, tmp_path, server, stderr=subprocess.PIPE)
    cold = subprocess.run([sys.executable, "-m", "said"], cwd=tmp_path, text=True, stderr=subprocess.PIPE)
    ends = [warm, cold]
    assert [end.returncode for end in ends] == [ENDED_BY[line]] * 2
    last = [end.stderr.splitlines()[-1:] for end in ends]  # a word, or the last line of a traceback
    assert last[0] == last[1]


def test_a_fork_has_folder_variables_and_output_of_who_asked(server, tmp_path):
    line = "import os, sys; print(os.getcwd(), os.environ['WHO'], 'torch' in sys.modules)"
    shown = run(line, tmp_path, server | {"WHO": "linguist"}, stdout=subprocess.PIPE).stdout
    assert shown == f"{tmp_path} linguist True\n"


def test_a_fork_goes_when_who_asked_for_it_is_killed(server, tmp_path):
    (tmp_path / "waits.py").write_text("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    how = {"cwd": tmp_path, "env": server, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, WARM, "waits"], **how) as asked:
        fork = int(asked.stdout.readline())
        asked.kill()
    until = time.monotonic() + 10
    while os.path.exists(f"/proc/{fork}") and time.monotonic() < until:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{fork}")
