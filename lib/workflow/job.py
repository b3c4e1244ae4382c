"""One notebook of the graph by papermill: with its own GPUs, as a fork where there is a server, and retried if useful.

A job that ran out of time, was preempted or was killed is retried. One that failed with an error of its own is not: it
would fail again. Where not even the first cell was run, the same job starts the notebook once more.
"""

import json
import os
import subprocess
import sys
from functools import partial

from lib.experiment.lock import GRAPH_VARIABLE
from lib.experiment.processes import end_with_parent
from lib.workflow import fork_server
from lib.workflow.gpus import acquire_gpus, refuse_unusable

EX_TEMPFAIL = getattr(os, "EX_TEMPFAIL", 75)  # exit status of a notebook that saved when its time was up
FAILED = 1
START_SECONDS = "600"  # that a kernel may take to start, also where the machine was suspended meanwhile


def run(notebook, log, settings, experiment, value, gpus, threads, attempt):
    """Execute a notebook with parameters; returns the exit status of the job.

    notebook: path; log: path of the executed copy; settings: a YAML file of parameters; value: a list of more
    parameters, each as YAML; gpus, threads: how many; attempt: 1 for the first submission. Messages of papermill are
    in a file named as log with .txt behind.
    """
    _end_with_snakemake()
    if failed_before(log, attempt):
        return FAILED
    with open(f"{log}.txt", "wb") as messages:
        os.dup2(messages.fileno(), sys.stderr.fileno())
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if gpus and "SLURM_JOB_ID" in os.environ:
        refuse_unusable("cuda")
    held = acquire_gpus(gpus)
    arguments = [str(notebook), str(log), "--cwd", "notebooks", "-k", "python3", "--no-progress-bar"]
    arguments += ["--log-level", "ERROR", "--start-timeout", START_SECONDS]
    arguments += ["-f", str(settings), "-r", "experiment", experiment]
    for yaml_text in value:
        arguments += ["-y", yaml_text]
    failed = _papermill(arguments)
    if failed and not has_begun(log):  # a kernel may die at its start, where several start at once
        failed = _papermill(arguments)
    del held
    return exit_status(log) if failed else 0


def _end_with_snakemake():
    pid = os.environ.get(GRAPH_VARIABLE)
    if pid:
        end_with_parent(int(pid))


def _papermill(arguments):
    """Exit status of papermill, as a fork where a server is there."""
    if fork_server.SERVER in os.environ:
        return fork_server.run_module("papermill", arguments)
    tied = partial(end_with_parent, os.getpid())
    return subprocess.run([sys.executable, "-m", "papermill", *arguments], preexec_fn=tied).returncode


def failed_before(log, attempt):
    """Has the notebook failed with an error of its own in an earlier attempt? Then its log, which the graph has
    removed, is put back."""
    kept = _kept(log)
    if attempt == 1:
        kept.unlink(missing_ok=True)
    if not kept.exists():
        return False
    log.write_bytes(kept.read_bytes())
    print(f"{log} failed before with an error of its own: not retried")
    return True


def exit_status(log):
    """Exit status of a notebook that did not end well: EX_TEMPFAIL if it saved when its time was up, else FAILED."""
    error = _error(log)
    if error == "TrainingInterrupted":
        return EX_TEMPFAIL
    if error:
        _kept(log).write_bytes(log.read_bytes())
    return FAILED


def has_begun(log):
    """Was any cell of an executed notebook run?"""
    return any(cell.get("execution_count") for cell in _cells(log))


def _kept(log):
    return log.with_name(f".{log.name}.failed")


def _cells(log):
    """The cells of an executed notebook; none where it was never written, or torn by a kill."""
    try:
        return json.loads(log.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):
        return []


def _error(log):
    """The name of the error that an executed notebook ended with; None if it was killed."""
    outputs = [output for cell in _cells(log) for output in cell.get("outputs", [])]
    errors = [output["ename"] for output in outputs if output["output_type"] == "error"]
    return errors[-1] if errors else None
