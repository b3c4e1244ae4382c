"""GPUs of a job's own.

A GPU is taken by a lock of the system's on a file of this machine, so it is free again when who took it ends, however
that ends. CUDA_VISIBLE_DEVICES tells the job; where it is set before, only those GPUs are shared out.
"""

import contextlib
import fcntl
import os
import subprocess
import tempfile
import time
from pathlib import Path

from lib.errors import DeviceUnavailable

VISIBLE = "CUDA_VISIBLE_DEVICES"
LOCKS = "ILM_CEFR_DEVICES"  # environment variable: the folder of the locks, where another than the usual is wanted


def visible_gpus():
    """Names of the GPUs that may be shared out, as CUDA_VISIBLE_DEVICES takes them."""
    if VISIBLE in os.environ:
        return [name for name in os.environ[VISIBLE].split(",") if name]
    with contextlib.suppress(FileNotFoundError):
        words = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        shown = subprocess.run(words, capture_output=True, text=True)
        return shown.stdout.split() if not shown.returncode else []
    return []


def exec_with_gpus(n):
    """Wait for n GPUs and name them in CUDA_VISIBLE_DEVICES. They are held as long as what is returned.

    Nothing is done for n = 0, and within a job of SLURM, which has given it GPUs. Raises DeviceUnavailable where fewer
    than n
    are present.
    """
    if n == 0 or "SLURM_JOB_ID" in os.environ:
        return {}
    names = visible_gpus()
    if len(names) < n:
        here = ", ".join(names) or "none"
        raise DeviceUnavailable(f"{n} GPUs are asked for, {len(names)} are here ({here}). See the profile.")
    folder = Path(os.environ.get(LOCKS) or Path(tempfile.gettempdir()) / f"ilm-cefr-devices-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    while not (taken := _free(n, names, folder)):
        time.sleep(0.5 + os.getpid() % 100 / 200)
    os.environ[VISIBLE] = ",".join(taken)
    return taken


def _free(n, names, folder):
    """{name: the open file that holds its lock} of n GPUs that are free now, or nothing.

    Who gets some gets all or gives them back, so that two who wait for several never wait for each other.
    """
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
    return {}
