"""Whole runs killed at random moments: bench/validity/kills.py [TRIALS] writes bench/records/kills.json.

Each trial is a study of three models, killed three times (kill -9 of all its processes, or of one of them) and then
completed. Its files must be, byte for byte, those of an undisturbed run; only times may differ.
"""

import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from tests.helpers import tiny_study as tiny

KILLS = 3


def finished(project):
    """How many results have a manifest."""
    return len([path for path in (project / "runs/tiny").rglob("manifest.json") if "checkpoints" not in path.parts])


def killed(project, rng, after):
    """Start the run; when `after` results are finished, wait a random moment and kill all of it, or one process.

    Returns what was killed and when, or None if the run had ended before.
    """
    options = {"cwd": project, "env": tiny.environment(project)}
    options |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    began = time.monotonic()
    moment = rng.uniform(0, 5)
    with subprocess.Popen(tiny.command(), **options) as running:
        while finished(project) < after and running.poll() is None:
            time.sleep(0.05)
        time.sleep(moment)
        if running.poll() is not None:
            return None
        family = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
        chosen = family if rng.random() < 0.5 else [rng.choice(family)]
        command = re.sub(r"(/[^/']+)+/", "", " ".join(chosen[0].cmdline()))  # without folders of this machine
        what = "everything" if len(chosen) > 1 else command[:80]
        for process in chosen:
            process.kill()
        running.wait()
    psutil.wait_procs(family, timeout=900)
    seconds = round(time.monotonic() - began, 1)
    return {"results_asked": after, "moment": round(moment, 2), "killed": what, "after_seconds": seconds}


def trial(seed, folder, reference, results):
    """One run, killed three times and completed: what was done to it, and which files differ."""
    rng = random.Random(seed)
    project = tiny.workspace(Path(folder) / f"trial {seed}")
    kills = [killed(project, rng, after) for after in sorted(rng.choices(range(results), k=KILLS))]
    end = tiny.make(project)
    found = tiny.hashes(project)
    other = [name for name in sorted(found.keys() | reference.keys()) if found.get(name) != reference.get(name)]
    shutil.rmtree(project)
    return {"seed": seed, "kills": kills, "exit_status": end.returncode, "files_that_differ": other}


def main():
    n = int(sys.argv[1]) if sys.argv[1:] else 10
    with tempfile.TemporaryDirectory(prefix="kills") as folder:
        project = tiny.workspace(Path(folder) / "undisturbed")
        assert tiny.make(project).returncode == 0, "the undisturbed run failed"
        results, reference, trials = finished(project), tiny.hashes(project), []
        for seed in range(n):
            trials.append(trial(seed, folder, reference, results))
            print(trials[-1], flush=True)
            equal = sum(row["exit_status"] == 0 and not row["files_that_differ"] for row in trials)
            summary = {"trials": len(trials), "equal_to_the_undisturbed_run": equal, "files_compared": len(reference)}
            summary["kills"] = sum(kill is not None for row in trials for kill in row["kills"])
            record = facts() | summary | {"each": trials}
            Path("bench/records/kills.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    sys.exit(equal < n)


if __name__ == "__main__":
    main()
