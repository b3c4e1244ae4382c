"""What the cases of `make faults` share: a study to break, ways to break it, and what mended means."""

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

CASES = []  # (fault, expected, function of a workspace: what was seen)
RESULT = {"01": "corpus", "02": "masks", "03": "models/a1/seed0", "04": "evaluation/a1/seed0",
          "05": "infills/a1/seed0", "06": "compare", "07": "hypotheses"}  # fmt: skip
CHECKPOINTS = "runs/tiny/checkpoints/a1"


def case(fault, expected):
    """Enter a function of a finished workspace: it injects the fault and returns what was seen, or fails."""

    def enter(function):
        CASES.append((fault, expected, function))
        return function

    return enter


def run(place, stage, fault="", limit=None, served=True, **how):
    """`make run` as far as a stage, warm from the start, which saves ten seconds; a limit needs a start of its own, and
    so does the watch on the network that a workspace keeps."""
    only = f"runs/tiny/{RESULT[stage]}/manifest.json"
    return tiny.make(place, fault, limit, served=served and limit is None, ONLY=only, **how)


def forget(place, *stages):
    for stage in stages:
        shutil.rmtree(place / "runs/tiny" / RESULT[stage])


def mended(place, stage):
    """Give the same command again; the stage must come out as in the undisturbed run."""
    done = run(place, stage)
    assert done.returncode == 0, done.stdout[-3000:]
    now = {name: one for name, one in tiny.hashes(place).items() if f"tiny/{RESULT[stage]}/" in name}
    assert now, "the stage left nothing"
    tiny.same(now, {name: one for name, one in reference(place).items() if f"tiny/{RESULT[stage]}/" in name})
    return done


def reference(place):
    return read_json(place / "reference.json")


def says(done, *words, status=2):
    """The run ended with this exit status and these words, without a traceback or anything that acts on a terminal."""
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout[-3000:]}"
    for word in words:
        assert word in done.stdout, f"{word!r} is not in\n{done.stdout[-3000:]}"
    assert "Traceback" not in done.stdout, f"a traceback:\n{done.stdout[-3000:]}"
    assert "\x1b[" not in done.stdout.replace("\x1b[33m", "").replace("\x1b[31m", "").replace("\x1b[0m", "")
    return done


def resumed_at(place):
    return read_json(place / "runs/tiny/models/a1/seed0/clock.json")["resumed_at"]


def cut_off(place):
    """Leave a1 as a kill at step 10 leaves it: checkpoints 4 and 8; returns their folder. Killed once, then copied."""
    forget(place, "03")
    kept = place.parent / "cut off"
    if kept.exists():
        shutil.copytree(kept, place / CHECKPOINTS)
    else:
        says(run(place, "03", "step:11"), "ended without a word")
        shutil.copytree(place / CHECKPOINTS, kept)
    return place / CHECKPOINTS / "seed0"


def flip(file):
    """One bit in the middle of a file, and the time of its last change as it was."""
    content, times = bytearray(file.read_bytes()), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=times)


def cut(file):
    """The second half of a file gone."""
    os.truncate(file, file.stat().st_size // 2)


def started(place, stage, **how):
    env = tiny.environment(place, ONLY=f"runs/tiny/{RESULT[stage]}/manifest.json", **how)
    return subprocess.Popen(tiny.command(), cwd=place, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


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
    raise AssertionError("what was waited for did not come")


def alone(place, notebook, settings):
    """One notebook by papermill alone, as somebody may run it by hand."""
    words = [sys.executable, "-m", "papermill", f"notebooks/{notebook}.ipynb", os.devnull, "--cwd", "notebooks"]
    words += ["-k", "python3", "--no-progress-bar", "-f", f"params/tiny/{settings}.yaml", "-r", "experiment", "tiny"]
    return subprocess.run(words, cwd=place, env=tiny.environment(place), capture_output=True, text=True)


def undisturbed(folder):
    """A finished tiny run, made without network, from which every case starts, and its hashes."""
    place = tiny.workspace(folder / "undisturbed")
    done = tiny.make(place, words=[*offline.prefix(), *tiny.command()])
    assert done.returncode == 0, done.stdout[-5000:]
    (place / "reference.json").write_text(json.dumps(tiny.hashes(place)))
    return place
