"""Claims about processes that end with their parent, or when a signal says so."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from lib.experiment.processes import Ending

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


STUBBORN = """
import signal, subprocess, sys, time
from lib.experiment.processes import Ending
child = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
process = subprocess.Popen([sys.executable, "-c", child], process_group=0)
with Ending(process, 0.5):
    while True:
        try:
            time.sleep(60)  # as in a long import
        except SystemExit:
            pass  # as in some imports
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_busy_process_and_its_stubborn_child(number):
    options = {"stdout": subprocess.PIPE, "preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)}
    with subprocess.Popen([sys.executable, "-c", STUBBORN], **options) as parent:
        parent.stdout.readline()
        (child,) = psutil.Process(parent.pid).children()
        time.sleep(0.2)
        parent.send_signal(number)
        assert parent.wait(5) == 128 + number
    assert psutil.wait_procs([child], timeout=5)[1] == []


def test_an_ignored_signal_stays_ignored():
    options = {"stdout": subprocess.PIPE, "preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    with subprocess.Popen([sys.executable, "-c", STUBBORN], **options) as parent:
        parent.stdout.readline()
        time.sleep(0.2)
        parent.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert parent.poll() is None
        parent.terminate()
        assert parent.wait(5) == 128 + signal.SIGTERM


def test_ctrl_c_gives_a_process_the_status_of_the_shell():
    code = "import time; time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], process_group=0, stderr=subprocess.DEVNULL)
    with Ending(process, 30) as ending:
        time.sleep(0.5)  # until it would raise KeyboardInterrupt
        signal.raise_signal(signal.SIGINT)
        returncode = process.wait(20)
    assert returncode and ending.status(returncode) == 130 and ending.status(0) == 0


def test_threads_are_fixed_also_in_loaded_libraries():
    """In a process of its own, since numpy's library is not loaded again."""
    script = "import numpy; from lib.experiment.processes import fix_threads; fix_threads(1); import scipy.linalg"
    script += "; import threadpoolctl; print(*(library['num_threads'] for library in threadpoolctl.threadpool_info()))"
    env = os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    printed = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True).stdout
    assert set(printed.split()) == {"1"} and len(printed.split()) == 2
