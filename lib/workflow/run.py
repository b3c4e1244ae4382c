"""One run of a study: take the lock, mark stale results, let Snakemake run, and print verdicts or failures.

Jobs are forks of this process (fork_server.py), or go to a cluster (slurm.py), as the profile says.
"""

import datetime
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

from lib.errors import WriteError
from lib.experiment import folders, manifest, parameters
from lib.experiment.files import make_private, read_yaml
from lib.experiment.lock import RUN_VARIABLE, acquire, write_facts
from lib.workflow import arguments, fork_server, gpus, slurm, status
from lib.workflow.progress import display

HEARTBEAT_SECONDS = 60
MIN_FREE = 100 * 2**20  # bytes on the disk, below which no run starts
GRACE_SECONDS = 1  # from a request to end until Snakemake is killed
GRACE_ON_SLURM = 60  # the same; it cancels its jobs meanwhile
INTERRUPTED = 128 + signal.SIGINT  # exit status after Ctrl-C
# neither file times nor Snakemake's records of earlier runs count: status.mark_stale sets the times by hashes
BY_HASHES = ["--rerun-triggers", "software-env", "--max-checksum-file-size", "0"]


def run(experiment, corpus, params, profile, cores=None, only=None, tensorboard=None):
    """Make a study, or what it lacks, and print its verdicts or what stopped it; returns 0, or 1 where it failed.

    Ctrl-C raises SystemExit with the shell's status for it.

    corpus: a list of files, or of values of CORPUS; cores: jobs at a time, instead of the profile's number; only: the
    manifest.json of a result, to stop there; tensorboard: the folder of its logs. Raises a UserError before anything
    starts.
    """
    name, corpus = arguments.complete(experiment, corpus, params)
    arguments.check(name, corpus, params, profile, only, cores)
    if not _on_slurm(profile):  # there, each job checks its own machine
        gpus.refuse_unusable(parameters.load_machine(profile).device)
    if tensorboard:
        os.environ["ILM_CEFR_TENSORBOARD"] = os.path.abspath(tensorboard)
    command = [sys.executable, "-m", "snakemake", "--profile", f"profiles/{profile}", "--quiet", "host", "reason"]
    command += ["--nolock", "--rerun-incomplete", *BY_HASHES]
    if cores:
        command += ["--cores", cores]
    if _on_slurm(profile):
        command += ["--slurm-jobname-prefix", slurm.job_name(name)]
    if only:
        command += ["--", only]
    failed = _interruptible(name, corpus, params, profile, command)
    from lib.workflow import summary  # here, since it takes a second that a refusal need not wait for

    if failed:
        summary.failures(name)
    elif not only:
        summary.verdicts(name)
    return 1 if failed else 0


def _interruptible(name, *arguments):
    """`locked`; after Ctrl-C says that nothing is lost, and how to go on."""
    try:
        failed = locked(name, *arguments)
    except SystemExit as end:  # Snakemake did not end in time
        failed = end.code
    if failed == INTERRUPTED:
        run_dir = folders.Experiment(name, root=".").folder
        print("\nStopped by you; nothing is lost. Finished steps are kept, and trainings resume at their checkpoints.")
        print(f"To go on: {manifest.resume_command(run_dir)}", flush=True)
        sys.exit(INTERRUPTED)
    return failed


def demo(**options):
    """The same for the demo. options: profile, cores, only, tensorboard."""
    return run(arguments.DEMO, [arguments.EMBEDDED], "params/demo", **options)


def _on_slurm(profile):
    return read_yaml(Path("profiles", profile, "config.yaml")).get("executor") == "slurm"


def locked(name, corpus, params, profile, command):
    """Check the room on the disk, take the lock, mark stale results, and run command; returns its exit status."""
    run_dir = folders.Experiment(name, root=".").folder
    run_dir.mkdir(parents=True, exist_ok=True)
    make_private(run_dir.parent, run_dir)
    if shutil.disk_usage(run_dir).free < MIN_FREE:
        minimum = MIN_FREE // 2**20
        raise WriteError(f"{run_dir}: under {minimum} MiB are left on its disk. Make room; nothing was started.")
    facts = {"pid": os.getpid(), "host": socket.gethostname(), "corpus": corpus, "params": params}
    facts |= {"profile": profile, "since": datetime.datetime.now().isoformat(" ", "seconds")}
    with acquire(run_dir, facts) as file:
        try:
            if _on_slurm(profile):
                slurm.cancel_jobs(slurm.job_name(name))
            status.mark_stale(run_dir, params, corpus)
            variables = {RUN_VARIABLE: str(os.getpid())} | arguments.environment(name, corpus, params, profile)
            return _serve(command, variables, file, run_dir, params, _on_slurm(profile))
        finally:
            status.restore_notebook(run_dir)
            write_facts(file, facts | {"ended": True})


def _serve(command, variables, lock_file, run_dir, params, on_slurm):
    """Run Snakemake, with what it says in a log, and show its jobs; returns its exit status."""

    def heartbeat():
        shown.update()
        if time.time() - os.fstat(lock_file.fileno()).st_mtime > HEARTBEAT_SECONDS:
            os.utime(lock_file.fileno())

    grace = GRACE_ON_SLURM if on_slurm else GRACE_SECONDS
    log_file = run_dir / display.LOG
    log_file.parent.mkdir(exist_ok=True)
    with display.Display(run_dir, parameters.load_profile(params)) as shown, open(log_file, "wb") as log:
        variables |= shown.variables
        options = {"stdout": log, "stderr": log, "pass_fds": shown.files}
        return fork_server.serve(command, variables, heartbeat, forking=not on_slurm, grace=grace, **options)
