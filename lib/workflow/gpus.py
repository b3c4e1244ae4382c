"""GPUs for the jobs of one machine, never two jobs on one GPU.

A job takes a GPU by the system's lock on a file, so the GPU is free again when the job ends, however it ends.
CUDA_VISIBLE_DEVICES tells the job which one it has. Where the variable is set before, only those GPUs are used.
"""

import concurrent.futures
import contextlib
import fcntl
import multiprocessing
import os
import subprocess
import tempfile
import time
from pathlib import Path

from lib.errors import DeviceUnavailable

VISIBLE = "CUDA_VISIBLE_DEVICES"
LOCKS = "ILM_CEFR_DEVICES"  # environment variable: another folder for the locks


def visible_gpus():
    """Names of the GPUs that may be used, as in CUDA_VISIBLE_DEVICES."""
    if VISIBLE in os.environ:
        return [name for name in os.environ[VISIBLE].split(",") if name]
    with contextlib.suppress(FileNotFoundError):
        command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        process = subprocess.run(command, capture_output=True, text=True)
        return [] if process.returncode else process.stdout.split()
    return []


def refuse_unusable(device):
    """Raise DeviceUnavailable if jobs on this machine need GPUs and torch cannot use them: never weeks on a CPU.

    device: of the profile's machine.yaml. A process of its own asks, since CUDA would be unusable in forks of this one.
    """
    if device != "cuda":
        return
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        pool.submit(_check_machine, device).result()


def _check_machine(device):
    from lib.models import devices  # here, since it imports torch

    devices.check_machine(device)


def acquire_gpus(n):
    """Wait for n GPUs and name them in CUDA_VISIBLE_DEVICES. They are held as long as the returned dict exists.

    Nothing is done for n = 0, or within a SLURM job, which has its GPUs from SLURM. Raises DeviceUnavailable where
    fewer than n are visible.
    """
    if n == 0 or "SLURM_JOB_ID" in os.environ:
        return {}
    names = visible_gpus()
    if len(names) < n:
        visible = ", ".join(names) or "none"
        raise DeviceUnavailable(f"{n} GPUs are requested, {len(names)} are visible ({visible}). See the profile.")
    folder = Path(os.environ.get(LOCKS) or Path(tempfile.gettempdir()) / f"ilm-cefr-devices-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    while not (locks := _try_to_lock(n, names, folder)):
        time.sleep(0.5 + os.getpid() % 100 / 200)  # jobs that started together do not try together
    os.environ[VISIBLE] = ",".join(locks)
    return locks


def _try_to_lock(n, names, folder):
    """{name: its open lock file} of n GPUs that are free now, or {}.

    A job locks all n GPUs or none, so two jobs that need several never wait for each other.
    """
    with contextlib.ExitStack() as stack:
        locks = {}
        for name in names:
            file = stack.enter_context(open(folder / name, "a"))
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                locks[name] = file
            if len(locks) == n:
                stack.pop_all()
                return locks
    return {}
