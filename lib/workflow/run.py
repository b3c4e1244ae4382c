"""One run of a study: the lock is taken, stale results are marked, Snakemake runs, and the end is told.

The jobs start warm (fork_server.py), or go to a cluster (slurm.py), as the profile says.
"""

import datetime
import os
import shutil
import socket
import sys
import time
from pathlib import Path

from lib.errors import WriteError
from lib.experiment import folders
from lib.experiment.files import read_yaml
from lib.experiment.lock import RUN_VARIABLE, acquire, write_facts
from lib.workflow import arguments, fork_server, slurm, status

BEAT = 60  # seconds between two signs of life
ROOM = 100 * 2**20  # bytes on the disk, under which nothing is begun
# neither times nor Snakemake's notes of earlier runs count: status.mark_stale has told it what is stale
BY_HASHES = ["--rerun-triggers", "software-env", "--max-checksum-file-size", "0"]


def run(experiment, corpus, params, profile, cores=None, only=None, tensorboard=None):
    """Make a study, or what it lacks, and print its verdicts or what stopped it; returns 0, or 1 where it failed.

    corpus: a list of files, or of what CORPUS names; cores: jobs side by side, where the profile's number is not
    wanted; only: the manifest.json of a result, to go no further than that; tensorboard: the folder of its logs. Raises
    a UserError before anything begins.
    """
    name, corpus = arguments.complete(experiment, corpus, params)
    arguments.check(name, corpus, params, profile)
    if tensorboard:
        os.environ["ILM_CEFR_TENSORBOARD"] = os.path.abspath(tensorboard)
    command = [sys.executable, "-m", "snakemake", "--profile", f"profiles/{profile}", "--quiet", "host", "reason"]
    command += ["--nolock", "--rerun-incomplete", *BY_HASHES, *(["--cores", cores] if cores else [])]
    command += ["--slurm-jobname-prefix", slurm.job_name(name)] if _on_slurm(profile) else []
    command += ["--config", *arguments.config(name, corpus, params, profile), "--", *([only] if only else [])]
    failed = locked(name, corpus, params, profile, command)
    from lib.workflow import summary  # here, since it takes a second that a refusal need not wait for

    if failed:
        summary.failures(name)
    elif not only:
        summary.verdicts(name)
    return 1 if failed else 0


def demo(**more):
    """The same for the demo. more: profile, cores, only, tensorboard."""
    return run(arguments.DEMO, [arguments.EMBEDDED], "params/demo", **more)


def _on_slurm(profile):
    return read_yaml(Path("profiles", profile, "config.yaml")).get("executor") == "slurm"


def locked(name, corpus, params, profile, command):
    """Make sure of room, take the lock, mark what is stale, and run command; returns its exit status."""
    home = folders.Experiment(name, root=".").folder
    home.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(home).free < ROOM:
        raise WriteError(f"{home}: under {ROOM // 2**20} MiB are left on its disk. Make room; nothing was begun.")
    facts = {"pid": os.getpid(), "host": socket.gethostname(), "corpus": corpus, "params": params}
    facts |= {"profile": profile, "since": datetime.datetime.now().isoformat(" ", "seconds")}
    with acquire(home, facts) as file:
        try:
            if _on_slurm(profile):
                slurm.call_back(slurm.job_name(name))
            status.mark_stale(home, params, corpus)
            env, warm = {RUN_VARIABLE: str(os.getpid())}, not _on_slurm(profile)
            return fork_server.serve(command, env, lambda: _beat(file), warm)
        finally:
            status.put_back(home)
            write_facts(file, facts | {"ended": True})


def _beat(file):
    """Give the lock's file a sign of life, once in a while."""
    if time.time() - os.fstat(file.fileno()).st_mtime > BEAT:
        os.utime(file.fileno())
