"""Processes: they end when their parent does or a signal says so, write private files, and have fixed threads."""

import contextlib
import ctypes
import os
import signal
import sys

import threadpoolctl

PR_SET_PDEATHSIG = 1  # of prctl(2)
ENDING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]  # Ctrl-C, kill, a terminal that is closed
WITHOUT_MAKE = "ILM_CEFR_WITHOUT_MAKE"  # environment variable: set where `python -m lib` was called, and not by make
PRIVATE_UMASK = 0o077  # files 600, folders 700
THREAD_VARIABLES = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]  # read when a library is loaded


def end_with_parent(parent=None, number=signal.SIGKILL):
    """Let the system send this process the signal `number` when its parent dies (Linux; elsewhere nothing happens).

    parent: process id of the expected parent. Where another process is the parent already, the expected one has died
    before this call, and the signal is sent at once.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), number)


def write_private_files():
    """From here on, what this process and its children write is for their user alone, whatever the umask was."""
    os.umask(PRIVATE_UMASK)


def fix_threads(n):
    """Let this process and its children compute with n threads, also by libraries that are loaded already.

    The last digits of sums depend on how many threads add them up, and so do the hashes of results.
    """
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(n)))
    threadpoolctl.threadpool_limits(n)
    if "torch" in sys.modules:  # where it is not, it will read the variables
        sys.modules["torch"].set_num_threads(n)


def kill_group(pid):
    """Kill a child of this process with its own children. It leads a group, unless it has not come to that yet."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class Ending:
    """Within, signals that ask for an end interrupt a process, which has `grace` seconds to end by itself.

    Then the process is killed with its group, and SystemExit is raised with the shell's status for the signal, whatever
    this process is doing. If this is in vain, as within some imports, this process exits a second later. A signal that
    is ignored, as SIGHUP under nohup, stays ignored.
    """

    def __init__(self, process, grace):
        self.process = process
        self.grace = grace
        self.number = None  # of the first signal that was received
        self.killed = False

    def __enter__(self):
        self.before = {number: signal.getsignal(number) for number in [*ENDING, signal.SIGALRM]}
        for number in ENDING:
            if self.before[number] != signal.SIG_IGN:
                signal.signal(number, self._interrupt)
        signal.signal(signal.SIGALRM, self._kill)
        return self

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, action in self.before.items():
            signal.signal(number, action)

    def _interrupt(self, number, _):
        self.process.send_signal(signal.SIGINT)  # on SIGTERM Snakemake would wait for its jobs
        if self.number is None:
            self.number = number
            signal.setitimer(signal.ITIMER_REAL, self.grace, 1.0)

    def _kill(self, *_):
        kill_group(self.process.pid)
        if self.killed:
            os._exit(128 + self.number)
        self.killed = True
        sys.exit(128 + self.number)

    def status(self, returncode):
        """The exit status of a process that has ended by itself: the shell's for the signal that interrupted it, else
        returncode. After SIGTERM and SIGHUP, where nobody reads on, SystemExit is raised with it."""
        if self.number in (signal.SIGTERM, signal.SIGHUP):
            sys.exit(128 + self.number)
        return 128 + self.number if self.number and returncode else returncode
