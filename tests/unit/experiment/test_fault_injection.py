"""Claims about injected faults: they happen at the named point and visit, and nowhere else."""

import os
import signal
import subprocess
import sys

import pytest

from lib.experiment import fault_injection


@pytest.fixture
def three_visits(monkeypatch):
    """What a point returns at three visits, given the value of the variable."""

    def three_visits(value, point="step"):
        monkeypatch.setattr(fault_injection, "_visits", {})
        monkeypatch.setenv(fault_injection.VARIABLE, value)
        return [fault_injection.point(point) for _ in range(3)]

    return three_visits


@pytest.mark.parametrize(
    ("value", "returned"),
    [("", [None] * 3), ("write:1:oom", [None] * 3), ("step:2:oom", [None, "oom", None]), ("step:0:nan", ["nan"] * 3)],
)
def test_a_fault_happens_at_the_named_visit(three_visits, value, returned):
    assert three_visits(value) == returned


def test_a_point_without_a_named_fault_kills_its_process():
    code = "from lib.experiment.fault_injection import point; point('step'); print('once', flush=True); point('step')"
    env = os.environ | {fault_injection.VARIABLE: "step:2"}
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (ended.stdout, ended.returncode) == ("once\n", -signal.SIGKILL)
