"""One notebook of the graph by papermill: on GPUs of its own, warm where a server is there, and tried again if useful.

A job that ran out of time, was preempted or killed is worth another attempt. One that ended by an error of its own is
not: it would come to the same end.
"""

import json
import os
import subprocess
import sys

from lib.experiment.processes import end_with_parent
from lib.workflow import fork_server
from lib.workflow.gpus import exec_with_gpus

EX_TEMPFAIL = getattr(os, "EX_TEMPFAIL", 75)  # exit status of a notebook that saved when its time was up
FAILED = 1


def run(notebook, log, settings, experiment, value, gpus, threads, attempt):
    """Execute a notebook as log, its copy with outputs, with parameters; returns the exit status of the job.

    notebook, log: paths; settings: a YAML file of parameters; value: a list of more, each as YAML; gpus, threads: how
    many; attempt: 1 when it is sent for the first time. What is said on the way stands in log with .txt behind its
    name.
    """
    if failed_before(log, attempt):
        return FAILED
    with open(f"{log}.txt", "wb") as said:
        os.dup2(said.fileno(), sys.stderr.fileno())
    os.environ["OMP_NUM_THREADS"] = str(threads)
    held = exec_with_gpus(gpus)
    words = [notebook, log, "--cwd", "notebooks", "-k", "python3", "--no-progress-bar", "--log-level", "ERROR"]
    words += ["-f", settings, "-r", "experiment", experiment, *(word for one in value for word in ["-y", one])]
    ended = _papermill([str(word) for word in words])
    del held
    return verdict(log) if ended else 0


def _papermill(words):
    if fork_server.SERVER in os.environ:
        return fork_server.start("papermill", words)
    return subprocess.run([sys.executable, "-m", "papermill", *words], preexec_fn=end_with_parent).returncode


def failed_before(log, attempt):
    """Has log failed by an error of its own in an earlier attempt? Then it is put back: the graph has removed it."""
    kept = _kept(log)
    if attempt == 1:
        kept.unlink(missing_ok=True)
    if not kept.exists():
        return False
    log.write_bytes(kept.read_bytes())
    print(f"{log} has failed before by an error of its own: not tried again")
    return True


def verdict(log):
    """Exit status of a notebook that did not end well: AGAIN if it saved as its time was up, else FAILED."""
    error = _error(log)
    if error == "TrainingInterrupted":
        return EX_TEMPFAIL
    if error:
        _kept(log).write_bytes(log.read_bytes())
    return FAILED


def _kept(log):
    return log.with_name(f".{log.name}.failed")


def _error(log):
    """The name of the error that the executed notebook ended with, or None: it was killed."""
    try:
        cells = json.loads(log.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):
        return None
    errors = [out["ename"] for cell in cells for out in cell.get("outputs", []) if out["output_type"] == "error"]
    return errors[-1] if errors else None
