"""Claims about processes that end with the one that started them."""

import subprocess
import sys

import psutil
import pytest

PARENT = """
import subprocess, sys, time
from lib.experiment.processes import end_with_parent
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], preexec_fn={0})
print(child.pid, flush=True)
time.sleep(600)
"""


def left_behind(preexec):
    """The child of a process that was killed, some time later: None if it is gone."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(preexec)], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone, alive = psutil.wait_procs([child], timeout=5 if preexec != "None" else 0.5)
    return alive[0] if alive else None


@pytest.mark.skipif(sys.platform != "linux", reason="the system's own promise, of Linux only")
def test_a_child_ends_with_its_parent_only_if_asked_to():
    assert left_behind("end_with_parent") is None
    alone = left_behind("None")
    assert alone is not None
    alone.kill()
