"""What the cases of `make faults` share: a study, faults, and checks that the same command repairs it."""

import json
import os
import shutil
import subprocess
import sys
import time

import psutil

from lib.experiment.files import read_json
from tests.helpers import offline
from tests.helpers import tiny_study as tiny

CASES = []  # (fault, expected, function of a workspace that returns what was seen)
RESULT = {"01": "corpus", "02": "masks", "03": "models/a1/seed0", "04": "evaluation/a1/seed0",
          "05": "infills/a1/seed0", "06": "compare", "07": "hypotheses"}  # fmt: skip
CHECKPOINTS = "runs/tiny/checkpoints/a1"


def case(fault, expected):
    """Register a function of a finished workspace: it injects the fault and returns what was seen, or fails."""

    def register(function):
        CASES.append((fault, expected, function))
        return function

    return register


def run(project, stage, fault="", limit=None, served=True, **options):
    """`make run` as far as a stage, as forks of this process, which saves ten seconds. A limit needs new processes, and
    so does the watch on the network that a workspace keeps."""
    only = f"runs/tiny/{RESULT[stage]}/manifest.json"
    return tiny.make(project, fault, limit, served=served and limit is None, ONLY=only, **options)


def forget(project, *stages):
    for stage in stages:
        shutil.rmtree(project / "runs/tiny" / RESULT[stage])


def mended(project, stage):
    """Repeat the command; the stage must have the same files as in the undisturbed run."""
    return same(project, stage, run(project, stage))


def same(project, stage, done):
    """A run has ended well, and the stage has the same files as in the undisturbed run; returns the run."""
    assert done.returncode == 0, done.stdout[-3000:]
    now = {name: value for name, value in tiny.hashes(project).items() if f"tiny/{RESULT[stage]}/" in name}
    assert now, "the stage wrote nothing"
    tiny.same(now, {name: value for name, value in reference(project).items() if f"tiny/{RESULT[stage]}/" in name})
    return done


def reference(project):
    return read_json(project / "reference.json")


def says(done, *words, status=2):
    """The run ended with this exit status and these words, without a traceback or escapes of a terminal."""
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout[-3000:]}"
    for word in words:
        assert word in done.stdout, f"{word!r} is not in\n{done.stdout[-3000:]}"
    assert "Traceback" not in done.stdout, f"a traceback:\n{done.stdout[-3000:]}"
    assert "\x1b[" not in done.stdout.replace("\x1b[33m", "").replace("\x1b[31m", "").replace("\x1b[0m", "")
    return done


def resumed_at(project):
    return read_json(project / "runs/tiny/models/a1/seed0/clock.json")["resumed_at"]


def cut_off(project):
    """Interrupt the training of a1 at step 10; returns the folder of checkpoints 4 and 8. Done once, then copied."""
    forget(project, "03")
    kept = project.parent / "cut off"
    if kept.exists():
        shutil.copytree(kept, project / CHECKPOINTS)
    else:
        says(run(project, "03", "step:11"), "ended without a message")
        shutil.copytree(project / CHECKPOINTS, kept)
    return project / CHECKPOINTS / "seed0"


def flip(file):
    """Flip one bit in the middle of a file, without changing its time."""
    content = bytearray(file.read_bytes())
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=times)


def cut(file):
    """Remove the second half of a file."""
    os.truncate(file, file.stat().st_size // 2)


def started(project, stage, **options):
    """`make run` as far as a stage, as a running process. options: of Popen."""
    env = tiny.environment(project, ONLY=f"runs/tiny/{RESULT[stage]}/manifest.json")
    options |= {"cwd": project, "env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(tiny.command(), **options)


def mounted(project, commands, stage=None):
    """`make run`, as far as a stage, after shell commands that mount other file systems for it alone; the output as
    text. In the commands, $P is the project."""
    only = {"ONLY": f"runs/tiny/{RESULT[stage]}/manifest.json"} if stage else {}
    env = tiny.environment(project, P=str(project), **only)
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    script = f'{commands}\ncd "$P"\nexec "$@"'
    words = ["unshare", *own, "-m", "sh", "-ec", script, "sh", *tiny.command()]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(words, cwd=project, env=env, **options)


def tree(running):
    return [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]


def called(running, command):
    """The processes of a run that are `python -m lib` with this command."""
    return [process for process in tree(running) if process.cmdline()[1:4] == ["-m", "lib", command]]


def wait_for(found, seconds=600):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if what := found():
                return what
        except (psutil.NoSuchProcess, FileNotFoundError):
            pass
        time.sleep(0.02)
    raise AssertionError("the awaited event did not happen")


def alone(project, notebook, settings):
    """One notebook by papermill, as a user may run it by hand."""
    words = [sys.executable, "-m", "papermill", f"notebooks/{notebook}.ipynb", os.devnull, "--cwd", "notebooks"]
    words += ["-k", "python3", "--no-progress-bar", "-f", f"params/tiny/{settings}.yaml", "-r", "experiment", "tiny"]
    return subprocess.run(words, cwd=project, env=tiny.environment(project), capture_output=True, text=True)


def undisturbed(folder):
    """A finished tiny run, made without network, with which every case starts, and its hashes."""
    project = tiny.workspace(folder / "undisturbed")
    done = tiny.make(project, words=[*offline.prefix(), *tiny.command()])
    assert done.returncode == 0, done.stdout[-5000:]
    (project / "reference.json").write_text(json.dumps(tiny.hashes(project)))
    return project
