"""One run of an experiment at a time: `python -m lib.lock EXPERIMENT CORPUS PARAMS COMMAND ...` runs COMMAND alone.

The lock is the system's own (flock) on runs/<experiment>/.lock, so it ends with who holds it, however that dies. The
file says who that is, and with what the run was asked for.
"""

import contextlib
import datetime
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

RUN = "ILM_CEFR_RUN"  # environment variable: the process that holds the lock, as its children know it
NOT_BEGUN = 3  # exit status: the command was not started
ROOM = 100 * 2**20  # bytes on the disk, under which nothing is begun


class Held(RuntimeError):
    """Another process makes this experiment."""


def take(home, facts):
    """Lock the experiment in `home` and write facts, a dict, into the lock; returns the open file.

    Raises Held, naming who holds it. A lock that a dead process left is taken over, with a line that says so.
    """
    file = open(home / ".lock", "a+", encoding="utf-8")  # noqa: SIM115  # as long as the lock
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Held(f"{home} is being made by {_who(_read(file))}.\nWait for it, or end that process.") from None
    left = _read(file)
    if left and not left.get("ended"):
        if left["host"] != socket.gethostname():
            raise Held(f"{home} was being made by {_who(left)}.\nIf that machine no longer does, remove {file.name}.")
        print(f"{home}: {_who(left)} died without an end; its lock is taken over.", flush=True)
    write(file, facts)
    return file


def write(file, facts):
    file.seek(0)
    file.truncate()
    json.dump(facts, file)
    file.flush()


def _read(file):
    file.seek(0)
    try:
        return json.load(file)
    except ValueError:  # empty, or torn by a kill
        return {}


def _who(facts):
    return f"process {facts.get('pid')} on {facts.get('host')}, since {facts.get('since')}"


def running(home):
    """What the lock in `home` says, if a living process holds it; else None."""
    with contextlib.suppress(FileNotFoundError), open(home / ".lock", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file)
    return None


def refuse_another(home):
    """Raise Held if a run of the experiment in `home` goes on of which this process is no part."""
    other = running(home)
    if other is not None and os.environ.get(RUN) != str(other.get("pid")):
        raise Held(f"{home} is being made by {_who(other)}.\nWait for it, or work under another name: experiment = …")


def end_with_parent():
    """Let the system kill this process when its parent dies (Linux), so that no half of a run goes on alone."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1: PR_SET_PDEATHSIG


def run(name, corpus, params, command):
    """Make sure of room, take the lock, forget what is stale, and run command; returns its exit status."""
    from lib import status

    home = Path("runs") / name
    home.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(home).free < ROOM:
        raise OSError(f"{home}: under {ROOM // 2**20} MiB are left on its disk. Make room; nothing was begun.")
    facts = {"pid": os.getpid(), "host": socket.gethostname(), "corpus": corpus, "params": params}
    facts["since"] = datetime.datetime.now().isoformat(" ", "seconds")
    with take(home, facts) as file:
        status.forget_stale(home, params)
        signal.signal(signal.SIGINT, lambda *_: None)  # the command hears it too, and ends in order
        how = {"env": os.environ | {RUN: str(os.getpid())}, "pass_fds": [file.fileno()]}
        running = subprocess.Popen(command, preexec_fn=end_with_parent, **how)
        signal.signal(signal.SIGTERM, lambda number, _: running.send_signal(number))
        ended = running.wait()
        write(file, facts | {"ended": True})
    return ended


if __name__ == "__main__":
    name, corpus, params, *command = sys.argv[1:]
    try:
        sys.exit(run(name, corpus, params, command))
    except (Held, OSError, ValueError) as error:
        print(f"\n{error}", file=sys.stderr)
        sys.exit(NOT_BEGUN)
