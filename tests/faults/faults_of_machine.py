"""Faults of the machine: kills, disks, memory, damage, two runs at once."""

import json
import shutil
import time
from pathlib import Path

import psutil

from lib.experiment.files import read_json
from tests.faults.injected import (
    CHECKPOINTS,
    RESULT,
    alone,
    called,
    case,
    cut,
    cut_off,
    flip,
    forget,
    mended,
    mounted,
    reference,
    resumed_at,
    run,
    says,
    started,
    tree,
    wait_for,
)
from tests.helpers import tiny_study as tiny

KILLS = [("01", "write texts.parquet:1"), ("02", "write index.parquet:1"), ("03", "step:2"), ("03", "checkpoint:3"),
         ("03", "write model.safetensors:1"), ("04", "write scores.parquet:1"), ("05", "write samples.parquet:1"),
         ("06", "write contrasts.csv:1"), ("07", "write manifest.json:1")]  # fmt: skip


def killed(stage, where):
    def inject(project):
        forget(project, stage)
        says(run(project, stage, where), "ended without a message", f"notebooks/{stage}_", "To go on: make run")
        assert not (project / "runs/tiny" / RESULT[stage] / "manifest.json").exists()
        mended(project, stage)
        return "exit 2, notebook kept and named; the rerun is byte-identical"

    return inject


for stage, where in KILLS:
    fault = f"kill -9 of the kernel in {stage}: {where.split(':')[0]}"
    case(fault, "non-zero exit, no partial file under a final name; rerun identical")(killed(stage, where))


@case("kill -9 in 03 at step 10", "goes on from step 8; weights bitwise equal")
def in_training(project):
    cut_off(project)
    mended(project, "03")
    assert resumed_at(project) == 8
    return "went on from step 8; all files byte-identical, weights too"


def interrupted_by(name):
    """Kill a process of a run during 03; all others must end."""

    def inject(project):
        forget(project, "03")
        with started(project, "03") as running:
            wait_for(lambda: called(running, "job"))
            family = tree(running)[1:]
            called(running, name)[0].kill()
            assert running.wait(60) != 0
        _, left = psutil.wait_procs(family, timeout=20)
        assert not left, f"still there: {left}"
        mended(project, "03")
        return "non-zero exit, all processes ended; rerun identical"

    return inject


case("kill -9 of papermill in 03", "non-zero exit, rerun identical")(interrupted_by("job"))
case("kill -9 of the lock's holder alone", "no process of the run is left")(interrupted_by("run"))


@case("kill -9 of everything at once in 03", "resumes; no process left; the lock of the dead run taken over")
def everything(project):
    forget(project, "03")
    with started(project, "03") as running:
        wait_for(lambda: list((project / CHECKPOINTS).rglob("manifest.json")))
        family = tree(running)
        for process in family:
            process.kill()
        running.wait(60)
    _, left = psutil.wait_procs(family, timeout=20)
    assert not left, f"still there: {left}"
    assert "its lock is taken over" in mended(project, "03").stdout
    return "no process left; lock taken over, which is printed; rerun identical"


# --- disks


@case("disk full while 02 writes", "error names the file, old files unchanged, rerun identical")
def full_disk(project):
    (project / "runs/tiny/masks/manifest.json").unlink()
    old = (project / "runs/tiny/masks/index.parquet").read_bytes()
    says(run(project, "02", limit=200_000), "index.parquet could not be written", "File too large", "Make room")
    assert (project / "runs/tiny/masks/index.parquet").read_bytes() == old
    mended(project, "02")
    return "WriteError with file and way on; rerun identical"


@case("disk full inside a checkpoint", "error names the file, the checkpoint before is kept, rerun identical")
def full_disk_in_checkpoint(project):
    checkpoints = cut_off(project)
    largest = max(file.stat().st_size for file in (checkpoints / "checkpoint-8").iterdir())
    says(run(project, "03", limit=largest - 1000), "could not be written", "checkpoint-12", "Make room")
    assert (checkpoints / "checkpoint-8/manifest.json").exists()
    mended(project, "03")
    assert resumed_at(project) == 8
    return "checkpoint-12 named, checkpoint 8 kept; went on from there, identical"


@case("disk without room from the start", "refused in seconds, nothing started")
def no_room(project):
    shutil.rmtree(project / "runs/tiny/hypotheses")
    began = time.monotonic()
    done = mounted(project, "mount -t tmpfs -o size=50m tmpfs runs")
    says(done, "runs/tiny: under 100 MiB are left on its disk. Make room; nothing was started.")
    assert time.monotonic() - began < 10
    return "refused in seconds, naming the folder"


@case("folder that may not be written", "refused in seconds, before computing")
def read_only(project):
    forget(project, "07")
    began = time.monotonic()
    done = mounted(project, "mount --bind runs runs; mount -o remount,bind,ro runs")
    says(done, "Read-only file system: 'runs/tiny/.lock'")
    assert time.monotonic() - began < 10
    mended(project, "07")
    return "refused in seconds, naming the file"


# --- damage


def damaged(stage, file, damage):
    def inject(project):
        damage(project / "runs/tiny" / file)
        status = tiny.make(project, words=tiny.command(target="status"))
        says(status, f"{Path(file).name} was changed or damaged", status=0)
        assert "is rebuilt" in mended(project, stage).stdout
        return "named by make status; rebuilt, identical"

    return inject


FILES = {"01": "corpus/texts.parquet", "02": "masks/test.parquet", "03": "models/a1/seed0/model.safetensors",
         "04": "evaluation/a1/seed0/scores.parquet"}  # fmt: skip
for stage, file in FILES.items():
    case(f"bit flip in {file}", "found by its hash, rebuilt")(damaged(stage, file, flip))
    case(f"{file} cut short", "found by its hash, rebuilt")(damaged(stage, file, cut))


@case("damaged masks read by a notebook run by hand", "the notebook refuses: file, and the command that goes on")
def by_hand(project):
    flip(project / "runs/tiny/masks/test.parquet")
    done = alone(project, "04_evaluate", "a1")
    assert done.returncode != 0 and "not what 02_mask wrote" in done.stderr, done.stderr[-2000:]
    assert "make run EXPERIMENT=tiny" in done.stderr
    return "04 refuses, names test.parquet and make run"


def half_written(checkpoint):
    """As after a kill while a checkpoint is written: half a file, and no manifest."""
    cut(checkpoint / "optimizer.pt")
    (checkpoint / "manifest.json").unlink()


def foreign(checkpoint):
    """The checkpoint of another training, under this one's name."""
    shutil.rmtree(checkpoint)
    shutil.copytree(checkpoint.with_name("checkpoint-4"), checkpoint)
    manifest = read_json(checkpoint / "manifest.json") | {"training": "of another model", "folder": checkpoint.name}
    (checkpoint / "manifest.json").write_text(json.dumps(manifest))


def step_0(checkpoint):
    """Untrained weights with a valid manifest: nothing to resume from."""
    checkpoint.rename(checkpoint.with_name("checkpoint-0"))
    manifest = read_json(checkpoint.with_name("checkpoint-0") / "manifest.json") | {"folder": "checkpoint-0"}
    (checkpoint.with_name("checkpoint-0") / "manifest.json").write_text(json.dumps(manifest))


DAMAGE = {
    "bit flip in a checkpoint's weights": lambda checkpoint: flip(checkpoint / "model.safetensors"),
    "a checkpoint's weights cut short": lambda checkpoint: cut(checkpoint / "model.safetensors"),
    "bit flip in a checkpoint's optimiser": lambda checkpoint: flip(checkpoint / "optimizer.pt"),
    "a checkpoint's optimiser cut short": lambda checkpoint: cut(checkpoint / "optimizer.pt"),
    "a checkpoint half written": half_written,
    "a foreign checkpoint": foreign,
    "a checkpoint of step 0": step_0,
}


def passed_over(damage):
    def inject(project):
        damage(cut_off(project) / "checkpoint-8")
        mended(project, "03")
        assert resumed_at(project) == 4
        log = (project / "runs/tiny/notebooks/03_train.a1.ipynb").read_text(encoding="utf-8")
        assert "is incomplete or damaged, or was not made here: not used" in log
        return "named, and resumed from step 4; rerun identical"

    return inject


for fault, damage in DAMAGE.items():
    case(fault, "not used; resumes from the one before, identical")(passed_over(damage))


# --- loss and memory


@case("NaN loss", "stops at that step, exit 2, last checkpoint kept; rerun identical")
def nan(project):
    forget(project, "03")
    stopped = run(project, "03", "step:11:nan")
    says(stopped, "the loss is nan at step 10", "Lower learning_rate or max_grad_norm", "rm -r")
    assert (project / CHECKPOINTS / "seed0/checkpoint-8/manifest.json").exists()
    mended(project, "03")
    return "stopped at step 10, checkpoint 8 kept; rerun identical"


@case("memory runs out once", "micro-batches, same examples, recorded")
def memory_once(project):
    forget(project, "03")
    says(run(project, "03", "step:11:oom"), status=0)
    model = project / "runs/tiny/models/a1/seed0"
    assert read_json(model / "train.json")["micro_batches"] == 2
    name = "runs/tiny/models/a1/seed0/order.parquet"
    assert tiny.hashes(project)[name] == reference(project)[name]
    return "micro_batches 2 in train.json; the same order.parquet"


@case("memory always runs out", "a clear end, exit 2")
def memory_always(project):
    forget(project, "03")
    says(run(project, "03", "step:0:oom"), "OutOfMemory", "even with one example at a time")
    mended(project, "03")
    return "an error after the last halving; rerun identical"


# --- two runs


@case("two runs at once", "the second refuses in seconds and names the first")
def two_runs(project):
    forget(project, "03")
    with started(project, "03") as first:
        wait_for(lambda: called(first, "job"))
        began = time.monotonic()
        says(run(project, "03"), "is being made by process", "Wait for it")
        took = time.monotonic() - began
        refused = alone(project, "04_evaluate", "a1")
        assert "is being made by process" in refused.stderr, refused.stderr[-2000:]
        assert first.wait(900) == 0
    mended(project, "03")
    assert took < 10
    return "refused in seconds with process and host, a notebook by hand too; the first succeeded"


@case("lock left by a dead process, or on another host", "taken over, which is printed; or refused with the reason")
def stale_lock(project):
    lock = project / "runs/tiny/.lock"
    left = read_json(lock) | {"pid": 999999999, "ended": False}
    lock.write_text(json.dumps(left))
    assert "process 999999999" in mended(project, "03").stdout
    lock.write_text(json.dumps(left | {"host": "elsewhere"}))
    says(run(project, "03"), "on elsewhere", "remove runs/tiny/.lock")
    return "taken over with a line; the other host's refused, with the way on"
