"""Processes that end with the one that started them."""

import signal
import sys


def end_with_parent():
    """Let the system kill this process when its parent dies (Linux), so that no half of a run goes on alone."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG
