"""Claims about the hook by which tests make things go wrong: it acts where it is asked to, and nowhere else."""

import os
import signal
import subprocess
import sys

import pytest

from lib.experiment import fault_injection


@pytest.fixture
def seen(monkeypatch):
    """What a point answers at three visits, if the variable asks for `asked`."""

    def seen(asked, point="step"):
        monkeypatch.setattr(fault_injection, "_times", {})
        monkeypatch.setenv(fault_injection.VARIABLE, asked)
        return [fault_injection.point(point) for _ in range(3)]

    return seen


@pytest.mark.parametrize(
    ("asked", "answers"),
    [("", [None] * 3), ("write:1:oom", [None] * 3), ("step:2:oom", [None, "oom", None]), ("step:0:nan", ["nan"] * 3)],
)
def test_a_point_answers_at_the_visit_that_is_asked_for(seen, asked, answers):
    assert seen(asked) == answers


def test_a_point_without_a_word_kills_its_process():
    code = "from lib.experiment.fault_injection import point; point('step'); print('once', flush=True); point('step')"
    env = os.environ | {fault_injection.VARIABLE: "step:2"}
    ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert (ended.stdout, ended.returncode) == ("once\n", -signal.SIGKILL)
