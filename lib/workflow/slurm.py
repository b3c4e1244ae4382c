"""A run whose jobs go to a SLURM cluster.

A run that was killed could not cancel its jobs. They would go on, and write the same files as the next run's jobs. So
the names of all jobs of an experiment begin alike, and a run starts by cancelling those of an earlier run.
"""

import hashlib
import re
import shutil
import subprocess
import time
from pathlib import Path

from lib.errors import DeviceUnavailable, ExperimentRunning, UserError

WAIT = 300  # seconds that cancelled jobs have to end: a training saves first


def job_name(experiment):
    """The beginning of the names of an experiment's jobs, different for each folder of runs."""
    run_dir = Path("runs").resolve() / experiment
    folder_hash = hashlib.sha256(str(run_dir).encode()).hexdigest()[:8]
    return f"ilm-{re.sub('[^A-Za-z0-9]', '-', experiment)[:30]}-{folder_hash}"


def cancel_jobs(name):
    """Cancel the jobs whose names begin with name, and wait until they have ended.

    Raises ExperimentRunning when some do not end, and DeviceUnavailable where there is no cluster.
    """
    if not shutil.which("squeue"):
        raise DeviceUnavailable("This machine has no squeue. Give the command on the cluster's login node.")
    jobs = _jobs(name)
    until = time.monotonic() + WAIT
    if jobs:
        print(f"An earlier run left {len(jobs)} jobs: {', '.join(jobs)}. They are cancelled and resumed.")
        _output("scancel", *jobs)
    while jobs:
        if time.monotonic() > until:
            numbers = ", ".join(jobs)
            raise ExperimentRunning(f"Jobs of an earlier run do not end: {numbers}. Wait, or see squeue --me")
        time.sleep(2)
        jobs = _jobs(name)


def _jobs(name):
    """Numbers of the jobs whose names begin with name."""
    lines = _output("squeue", "--me", "-h", "-o", "%i %j").splitlines()
    return [number for number, job in map(str.split, lines) if job.startswith(name)]


def _output(*command):
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        raise UserError(f"{command[0]} ended with status {process.returncode}: {process.stderr}")
    return process.stdout
