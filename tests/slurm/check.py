"""Does a study come out the same on a cluster? `make slurm-test`, or with `demo` as argument for the whole demo.

Runs it twice, each in a folder of its own: plainly, and with PROFILE=slurm on a SLURM of this one machine, where one
training is killed and one runs into its time limit. All files that a run leaves must be equal, byte by byte. Needs
root, slurm-wlm and munge.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path[:0] = [str(Path(__file__).parents[2])]

from lib.experiment.files import read_json
from tests.helpers import tiny_study as tiny
from tests.slurm import local

CORPUS = {"tiny": "corpus.csv", "demo": "runs/synthetic_corpus.csv"}
# The first training that finds the file `slow` sleeps at each step until its time limit. The next one, which finds
# the file `kill`, has its job killed three steps after its first checkpoint.
HOOK = '''
if os.environ.get("SLURM_JOB_ID"):
    import subprocess
    import time

    import lib.experiment.fault_injection

    point, met, naps, doomed = lib.experiment.fault_injection.point, [], [], []

    def taken(mark):
        place = os.path.join(os.path.dirname(__file__), mark)
        try:
            os.rename(place, place + ".taken")
        except FileNotFoundError:
            return False
        return True

    def hindered(name):
        met.append(name)
        if name == "step" and met.count("step") == 1:
            if taken("slow"):
                naps.append(8)
            elif taken("kill"):
                doomed.append(True)
        if doomed and "checkpoint" in met and met[met.index("checkpoint"):].count("step") == 3:
            subprocess.run(["scancel", "--full", "--signal=KILL", os.environ["SLURM_JOB_ID"]])
            time.sleep(60)
        if name == "step":
            time.sleep(sum(naps))
        return point(name)

    lib.experiment.fault_injection.point = hindered
'''


def workspace(folder, experiment):
    """A workspace for a run of the tiny study or of the demo."""
    project = tiny.workspace(folder)
    if experiment == "demo":
        subprocess.run(["cp", "-r", tiny.ROOT / "params/demo", project / "params"], check=True)
    return project


def profile(project):
    """Write into profiles/slurm what a user of this cluster would write."""
    file = project / "profiles/slurm/config.yaml"
    config = yaml.safe_load(file.read_text())
    defaults = {"slurm_partition": "here", "slurm_extra": "'--signal=USR1@60'", "mem_mb": 1000, "runtime": 60}
    config |= {"default-resources": defaults, "set-resources": {"train": {"runtime": 3, "mem_mb": 1000}}}
    config |= {"slurm-no-account": True, "slurm-status-command": "squeue", "latency-wait": 20}
    config |= {"slurm-init-seconds-before-status-checks": 5}
    file.write_text(yaml.safe_dump(config))
    machine = {"device": "cpu", "tflops": 0.05, "threads": 1, "parallel_jobs": 2, "max_hours": 1}
    (project / "profiles/slurm/machine.yaml").write_text(yaml.safe_dump(machine))
    with open(project / "sitecustomize.py", "a") as file:
        file.write(HOOK)
    for mark in ["slow", "kill"]:
        (project / mark).touch()


def words(experiment, *more):
    return [*tiny.command(experiment, CORPUS[experiment]), *more]


def plain(folder, experiment):
    """The hashes of a run without a cluster."""
    project = workspace(folder, experiment)
    done = tiny.make(project, words=words(experiment))
    assert done.returncode == 0, done.stdout[-5000:]
    return tiny.hashes(project, experiment)


def main(experiment="tiny"):
    with tempfile.TemporaryDirectory(prefix="slurm") as folder:
        folder = Path(folder)
        project = workspace(folder / "cluster", experiment)
        profile(project)
        began = time.monotonic()
        with local.running(folder / "slurm"):
            done = tiny.make(project, words=words(experiment, "PROFILE=slurm"), limit_seconds=5400)
        took = time.monotonic() - began
        run_dir = project / "runs" / experiment
        clocks = {file.parent: read_json(file) for file in run_dir.glob("models/*/seed*/clock.json")}
        resumed = {f"{one.parent.name}, {one.name}": at for one, clock in clocks.items() if (at := clock["resumed_at"])}
        print(done.stdout[-3000:], flush=True)
        assert done.returncode == 0, f"exit status {done.returncode}"
        print(f"resumed from a step: {resumed}; {took / 60:.1f} minutes", flush=True)
        found = tiny.hashes(project, experiment)
        tiny.same(found, plain(folder / "plain", experiment))
        print(f"{len(found)} files are those of a run without a cluster")
        assert len(list(project.glob("*.taken"))) == 2, "none was killed, or none was slow"
        assert len(resumed) >= 2, f"one was killed and one ran out of time, but only these went on: {resumed}"


if __name__ == "__main__":
    main(*filter(None, sys.argv[1:]))
