"""One run of an experiment at a time.

The lock is the system's own (flock) on runs/<experiment>/.lock. The system frees it when the process that holds it
ends, however it ends. The file says which process that is, on which machine, and which arguments the run has. During
the run, the time of the file is updated as a heartbeat.

On a shared file system: NFS passes flock on to its server, so that the lock holds between machines. Where it does not
reach them (Lustre with localflock, NFS with local_lock) or does not exist, the content of the file decides: a run of
another machine that has not ended is never taken over. This relies on all machines seeing the file as it was closed.
Two runs that start in the same second on two such machines are not noticed.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import time

from lib.errors import ExperimentRunning, WriteError

RUN_VARIABLE = "ILM_CEFR_RUN"  # environment variable of a run's processes: id of the process that holds the lock
GRAPH_VARIABLE = "ILM_CEFR_GRAPH"  # environment variable: process id of the Snakemake that started this job
NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}  # errors of file systems without flock


def acquire(run_dir, facts):
    """Lock the experiment in `run_dir` and write facts, a dict, into the lock; returns the open file.

    Raises ExperimentRunning, naming the run that holds the lock, and WriteError. The lock of a dead process is taken
    over, which is printed.
    """
    try:
        file = open(run_dir / ".lock", "a+", encoding="utf-8")  # noqa: SIM115  # open as long as the lock is held
    except OSError as error:
        raise WriteError(f"{error}. A run writes there.") from None
    locked = _flock(file, fcntl.LOCK_EX)
    last = _read(file)
    if locked is False or _lives_here(last, locked):
        raise ExperimentRunning(f"{run_dir} is being made by {_who(last)}.\nWait for it, or end that process.")
    if last and not last.get("ended"):
        _refuse_another_machine(run_dir, file, last)
        print(f"{run_dir}: {_who(last)} died before its end; its lock is taken over.", flush=True)
    write_facts(file, facts)
    return file


def _refuse_another_machine(run_dir, file, facts):
    if facts.get("host") == socket.gethostname():
        return
    minutes = (time.time() - os.fstat(file.fileno()).st_mtime) / 60
    raise ExperimentRunning(
        f"{run_dir} was being made by {_who(facts)}; last heartbeat {minutes:.0f} minutes ago.\n"
        f"If that machine no longer does, remove {file.name}."
    )


def _flock(file, kind):
    """True if the lock was obtained, False if another process has it, None where the file system has no locks."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return None
    return True


def _lives_here(facts, locked):
    """Without locks (locked is None): is the process that the lock file names alive on this machine?"""
    here = facts.get("host") == socket.gethostname() and not facts.get("ended")
    return locked is None and here and os.path.exists(f"/proc/{facts['pid']}")


def write_facts(file, facts):
    file.seek(0)
    file.truncate()
    json.dump(facts, file)
    file.flush()


def _read(file):
    """What a lock file says; nothing if it is empty, torn by a kill, or something else."""
    file.seek(0)
    try:
        facts = json.load(file)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def last_run(run_dir):
    """What the lock in `run_dir` says of the last run, or of this one; nothing where there was none."""
    with contextlib.suppress(FileNotFoundError), open(run_dir / ".lock", encoding="utf-8") as file:
        return _read(file)
    return {}


def _who(facts):
    return f"process {facts.get('pid')} on {facts.get('host')}, since {facts.get('since')}"


def running(run_dir):
    """What the lock in `run_dir` says, if a living process holds it, or one of another machine that has not ended."""
    with contextlib.suppress(FileNotFoundError), open(run_dir / ".lock", encoding="utf-8") as file:
        locked = _flock(file, fcntl.LOCK_SH)
        facts = _read(file)
        elsewhere = facts and not facts.get("ended") and facts.get("host") != socket.gethostname()
        if locked is False or elsewhere or _lives_here(facts, locked):
            return facts
    return None


def refuse_another(run_dir):
    """Raise ExperimentRunning if a run of the experiment in `run_dir` goes on to which this process does not belong."""
    other = running(run_dir)
    if other is not None and os.environ.get(RUN_VARIABLE) != str(other.get("pid")):
        raise ExperimentRunning(
            f"{run_dir} is being made by {_who(other)}.\nWait for it, or work under another name: experiment = …"
        )


def is_by_hand(run_dir):
    """Is this process outside any run of the experiment, as a notebook in JupyterLab is?"""
    return GRAPH_VARIABLE not in os.environ and running(run_dir) is None


@contextlib.contextmanager
def training(folder):
    """Within, this process is known to train a model; folder: of the checkpoints, .../<model>/seed<k>.

    Raises ExperimentRunning if another process trains the same.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(_training_lock(folder), "a+", encoding="utf-8") as file:
        if _flock(file, fcntl.LOCK_EX) is False:
            raise ExperimentRunning(_training_sentence(folder))
        yield


def is_training(folder):
    """Does a process train here now? folder: of the checkpoints, .../<model>/seed<k>."""
    with contextlib.suppress(FileNotFoundError), open(_training_lock(folder), encoding="utf-8") as file:
        return _flock(file, fcntl.LOCK_SH) is False
    return False


def refuse_unfinished_model(path, run_dir):
    """Raise ExperimentRunning if `path` belongs to a model that is being trained. path: below run_dir."""
    parts = path.relative_to(run_dir).parts
    if parts[0] != "models":
        return
    for lock_file in (run_dir / "checkpoints" / parts[1]).glob(".seed*.lock"):
        folder = lock_file.with_name(lock_file.stem.removeprefix("."))
        if is_training(folder):
            raise ExperimentRunning(_training_sentence(folder))


def _training_lock(folder):
    return folder.with_name(f".{folder.name}.lock")


def _training_sentence(folder):
    """Who is trained, and how far it is: "03_train is training b1, seed 0, step 84 of 150"."""
    sentence = f"03_train is training {folder.parent.name}, {folder.name.replace('seed', 'seed ')}"
    with contextlib.suppress(OSError, ValueError), open(folder / "progress.json", encoding="utf-8") as file:
        progress = json.load(file)
        sentence += f", step {progress['step']:,} of {progress['of']:,}"
    return f"{sentence}. Wait until that notebook has reached its end, then run this cell again."
