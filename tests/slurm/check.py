"""Does a study come out the same on a cluster? `make slurm-test`, or with `demo` as argument for the whole demo.

Runs it twice, each in a folder of its own: plainly, and with PROFILE=slurm on a SLURM of this one machine, where one
training is killed and one runs into its time limit. All files that a run leaves must be equal, byte by byte. Needs
root, slurm-wlm and munge. A finished demo beside this file's project is taken for the plain run of the demo.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import local  # noqa: E402
import tiny  # noqa: E402

from lib.files import read_json  # noqa: E402

CORPUS = {"tiny": "corpus.csv", "demo": "runs/synthetic_corpus.csv"}
# One training takes a nap at each step, so that it lasts until its time limit: the first that finds a file `slow`.
SLOW = '''
if os.environ.get("SLURM_JOB_ID"):
    import time

    import lib.fault

    point, naps = lib.fault.point, []

    def slow(name):
        mark = os.path.join(os.path.dirname(__file__), "slow")
        if name == "step" and not naps and os.path.exists(mark):
            os.rename(mark, mark + ".taken")
            naps.append(1)
        time.sleep(8 * len(naps))
        return point(name)

    lib.fault.point = slow
'''


def place(folder, experiment):
    """A workspace for a run of the tiny study or of the demo."""
    made = tiny.workspace(folder)
    if experiment == "demo":
        subprocess.run(["cp", "-r", tiny.ROOT / "params/demo", made / "params"], check=True)
    return made


def profile(made):
    """What a user of this cluster writes into profiles/slurm."""
    file = made / "profiles/slurm/config.yaml"
    asked = yaml.safe_load(file.read_text())
    defaults = {"slurm_partition": "here", "slurm_extra": "'--signal=USR1@60'", "mem_mb": 1000, "runtime": 60}
    asked |= {"default-resources": defaults, "set-resources": {"train": {"runtime": 3, "mem_mb": 1000}}}
    asked |= {"slurm-no-account": True, "slurm-status-command": "squeue", "latency-wait": 20}
    asked |= {"slurm-init-seconds-before-status-checks": 5}
    file.write_text(yaml.safe_dump(asked))
    machine = {"device": "cpu", "tflops": 0.05, "threads": 1, "at_once": 2, "longest_hours": 1}
    (made / "profiles/slurm/machine.yaml").write_text(yaml.safe_dump(machine))
    with open(made / "sitecustomize.py", "a") as file:
        file.write(SLOW)
    (made / "slow").touch()


def words(experiment, *more):
    return [*tiny.command(experiment, CORPUS[experiment]), *more]


def on_slurm(made, experiment):
    """The run on the cluster: what it printed, and which training was killed as soon as it had a checkpoint."""
    how = {"cwd": made, "env": tiny.environment(made), "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(words(experiment, "PROFILE=slurm"), text=True, **how) as run:
        victim = _kill_one(made / "runs" / experiment, run)
        told = run.communicate()[0]
    assert run.returncode == 0, told[-5000:]
    return told, victim


def _kill_one(home, run):
    """kill -9 to a training that has sealed a checkpoint: (model, SLURM's number of the job)."""
    while run.poll() is None:
        for sealed in home.glob("checkpoints/*/seed*/checkpoint-*/manifest.json"):
            model = sealed.relative_to(home).parts[1]
            jobs = subprocess.run(["squeue", "-h", "-t", "R", "-o", "%i %k"], capture_output=True, text=True).stdout
            for number, comment in (line.split(maxsplit=1) for line in jobs.splitlines()):
                taken = list(home.parent.parent.glob("slow.taken"))
                if comment.strip() == f"rule_train_wildcards_{model}" and taken:
                    subprocess.run(["scancel", "--signal=KILL", "--full", number], check=True)
                    return model, number
        time.sleep(0.2)
    return None


def plain(folder, experiment):
    """The hashes of a run without a cluster."""
    if experiment == "demo" and (tiny.ROOT / "runs/demo/hypotheses/manifest.json").exists():
        return tiny.hashes(tiny.ROOT, "demo")
    made = place(folder, experiment)
    done = tiny.make(made, words=words(experiment))
    assert done.returncode == 0, done.stdout[-5000:]
    return tiny.hashes(made, experiment)


def main(experiment="tiny"):
    with tempfile.TemporaryDirectory(prefix="slurm") as folder:
        folder = Path(folder)
        made = place(folder / "cluster", experiment)
        profile(made)
        began = time.monotonic()
        with local.running(folder / "slurm"):
            told, victim = on_slurm(made, experiment)
        took = time.monotonic() - began
        home = made / "runs" / experiment
        clocks = {file.parent: read_json(file) for file in home.glob("models/*/seed*/clock.json")}
        resumed = {f"{one.parent.name}, {one.name}": at for one, clock in clocks.items() if (at := clock["resumed_at"])}
        print(told[-3000:], flush=True)
        print(f"killed: {victim}; went on from a step: {resumed}; {took / 60:.1f} minutes", flush=True)
        assert victim and not (made / "slow").exists(), "nothing was killed, or nothing was slow"
        assert len(resumed) >= 2, f"one was killed and one ran out of time, but only these went on: {resumed}"
        found = tiny.hashes(made, experiment)
        tiny.same(found, plain(folder / "plain", experiment))
        print(f"{len(found)} files are those of a run without a cluster")


if __name__ == "__main__":
    main(*sys.argv[1:])
