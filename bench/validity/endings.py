"""Runs ended or suspended at random moments: bench/validity/endings.py [TRIALS] writes bench/records/endings.json.

Each trial starts `make run` of a tiny study in a terminal of its own (a session), and ends it in one of EVENTS after a
random time. All processes of the run, known by a variable that they inherit, must be gone within 5 seconds. Only where
Snakemake is killed, make and the lock's holder may take longer, since they print what stopped. The next trial goes on
with what is there, by the same command. In the end the run is completed, and its files must be, byte for byte, those of
an undisturbed run.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from lib.experiment.files import read_json
from tests.helpers import tiny_study as tiny

TRIAL = "ENDINGS_TRIAL"  # environment variable that marks all processes of a trial
LIMIT = 5.0  # seconds within which a run ends
LONGEST = 30.0  # seconds from the start of a run to its end by an event
SUSPENDED = 10.0  # seconds
EVENTS = {
    "SIGHUP to the terminal": lambda run: os.killpg(run.pid, signal.SIGHUP),
    "SIGINT to the terminal": lambda run: os.killpg(run.pid, signal.SIGINT),
    "SIGTERM to the terminal": lambda run: os.killpg(run.pid, signal.SIGTERM),
    "SIGTERM to make": lambda run: os.kill(run.pid, signal.SIGTERM),
    "kill -9 of make": lambda run: os.kill(run.pid, signal.SIGKILL),
    "kill -9 of make's shell": lambda run: os.kill(shell_of(run), signal.SIGKILL),
    "kill -9 of the lock's holder": lambda run: os.kill(run.holder(), signal.SIGKILL),
    "kill -9 of Snakemake": lambda run: os.kill(run.snakemake(), signal.SIGKILL),
    "kill -9 of the terminal's group": lambda run: os.killpg(run.pid, signal.SIGKILL),
    "SIGSTOP of all, SIGCONT": lambda run: suspend(run),
}


def as_from_a_terminal():
    """Heed signals that this script may ignore, under nohup or in the background."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Run:
    """`make run` in a session of its own, and the processes that belong to it."""

    def __init__(self, folder):
        self.folder = folder
        self.mark = f"{TRIAL}={uuid.uuid4()}"
        env = tiny.environment(folder) | dict([self.mark.split("=")])
        options = {"cwd": folder, "env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        options["preexec_fn"] = as_from_a_terminal
        self.make = subprocess.Popen(tiny.command(), start_new_session=True, **options)
        self.pid = self.make.pid

    def processes(self):
        """Process ids of all that carry the mark, without those that have ended but are still listed."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_zombie = (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                if self.mark.encode() in (entry / "environ").read_bytes() and not is_zombie:
                    found.append(int(entry.name))
        return found

    def holder(self):
        return read_json(self.folder / "runs/tiny/.lock")["pid"]

    def snakemake(self):
        return next(pid for pid in self.processes() if b"\0snakemake\0" in Path(f"/proc/{pid}/cmdline").read_bytes())


def shell_of(run):
    """The process that make started: a shell, or what has taken its place."""
    return int(Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()[0])


def suspend(run):
    stopped = run.processes()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(SUSPENDED)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)


def trial(seed, folder):
    """One run that is ended: what happened to it, and how long its last process lived after that."""
    rng = random.Random(seed)
    event = rng.choice(list(EVENTS))
    moment = rng.uniform(0.2, LONGEST)
    run = Run(folder)
    time.sleep(moment)
    n = len(run.processes())
    began = time.monotonic()
    try:
        EVENTS[event](run)
    except (OSError, IndexError, KeyError, ValueError, StopIteration) as error:  # at this moment there is none
        os.killpg(run.pid, signal.SIGTERM)
        event += f": not found ({type(error).__name__}), SIGTERM to the terminal instead"
    if event.startswith("SIGSTOP"):
        as_expected = goes_on(run)
        seconds = None
    else:
        spared = {run.pid, run.holder()} if event == "kill -9 of Snakemake" else set()
        while set(run.processes()) - spared and time.monotonic() < began + 60:
            run.make.poll()
            time.sleep(0.05)
        seconds = round(time.monotonic() - began, 2)
        as_expected = seconds <= LIMIT
        while run.processes() and time.monotonic() < began + 60:
            run.make.poll()
            time.sleep(0.05)
    left = [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:80] for pid in run.processes()]
    for pid in run.processes():
        os.kill(pid, signal.SIGKILL)
    run.make.wait()
    facts_of_trial = {"seed": seed, "event": event, "moment": round(moment, 2), "processes": n}
    return facts_of_trial | {"last_process_lived": seconds, "as_expected": as_expected, "left": left}


def goes_on(run):
    """Does the run finish another result, or itself? Then it is ended."""
    before = results(run.folder)
    until = time.monotonic() + 900
    while run.make.poll() is None and results(run.folder) <= before and time.monotonic() < until:
        time.sleep(0.1)
    went_on = run.make.poll() == 0 or bool(results(run.folder) - before)
    if run.make.poll() is None:
        os.killpg(run.pid, signal.SIGTERM)
        time.sleep(LIMIT)
    return went_on


def results(folder):
    """The manifests of finished results with their times."""
    return {(path, path.stat().st_mtime) for path in (folder / "runs/tiny").rglob("manifest.json")}


def forget_models(folder):
    """So that the next trial has something to do."""
    for stage in ["models", "evaluation", "infills", "checkpoints"]:
        subprocess.run(["rm", "-rf", folder / "runs/tiny" / stage], check=True)


def main():
    n = int(sys.argv[1]) if sys.argv[1:] else 30
    with tempfile.TemporaryDirectory(prefix="endings") as name:
        folder = tiny.workspace(Path(name) / "study")
        assert tiny.make(folder).returncode == 0, "the undisturbed run failed"
        reference = tiny.hashes(folder)
        trials = []
        for seed in range(n):
            if (folder / "runs/tiny/hypotheses/manifest.json").exists():
                forget_models(folder)
                (folder / "runs/tiny/hypotheses/manifest.json").unlink()
            trials.append(trial(seed, folder))
            print(trials[-1], flush=True)
        last = tiny.make(folder)
        found = tiny.hashes(folder)
        other = [name for name in sorted(found.keys() | reference.keys()) if found.get(name) != reference.get(name)]
    good = sum(row["as_expected"] for row in trials)
    summary = {"trials": n, "as_expected": good, "limit_seconds": LIMIT, "suspended_seconds": SUSPENDED}
    summary |= {"exit_status_at_the_end": last.returncode, "files_compared": len(reference), "files_that_differ": other}
    text = json.dumps(facts() | summary | {"each": trials}, indent=2)
    Path("bench/records/endings.json").write_text(text + "\n", encoding="utf-8")
    sys.exit(good < n or last.returncode != 0 or bool(other))


if __name__ == "__main__":
    main()
