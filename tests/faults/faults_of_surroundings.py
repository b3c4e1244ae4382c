"""Faults of what a run finds around it: full and read-only folders, other disks, users, clocks, other experiments."""

import os
import random
import shutil
import subprocess
import tempfile
import time

from tests.faults.injected import (
    RESULT,
    called,
    case,
    forget,
    mended,
    mounted,
    reference,
    run,
    same,
    says,
    started,
    wait_for,
)
from tests.helpers import tiny_study as tiny

TEMPORARY = sorted({"/tmp", "/var/tmp", "/usr/tmp", tempfile.gettempdir()})  # where Python looks for a folder
TEMPORARY = [folder for folder in TEMPORARY if os.path.isdir(folder)]
READ_ONLY = "mount --bind {0} {0}; mount -o remount,bind,ro {0}"
FULL = "mount -t tmpfs -o size=64k tmpfs {0}; head -c 1m /dev/zero > {0}/full || true"
KEEP, PUT_BACK = 'mount --bind "$P" /mnt', 'mkdir -p "$P" 2> /dev/null || true; mount --move /mnt "$P"'
LONGEST = 15.0  # seconds until a disk is full


def without_temporary_files(command):
    """Every folder for temporary files is read-only or full, but the project, which lies in one of them, is not."""

    def inject(project):
        forget(project, "03")
        commands = [KEEP, *(command.format(folder) for folder in TEMPORARY), PUT_BACK]
        same(project, "03", mounted(project, "; ".join(commands), "03"))
        return "the run goes on, with temporary files in the project; identical"

    return inject


for fault, command in {"read-only": READ_ONLY, "full": FULL}.items():
    case(f"/tmp and /var/tmp are {fault}", "the run goes on; identical")(without_temporary_files(command))


# A copy of the project on a disk of its own, which is full from some moment on, and emptied after the run has ended.
FULL_DISK = """mount -t tmpfs -o size=400m tmpfs "$P"; cp -a /mnt/. "$P"; cd "$P"
(sleep {delay}; while [ ! -e /mnt/ended ]; do head -c 1G /dev/zero >> full 2> /dev/null || sleep 0.2; done) &
"$@" > /mnt/first.txt 2>&1 || true; touch /mnt/ended; wait; rm full
"$@" > /mnt/second.txt 2>&1; rm -r /mnt/runs; cp -a runs /mnt; cd /; umount "$P"; mount --move /mnt "$P"
"""


def full_at(seed):
    def inject(project):
        forget(project, "03")
        delay = random.Random(seed).uniform(0, LONGEST)
        done = mounted(project, f"{KEEP}\n{FULL_DISK.format(delay=delay)}", "03")
        same(project, "03", done)
        first = (project / "first.txt").read_text(encoding="utf-8")
        assert "Traceback" not in first, first[-3000:]
        assert "To go on: make run" in first or "Make room" in first, first[-3000:]
        return f"after {delay:.0f} s the run ended with words; rerun identical"

    return inject


for seed in range(3):
    case(f"disk full at a random moment, seed {seed}", "an end with words; rerun identical")(full_at(seed))


@case("runs/ on another file system, linked", "the same files, the same moves")
def other_file_system(project):
    forget(project, "03")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as disk:
        shutil.move(project / "runs", f"{disk}/runs")
        (project / "runs").symlink_to(f"{disk}/runs")
        models = project / "runs/tiny/evaluation"
        shutil.rmtree(models / "general")
        shutil.copytree(models / "a1", models / "general")
        done = tiny.make(project, served=True)
        assert "what was there is now" in says(done, status=0).stdout
        found = {name: value for name, value in tiny.hashes(project).items() if "/misplaced/" not in name}
        tiny.same(found, reference(project))
    return "a misplaced result moved, all made again; identical"


@case("a user without privileges", "the same files")
def without_privileges(project):
    forget(project, "03")
    words = ["unshare", "--user", "--map-user=1000", "--map-group=1000", *tiny.command()]
    only = f"runs/tiny/{RESULT['03']}/manifest.json"
    same(project, "03", tiny.make(project, words=words, ONLY=only))
    return "identical"


@case("a home folder that does not exist", "refused in seconds, with the way on")
def no_home(project):
    forget(project, "03")
    began = time.monotonic()
    says(run(project, "03", HOME=str(project / "none")), "The home folder", "HOME=folder make run")
    assert time.monotonic() - began < 10
    mended(project, "03")
    return "refused in seconds"


@case("two experiments at once", "both end; the same files")
def two_experiments(project):
    shutil.copytree(project / "params/tiny", project / "params/other")
    forget(project, "03")
    shutil.copytree(project / "runs/tiny", project / "runs/other")
    only = f"runs/other/{RESULT['03']}/manifest.json"
    with started(project, "03") as first:
        other = tiny.make(project, words=tiny.command("other"), ONLY=only)
        assert first.wait(900) == 0
    same(project, "03", other)
    weights = [file.read_bytes() for file in (project / "runs").glob("*/models/a1/seed0/model.safetensors")]
    assert len(weights) == 2 and weights[0] == weights[1]
    mended(project, "03")
    return "both ended; the same weights in both, those of the undisturbed run"


CLOCK = """
import os, time
if os.environ.get("CLOCK"):
    clock = time.time
    time.time = lambda: clock() - 86_400 * os.path.exists(os.environ["CLOCK"])
"""


@case("the clock is set back by a day in 03", "the run goes on; identical")
def clock_during_a_run(project):
    forget(project, "03")
    (project / "sitecustomize.py").write_text((project / "sitecustomize.py").read_text() + CLOCK)
    only = f"runs/tiny/{RESULT['03']}/manifest.json"
    env = tiny.environment(project, ONLY=only, CLOCK=str(project / "set back"))
    options = {"cwd": project, "env": env, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(tiny.command(), **options) as running:
        wait_for(lambda: called(running, "job"))
        results = (project / "runs/tiny").glob("*/manifest.json")
        for file in results:  # as if they had been made before
            tomorrow(file)
        (project / "set back").touch()
        assert running.wait(900) == 0, running.stdout.read()[-3000:]
    mended(project, "03")
    return "goes on; identical"


def tomorrow(file):
    later = file.stat().st_mtime + 86_400
    os.utime(file, (later, later))


@case("the clock is set back by a day between two runs", "files from the future are named, with the way on; identical")
def clock_between_runs(project):
    forget(project, "03")
    for path in (project / "runs").rglob("*"):
        tomorrow(path)
    mended(project, "03")
    forget(project, "03")
    for file in [project / "corpus.csv", project / "params/tiny/a1.yaml"]:
        tomorrow(file)
        says(run(project, "03"), f"{file.relative_to(project)} has a time that is", "touch")
        file.touch()
    mended(project, "03")
    return "results of tomorrow are used; corpus and parameters named, touched: identical"
