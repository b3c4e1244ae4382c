"""One run of an experiment at a time.

The lock is the system's own (flock) on runs/<experiment>/.lock, so it ends with who holds it,
however that dies. The file says who that is, on what machine, and with what the run was asked for; while it goes on,
the file's time is its sign of life.

Where runs/ lies on a file system of several machines: NFS passes flock on to its server, so that it holds between
machines. Where it does not reach them (Lustre with localflock, NFS with local_lock) or is not there at all, what the
file says counts: a run of another machine that has not ended is never taken over, whatever process ids say. Relied on
is that a file is seen by all as it was closed; two runs begun in the same second on two such machines are not told
apart.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import time

from lib.errors import ExperimentRunning, WriteError

RUN_VARIABLE = "ILM_CEFR_RUN"  # environment variable: the process that holds the lock, as its children know it
NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}  # what file systems without flock answer


def acquire(home, facts):
    """Lock the experiment in `home` and write facts, a dict, into the lock; returns the open file.

    Raises ExperimentRunning, naming who holds it, and WriteError. A lock that a dead process left is taken over, with a
    line that says so.
    """
    try:
        file = open(home / ".lock", "a+", encoding="utf-8")  # noqa: SIM115  # as long as the lock
    except OSError as error:
        raise WriteError(f"{error}. A run writes there.") from None
    free, left = _flock(file, fcntl.LOCK_EX), _read(file)
    if free is False or _lives_here(left, free):
        raise ExperimentRunning(f"{home} is being made by {_who(left)}.\nWait for it, or end that process.")
    if left and not left.get("ended"):
        if left["host"] != socket.gethostname():
            quiet = f"last sign of life {(time.time() - os.fstat(file.fileno()).st_mtime) / 60:.0f} minutes ago"
            raise ExperimentRunning(f"{home} was being made by {_who(left)}; {quiet}.\n"
                       f"If that machine no longer does, remove {file.name}.")  # fmt: skip
        print(f"{home}: {_who(left)} died without an end; its lock is taken over.", flush=True)
    write_facts(file, facts)
    return file


def _flock(file, kind):
    """True if the lock was had, False if another has it, None where the file system has no locks."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return None
    return True


def _lives_here(facts, free):
    """Without locks (free is None): is the process that facts, what a lock file says, name alive on this machine?"""
    here = facts.get("host") == socket.gethostname() and not facts.get("ended")
    return free is None and here and os.path.exists(f"/proc/{facts['pid']}")


def write_facts(file, facts):
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


def last_run(home):
    """What the lock in `home` says of the last run, or of this one; nothing where there was none."""
    with contextlib.suppress(FileNotFoundError), open(home / ".lock", encoding="utf-8") as file:
        return _read(file)
    return {}


def _who(facts):
    return f"process {facts.get('pid')} on {facts.get('host')}, since {facts.get('since')}"


def running(home):
    """What the lock in `home` says, if a living process holds it, or one of another machine that has not ended."""
    with contextlib.suppress(FileNotFoundError), open(home / ".lock", encoding="utf-8") as file:
        free, facts = _flock(file, fcntl.LOCK_SH), _read(file)
        elsewhere = facts and not facts.get("ended") and facts["host"] != socket.gethostname()
        return facts if free is False or elsewhere or _lives_here(facts, free) else None
    return None


def refuse_another(home):
    """Raise ExperimentRunning if a run of the experiment in `home` goes on of which this process is no part."""
    other = running(home)
    if other is not None and os.environ.get(RUN_VARIABLE) != str(other.get("pid")):
        raise ExperimentRunning(
            f"{home} is being made by {_who(other)}.\nWait for it, or work under another name: experiment = …"
        )
