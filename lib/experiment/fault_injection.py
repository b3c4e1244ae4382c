"""The one hook by which tests make things go wrong; without its variable it does nothing."""

import os
import signal

VARIABLE = "ILM_CEFR_FAULT"
_times = {}


def point(name):
    """Kill this process here, if ILM_CEFR_FAULT asks for it, or return what else it asks for ("oom", "nan"), or None.

    The variable holds point:n or point:n:what. n counts how often a process comes by, from 1; 0 means every time.
    """
    wanted, n, what = (os.environ.get(VARIABLE, "") + "::").split(":")[:3]
    if wanted != name:
        return None
    _times[name] = _times.get(name, 0) + 1
    if int(n) not in (0, _times[name]):
        return None
    if not what:
        os.kill(os.getpid(), signal.SIGKILL)
    return what
