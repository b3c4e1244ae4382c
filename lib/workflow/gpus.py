"""Give a job GPUs of its own: `python lib/workflow/gpus.py N COMMAND ...` becomes COMMAND, with N of them.

A GPU is taken by a lock of the system's on a file of this machine, so it is free again when who took it ends, however
that ends. CUDA_VISIBLE_DEVICES tells the job; where it is set before, only those GPUs are shared out. Within a job of
SLURM, which has given it GPUs, and with N = 0, it becomes COMMAND as it is.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
LOCKS = "ILM_CEFR_DEVICES"  # environment variable: the folder of the locks, where another than the usual is wanted


def present():
    """Names of the GPUs that may be shared out, as CUDA_VISIBLE_DEVICES takes them."""
    if VISIBLE in os.environ:
        return [name for name in os.environ[VISIBLE].split(",") if name]
    with contextlib.suppress(FileNotFoundError):
        words = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        shown = subprocess.run(words, capture_output=True, text=True)
        return shown.stdout.split() if not shown.returncode else []
    return []


def take(n, names):
    """Open files that hold the locks of n GPUs, by name; waits until so many are free.

    Who gets some gets all or gives them back, so that two who wait for several never wait for each other.
    """
    folder = Path(os.environ.get(LOCKS) or Path(tempfile.gettempdir()) / f"ilm-cefr-devices-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    while True:
        with contextlib.ExitStack() as held:
            taken = {}
            for name in names:
                file = held.enter_context(open(folder / name, "a"))
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    taken[name] = file
                if len(taken) == n:
                    held.pop_all()
                    return taken
        time.sleep(0.5 + os.getpid() % 100 / 200)


def become(n, command):
    if n and "SLURM_JOB_ID" not in os.environ:
        names = present()
        if len(names) < n:
            sys.exit(f"{n} GPUs are asked for, {len(names)} are here ({', '.join(names) or 'none'}). See the profile.")
        taken = take(n, names)
        for file in taken.values():
            os.set_inheritable(file.fileno(), True)
        os.environ[VISIBLE] = ",".join(taken)
    os.execvp(command[0], command)


if __name__ == "__main__":
    become(int(sys.argv[1]), sys.argv[2:])
