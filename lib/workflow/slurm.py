"""A run whose jobs go to a SLURM cluster.

A run that was killed could not call its jobs back. They would go on, and write what the next run's jobs write. So all
jobs of an experiment bear its name, and a run begins by ending those that another one left.
"""

import hashlib
import re
import shutil
import subprocess
import time
from pathlib import Path

from lib.errors import DeviceUnavailable, ExperimentRunning, UserError

WAIT = 300  # seconds for what was called back to end: a training saves before


def job_name(experiment):
    """What the names of an experiment's jobs begin with: another for each folder of runs."""
    place = hashlib.sha256(str(Path("runs").resolve() / experiment).encode()).hexdigest()[:8]
    return f"ilm-{re.sub('[^A-Za-z0-9]', '-', experiment)[:30]}-{place}"


def call_back(name):
    """End the jobs whose names begin with name, and wait for their end.

    Raises ExperimentRunning when some do not end, and DeviceUnavailable where there is no cluster.
    """
    if not shutil.which("squeue"):
        raise DeviceUnavailable(
            "This machine has no squeue. Give the command where SLURM's are, on the cluster's login node."
        )
    left, until = _jobs(name), time.monotonic() + WAIT
    if left:
        print(f"An earlier run left {len(left)} jobs: {', '.join(left)}. They are ended, and go on from here.")
        _output("scancel", *left)
    while _jobs(name):
        if time.monotonic() > until:
            raise ExperimentRunning(
                f"Jobs of an earlier run do not end: {', '.join(_jobs(name))}. Wait, or see squeue --me"
            )
        time.sleep(2)


def _jobs(name):
    shown = _output("squeue", "--me", "-h", "-o", "%i %j").splitlines()
    return [number for number, job in map(str.split, shown) if job.startswith(name)]


def _output(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"{command[0]} ended with status {done.returncode}: {done.stderr}")
    return done.stdout
