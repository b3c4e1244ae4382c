"""A run whose jobs go to a SLURM cluster: `python -m lib.workflow.slurm EXPERIMENT COMMAND ...`.

A run that was killed could not call its jobs back. They would go on, and write what the next run's jobs write. So all
jobs of an experiment bear its name, and a run begins by ending those that another one left.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

WAIT = 300  # seconds for what was called back to end: a training saves before


def job_name(experiment):
    """What the names of an experiment's jobs begin with: another for each folder of runs."""
    place = hashlib.sha256(str(Path("runs").resolve() / experiment).encode()).hexdigest()[:8]
    return f"ilm-{re.sub('[^A-Za-z0-9]', '-', experiment)[:30]}-{place}"


def call_back(name):
    """End the jobs whose names begin with name, and wait for their end. Raises TimeoutError when some do not end."""
    left, until = _jobs(name), time.monotonic() + WAIT
    if left:
        print(f"An earlier run left {len(left)} jobs: {', '.join(left)}. They are ended, and go on from here.")
        subprocess.run(["scancel", *left], check=True)
    while _jobs(name):
        if time.monotonic() > until:
            raise TimeoutError(f"Jobs of an earlier run do not end: {', '.join(_jobs(name))}. Wait, or see squeue --me")
        time.sleep(2)


def _jobs(name):
    shown = subprocess.run(["squeue", "--me", "-h", "-o", "%i %j"], capture_output=True, text=True, check=True).stdout
    return [number for number, job in map(str.split, shown.splitlines()) if job.startswith(name)]


if __name__ == "__main__":
    experiment, *command = sys.argv[1:]
    if not shutil.which("sbatch"):
        sys.exit("This machine has no sbatch. Give the command where SLURM's are, on the cluster's login node.")
    try:
        call_back(job_name(experiment))
    except (TimeoutError, subprocess.CalledProcessError) as error:
        sys.exit(f"{error}\n{getattr(error, 'stderr', None) or ''}")
    command[1:1] = ["--slurm-jobname-prefix", job_name(experiment)]
    os.execvp(command[0], command)
