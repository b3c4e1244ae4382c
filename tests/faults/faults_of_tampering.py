"""Faults of results that were moved, copied, linked or edited, and of runs that lose their terminal."""

import os
import shutil
import signal
import time

import psutil

from lib.experiment.files import read_json
from tests.faults.injected import RESULT, alone, called, case, forget, mended, reference, says, started, tree, wait_for
from tests.helpers import tiny_study as tiny

RUN_DIR = "runs/tiny"
SUSPENDED = 60  # seconds


def complete(project):
    """Repeat the command; all files must be those of the undisturbed run."""
    done = says(tiny.make(project, served=True), status=0)
    found = {name: value for name, value in tiny.hashes(project).items() if "/misplaced/" not in name}
    tiny.same(found, reference(project))
    return done


@case("two model folders swapped", "refused by a reader, named, both rebuilt; the same verdicts")
def swapped(project):
    models = project / RUN_DIR / "models"
    for old, new in [("a1", "kept"), ("general", "a1"), ("kept", "general")]:
        (models / old).rename(models / new)
    refused = alone(project, "04_evaluate", "a1")
    assert refused.returncode != 0 and "made for models/general/seed0" in refused.stderr, refused.stderr[-2000:]
    done = complete(project)
    for model in ["a1", "general"]:
        assert f"{RUN_DIR}/models/{model}/seed0 is rebuilt: made for models/" in done.stdout
    return "04 refuses; both named and rebuilt, all files identical"


@case("scores of another model copied over a model's own", "named, rebuilt; identical")
def copied_scores(project):
    scores = project / RUN_DIR / "evaluation"
    shutil.rmtree(scores / "a1")
    shutil.copytree(scores / "general", scores / "a1")
    assert "evaluation/a1/seed0 is rebuilt: made for evaluation/general/seed0" in complete(project).stdout
    return "named and rebuilt, all files identical"


def torn(content):
    def inject(project):
        (project / RUN_DIR / RESULT["04"] / "manifest.json").write_text(content)
        status = tiny.make(project, words=tiny.command(target="status"))
        says(status, f"{RUN_DIR}/evaluation/a1/seed0/manifest.json", "stale", status=0)
        assert "evaluation/a1/seed0 is rebuilt" in mended(project, "04").stdout
        return "named by make status; that result rebuilt, identical"

    return inject


for fault, content in {"empty": "", "torn": '{"made_by": "04_ev', "foreign": '{"files": {}}'}.items():
    case(f"a manifest that is {fault}", "named; that result rebuilt, identical")(torn(content))


@case("models on another disk, linked", "links followed; a damaged model is rebuilt behind the link")
def linked(project):
    disk = project / "another disk"
    shutil.move(project / RUN_DIR / "models", disk)
    (project / RUN_DIR / "models").symlink_to(disk)
    says(tiny.make(project, words=tiny.command(target="status")), "Nothing is left to do.", status=0)
    (disk / "a1/seed0/train.json").write_text("{}")
    mended(project, "03")
    assert (project / RUN_DIR / "models").is_symlink() and read_json(disk / "a1/seed0/train.json")["seed"] == 0
    return "nothing to do while undamaged; rebuilt behind the link"


@case("an experiment renamed", "reported by status and run; its results are used")
def renamed(project):
    (project / RUN_DIR).rename(project / "runs/other")
    (project / "params/tiny").rename(project / "params/other")
    for target in ["run", "status"]:
        done = tiny.make(project, words=tiny.command("other", target=target), served=True)
        says(done, "runs/other was renamed or copied: it holds results of the experiment tiny", status=0)
        assert "is rebuilt" not in done.stdout
    return "reported, and nothing rebuilt"


@case("umask 000", "all of runs/ is for its user alone")
def open_umask(project):
    forget(project, "03", "07")
    old_umask = os.umask(0)
    try:
        says(tiny.make(project, served=True), status=0)
    finally:
        os.umask(old_umask)
    files = [project / "runs", *(project / "runs").rglob("*")]
    readable = [path for path in files if path.stat().st_mode & 0o077]
    assert not readable, readable[:5]
    return f"none of {len(files)} files and folders can be read by others"


def ended(end, seconds=5):
    def inject(project):
        forget(project, "03")
        with started(project, "03", start_new_session=True) as running:
            wait_for(lambda: called(running, "job"))
            family = tree(running)
            began = time.monotonic()
            end(running)
            _, left = psutil.wait_procs(family, timeout=20)
            took = time.monotonic() - began
        assert not left and took < seconds, f"after {took:.1f} s still there: {left}"
        mended(project, "03")
        return f"all {len(family)} processes ended in {took:.1f} s; rerun identical"

    return inject


ENDINGS = {
    "the terminal is closed (SIGHUP)": lambda running: os.killpg(running.pid, signal.SIGHUP),
    "SIGTERM to make": lambda running: running.terminate(),
    "kill -9 of make": lambda running: running.kill(),
}
for fault, end in ENDINGS.items():
    case(f"{fault} in 03", "all processes end within 5 s; rerun identical")(ended(end))


def kill_snakemake(running):
    next(process for process in tree(running) if "snakemake" in process.cmdline()).kill()


case("kill -9 of Snakemake in 03", "all processes end, after the message on what stopped; rerun identical")(
    ended(kill_snakemake, seconds=20)
)


@case("all processes suspended for a minute in 03", "the run goes on to its end; identical")
def suspended(project):
    forget(project, "03")
    with started(project, "03", start_new_session=True) as running:
        wait_for(lambda: called(running, "job"))
        family = tree(running)
        for process in family:
            process.suspend()
        time.sleep(SUSPENDED)
        for process in family:
            process.resume()
        assert running.wait(900) == 0
    mended(project, "03")
    return "went on; identical"
