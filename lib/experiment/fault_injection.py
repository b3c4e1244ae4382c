"""Faults that tests inject into a run; without the environment variable nothing happens."""

import os
import signal

VARIABLE = "ILM_CEFR_FAULT"
_visits = {}  # point -> how often this process has passed it


def point(name):
    """Kill this process if ILM_CEFR_FAULT names this point, or return the fault that it names ("oom", "nan"), or None.

    The variable holds point:n or point:n:fault. The fault happens at the n-th visit of this process; 0 means at every
    visit.
    """
    wanted, n, fault = (os.environ.get(VARIABLE, "") + "::").split(":")[:3]
    if wanted != name:
        return None
    _visits[name] = _visits.get(name, 0) + 1
    if int(n) not in (0, _visits[name]):
        return None
    if not fault:
        os.kill(os.getpid(), signal.SIGKILL)
    return fault
