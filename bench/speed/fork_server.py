"""What the fork server saves of the demo: bench/speed/fork_server.py [ROUNDS] writes bench/records/fork_server.json.

Each round makes the demo twice from nothing, with the fork server and without it, in alternating order. Without it,
each papermill process and each kernel imports torch and transformers itself. CPU seconds count all processes of a run.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.record import facts
from lib.experiment.files import write_json

EXPERIMENT = "fork_server_bench"
WITHOUT_SERVER = """
import functools, sys
from lib import __main__
from lib.workflow import fork_server
serve = fork_server.serve
fork_server.serve = lambda *arguments, **options: serve(*arguments, **(options | {"forking": False}))
__main__.main()
"""


def main(rounds=3):
    runs = []
    for number in range(rounds):
        order = [True, False] if number % 2 == 0 else [False, True]
        for forking in order:
            runs.append(measure(forking))
            print(runs[-1], flush=True)
        record = facts() | {"runs": runs, "medians": medians(runs)}
        write_json(record, ROOT / "bench/records/fork_server.json")


def medians(runs):
    return {name: medians_of(runs, forking) for name, forking in [("with", True), ("without", False)]}


def measure(forking):
    """One demo from nothing. Returns wall and CPU seconds and the machine's load before it."""
    shutil.rmtree(ROOT / "runs" / EXPERIMENT, ignore_errors=True)
    program = ["-m", "lib"] if forking else ["-c", WITHOUT_SERVER]
    command = [sys.executable, *program, "run", "--experiment", EXPERIMENT, "--params", "params/demo"]
    command += ["--corpus", "runs/synthetic_corpus.csv"]
    load = os.getloadavg()[0]
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    assert status == 0, f"The demo failed, fork server: {forking}"
    cpu = usage.ru_utime + usage.ru_stime
    return {"fork_server": forking, "wall_s": round(wall, 1), "cpu_s": round(cpu, 1), "load_before": round(load, 2)}


def medians_of(runs, forking):
    chosen = [run for run in runs if run["fork_server"] == forking]
    return {key: statistics.median(run[key] for run in chosen) for key in ["wall_s", "cpu_s"]}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
