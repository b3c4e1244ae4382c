"""Every fault that the study must survive, one after the other, each in a real run: `make faults`.

Prints what was expected and what was seen. Each case gets a copy of one undisturbed tiny run (tests/tiny.py), breaks it
or the run that goes on from it, and mends it with the same command. Numbers or words as arguments choose cases.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import tiny

from lib.files import read_json

CASES = []  # (fault, expected, function of a workspace: what was seen)
RESULT = {"01": "corpus", "02": "masks", "03": "models/a1/seed0", "04": "evaluation/a1/seed0",
          "05": "infills/a1/seed0", "06": "compare", "07": "hypotheses"}  # fmt: skip


def case(fault, expected):
    def enter(function):
        CASES.append((fault, expected, function))
        return function

    return enter


def run(place, stage, fault="", **how):
    """`make run` as far as a stage."""
    return tiny.make(place, fault, ONLY=f"runs/tiny/{RESULT[stage]}/manifest.json", **how)


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
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout[-3000:]}"
    for word in words:
        assert word in done.stdout, f"{word!r} is not in\n{done.stdout[-3000:]}"
    assert "Traceback" not in done.stdout, f"a traceback:\n{done.stdout[-3000:]}"


def flip(file):
    """One bit in the middle of a file, and the time of its last change as it was."""
    content, times = bytearray(file.read_bytes()), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=times)


KILLS = [("01", "write texts.parquet:1"), ("02", "write index.parquet:1"), ("03", "step:11"), ("03", "checkpoint:3"),
         ("03", "write model.safetensors:1"), ("04", "write scores.parquet:1"), ("05", "write samples.parquet:1"),
         ("06", "write contrasts.csv:1"), ("07", "write manifest.json:1")]  # fmt: skip


def killed(stage, where):
    def seen(place):
        forget(place, stage)
        says(run(place, stage, where), "ended without a word", f"notebooks/{stage}_", "To go on: make run")
        assert not (place / "runs/tiny" / RESULT[stage] / "manifest.json").exists()
        mended(place, stage)
        return "exit 2, notebook kept and named; the rerun is byte-identical"

    return seen


for stage, where in KILLS:
    fault = f"kill -9 in {stage}, {where.split(':')[0]}"
    case(fault, "no part under a final name; rerun identical")(killed(stage, where))


@case("kill -9 of papermill in 03", "non-zero exit, rerun identical")
def papermill(place):
    forget(place, "03")
    with started(place, "03") as running:
        asked = wait_for(lambda: [p for p in tree(running) if p.cmdline()[1:3] == ["lib/warm.py", "papermill"]])
        asked[0].kill()
        assert running.wait(60) != 0
    mended(place, "03")
    return "non-zero exit; rerun identical"


@case("kill -9 of everything at once in 03", "resumes; no process left; the dead lock taken over")
def everything(place):
    forget(place, "03")
    with started(place, "03") as running:
        wait_for(lambda: list((place / "runs/tiny/checkpoints/a1").rglob("manifest.json")))
        family = tree(running)
        for process in family:
            process.kill()
        running.wait(60)
    _, left = psutil.wait_procs(family, timeout=20)
    assert not left, f"still there: {left}"
    assert "its lock is taken over" in mended(place, "03").stdout
    return "nothing lives on; lock taken over in words; rerun identical"


@case("kill -9 of the lock's holder alone", "nothing of the run lives on")
def holder(place):
    forget(place, "03")
    with started(place, "03") as running:
        served = wait_for(lambda: [p for p in tree(running) if "papermill" in p.cmdline()])
        family = tree(running)[1:]
        next(p for p in family if "lib.lock" in p.cmdline()).kill()
        running.wait(60)
    _, left = psutil.wait_procs(family, timeout=20)
    assert served and not left, f"still there: {left}"
    mended(place, "03")
    return "all of it died with it; rerun identical"


def started(place, stage, **how):
    env = tiny.environment(place, ONLY=f"runs/tiny/{RESULT[stage]}/manifest.json", **how)
    return subprocess.Popen(tiny.command(), cwd=place, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tree(running):
    return [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]


def wait_for(found, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if what := found():
                return what
        except (psutil.NoSuchProcess, FileNotFoundError):
            pass
        time.sleep(0.02)
    raise AssertionError("what was waited for did not come")


@case("disk full while 02 writes", "error names the file, old files whole, rerun identical")
def full_disk(place):
    (place / "runs/tiny/masks/manifest.json").unlink()
    old = (place / "runs/tiny/masks/index.parquet").read_bytes()
    done = run(place, "02", limit=200_000)
    says(done, "index.parquet could not be written", "File too large", "Make room")
    mended(place, "02")
    assert (place / "runs/tiny/masks/index.parquet").read_bytes() == old
    return "NotWritten with file and way on; rerun identical"


@case("folder that may not be written", "refused in seconds, before computing")
def read_only(place):
    forget(place, "07")
    began, words = time.monotonic(), "mount --bind runs runs && mount -o remount,bind,ro runs && exec make run ONLY= "
    words += "EXPERIMENT=tiny CORPUS=corpus.csv PARAMS=params/tiny"
    how = {"env": tiny.environment(place), "capture_output": True, "text": True}
    done = subprocess.run(["unshare", "-m", "sh", "-c", words], cwd=place, **how)
    if "unshare" in done.stderr or "mount" in done.stderr:
        return "not tried: no right to mount here"
    assert done.returncode == 2 and "Read-only file system: 'runs/tiny/.lock'" in done.stderr, done.stderr
    assert time.monotonic() - began < 10
    return "refused in seconds, naming the file"


def damaged(stage, file, how):
    def seen(place):
        how(place / "runs/tiny" / file)
        told = tiny.make(place, words=tiny.command(target="status"))
        says(told, f"{Path(file).name} was changed or damaged", status=0)
        assert "is made again" in mended(place, stage).stdout
        return "named by make status; made again, identical"

    return seen


case("bit flip in texts.parquet", "found by its hash, made again")(damaged("01", "corpus/texts.parquet", flip))
case("masks cut short", "found, made again")(damaged("02", "masks/test.parquet", lambda file: os.truncate(file, 900)))
case("bit flip in weights", "found, made again")(damaged("03", "models/a1/seed0/model.safetensors", flip))
case("a number changed in scores", "found, made again")(damaged("04", "evaluation/a1/seed0/scores.parquet", flip))


@case("damaged masks read by a notebook run by hand", "the notebook refuses: file, and the command that goes on")
def by_hand(place):
    flip(place / "runs/tiny/masks/test.parquet")
    done = alone(place, "04_evaluate", "a1")
    assert done.returncode != 0 and "not what 02_mask wrote" in done.stderr, done.stderr[-2000:]
    assert "make run EXPERIMENT=tiny" in done.stderr
    return "04 refuses, names test.parquet and make run"


def alone(place, notebook, settings):
    """One notebook by papermill alone, as somebody may run it by hand."""
    words = [sys.executable, "-m", "papermill", f"notebooks/{notebook}.ipynb", os.devnull, "--cwd", "notebooks"]
    words += ["-k", "python3", "--no-progress-bar", "-f", f"params/tiny/{settings}.yaml", "-r", "experiment", "tiny"]
    return subprocess.run(words, cwd=place, env=tiny.environment(place), capture_output=True, text=True)


@case("corpus changed by one byte, its time kept", "all that follows is stale; 03 by hand refuses to mix")
def one_byte(place):
    flip(place / "corpus.csv")
    told = tiny.make(place, words=tiny.command(target="status"))
    says(told, "stale: runs/tiny/corpus: made from another ../../corpus.csv", status=0)
    done = run(place, "01")
    assert done.returncode == 0 and "is made again: made from another" in done.stdout, done.stdout[-2000:]
    refused = alone(place, "04_evaluate", "a1")
    assert refused.returncode != 0 and "it has changed since" in refused.stderr, refused.stderr[-2000:]
    words = [".venv/bin/snakemake", "-n", "--config", "experiment=tiny", "corpus=corpus.csv", "params=params/tiny"]
    planned = subprocess.run(words, cwd=place, env=tiny.environment(place), capture_output=True, text=True).stdout
    assert "13" in next(line for line in planned.splitlines() if line.startswith("total")), planned
    return "named by status, 01 made again, 12 others planned, 04 by hand refuses"


@case("corpus cut short inside a row", "refused: file, found, expected")
def cut_corpus(place):
    os.truncate(place / "corpus.csv", 5000)
    done = run(place, "01")
    says(done, "CorpusError", "corpus.csv", "To go on")
    return "CorpusError with the row; no traceback"


def resumed_with(name, values, *words):
    def seen(place):
        forget(place, "03")
        run(place, "03", "step:11")
        before = (place / f"params/tiny/{name}.yaml").read_text()
        tiny.change(place, name, values)
        says(run(place, "03"), "cut off at step 8", *words, "rm -r")
        (place / f"params/tiny/{name}.yaml").write_text(before)
        mended(place, "03")
        return "refused, difference listed; undone, it resumes to identical weights"

    return seen


case("other learning rate on resume", "refused, listed")(
    resumed_with("a1", {"learning_rate": 2e-3}, "learning_rate was 0.004, is 0.002")
)
case("other masks on resume", "refused, listed")(resumed_with("masks", {"mask_seed": 2021}, "valid_masks was"))


@case("NaN loss", "stops at that step, exit 2, last checkpoint kept; rerun identical")
def nan(place):
    forget(place, "03")
    says(run(place, "03", "step:11:nan"), "the loss is nan at step 10", "lower learning_rate".capitalize()[1:])
    assert (place / "runs/tiny/checkpoints/a1/seed0/checkpoint-8/manifest.json").exists()
    mended(place, "03")
    return "stopped at step 10, checkpoint 8 kept; rerun identical"


@case("memory runs out once", "micro-batches, same examples, recorded")
def memory_once(place):
    forget(place, "03")
    says(run(place, "03", "step:11:oom"), status=0)
    one = place / "runs/tiny/models/a1/seed0"
    assert read_json(one / "train.json")["micro_batches"] == 2
    name = "runs/tiny/models/a1/seed0/order.parquet"
    assert tiny.hashes(place)[name] == reference(place)[name]
    return "micro_batches 2 in train.json; the same order.parquet"


@case("memory always runs out", "a clear end, exit 2")
def memory_always(place):
    forget(place, "03")
    says(run(place, "03", "step:0:oom"), "MemoryError", "even with one example at a time")
    mended(place, "03")
    return "said after the last halving; rerun identical"


@case("two runs at once", "the second refuses in seconds and names the first")
def two_runs(place):
    forget(place, "03")
    with started(place, "03") as first:
        wait_for(lambda: [p for p in tree(first) if "papermill" in p.cmdline()])
        holder = next(p.pid for p in tree(first) if "lib.lock" in p.cmdline())
        began = time.monotonic()
        says(run(place, "03"), f"is being made by process {holder} on")
        took = time.monotonic() - began
        refused = alone(place, "04_evaluate", "a1")
        assert "is being made by process" in refused.stderr, refused.stderr[-2000:]
        assert first.wait(300) == 0
    mended(place, "03")
    assert took < 10
    return "refused in seconds with process and host, a notebook by hand too; the first ended well"


@case("lock left by a dead process, or on another host", "taken over in words; or refused in words")
def stale_lock(place):
    lock = place / "runs/tiny/.lock"
    left = read_json(lock) | {"pid": 999999999, "ended": False}
    lock.write_text(json.dumps(left))
    assert "process 999999999" in mended(place, "03").stdout
    lock.write_text(json.dumps(left | {"host": "elsewhere"}))
    says(run(place, "03"), "on elsewhere", "remove runs/tiny/.lock")
    return "taken over with a line; the other host's refused, with the way on"


@case("a level missing", "the other models train; tables say n/a")
def missing_level(place):
    import pandas as pd

    rows = pd.read_csv(place / "corpus.csv", dtype=str, keep_default_na=False)
    rows[rows["cefr"] != "C1"].to_csv(place / "corpus.csv", index=False)
    tiny.change(place, "c1", tiny.MODEL, tiny.ROOT / "params/demo/c1.yaml")
    done = tiny.make(place)
    says(done, "n/a", status=0)
    assert read_json(place / "runs/tiny/models/c1/seed0/train.json")["status"] == "n/a"
    assert read_json(place / "runs/tiny/models/a1/seed0/train.json")["status"] == "trained"
    return "c1 is n/a with its reason, the study ended"


@case("misspelt parameter", "refused in seconds, with the nearest name")
def misspelt(place):
    tiny.change(place, "a1", {"learning_rat": 1e-3})
    began = time.monotonic()
    says(run(place, "03"), "learning_rat: unknown; the nearest known name is learning_rate")
    assert time.monotonic() - began < 10
    return "refused in seconds"


@case("no network and no base model", "a clear error in seconds, never a hang")
def no_base(place):
    tiny.change(place, "a1", {"init_from": "nobody/nothing"})
    began = time.monotonic()
    says(run(place, "03"), "init_from: nobody/nothing is no trained model of this experiment")
    return f"said so in {time.monotonic() - began:.0f} s"


@case("texts with scripts, terminal escapes, templates", "kept as text; they act nowhere")
def hostile(place):
    import pandas as pd

    texts = pd.read_parquet(place / "runs/tiny/corpus/texts.parquet")["text"]
    assert texts.str.contains("{{ 7*7 }} {0} %s $x^2$", regex=False).sum() > 5, "the texts did not arrive"
    shown = 0
    for notebook in (place / "runs/tiny/notebooks").glob("*.ipynb"):
        for cell in read_json(notebook)["cells"]:
            for output in cell.get("outputs", []):
                html = "".join(output.get("data", {}).get("text/html", []))
                assert "<script>alert" not in html and "<img src=x" not in html, f"{notebook} shows live HTML"
                assert "\x1b[2J" not in json.dumps(output, ensure_ascii=False), f"{notebook} shows live escapes"
                shown += 1
    return f"{texts.str.contains('<script>').sum()} such texts kept; none live in {shown} outputs"


@case("network", "nothing was asked of it in any of these runs")
def network(place):
    asked = place.parent / "asked_the_network"
    assert not asked.exists() or set(asked.read_text().split()) == {"huggingface.co"}, asked.read_text()
    return "no connection was tried" if not asked.exists() else "only for nobody/nothing"


@case("other place, locale, time zone, hash seed, cores", "the same bytes")
def elsewhere(place):
    other = tiny.workspace(place / "größer und weiter")
    done = tiny.make(other, CORES="1", TZ="Asia/Kathmandu", LC_ALL="C", PYTHONHASHSEED="7", PYTHONUTF8="0")
    assert done.returncode == 0, done.stdout[-3000:]
    tiny.same(tiny.hashes(other), reference(place))
    return "all files identical"


@case("corpus in two files, in either order", "the same texts and split")
def two_files(place):
    lines = (place / "corpus.csv").read_text(encoding="utf-8")
    import io

    import pandas as pd

    rows = pd.read_csv(io.StringIO(lines), dtype=str, keep_default_na=False)
    rows[:150].to_csv(place / "a.csv", index=False)
    rows[150:].to_csv(place / "b.csv", index=False)
    for order in ["a.csv b.csv", "b.csv a.csv"]:
        assert run(place, "01", words=tiny.command(corpus=order)).returncode == 0
        name = "runs/tiny/corpus/texts.parquet"
        assert tiny.hashes(place)[name] == reference(place)[name], f"{order}: other texts"
    return "texts.parquet identical"


def undisturbed(folder):
    """A finished tiny run, from which every case starts, and its hashes."""
    place = tiny.workspace(Path(folder) / "undisturbed")
    done = tiny.make(place)
    assert done.returncode == 0, done.stdout[-5000:]
    (place / "reference.json").write_text(json.dumps(tiny.hashes(place)))
    return place


def tried(number, place, folder):
    """One case on a copy of place: what was seen. Raises AssertionError when it is not what was expected."""
    copy = shutil.copytree(place, Path(folder) / f"case {number}", symlinks=True)
    try:
        return CASES[number][2](copy)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def main():
    chosen = [n for n, (fault, _, _) in enumerate(CASES)
              if not sys.argv[1:] or any(word == str(n) or word in fault for word in sys.argv[1:])]  # fmt: skip
    failed = 0
    with tempfile.TemporaryDirectory(prefix="faults") as folder:
        place = undisturbed(folder)
        for number in chosen:
            fault, expected, _ = CASES[number]
            began = time.monotonic()
            try:
                seen = tried(number, place, folder)
            except (AssertionError, subprocess.TimeoutExpired, StopIteration) as error:
                failed, seen = failed + 1, f"FAILED: {error}"
            took = f"{time.monotonic() - began:.0f} s"
            print(f"{number:2} {fault}\n     expected: {expected}\n     seen:     {seen} ({took})", flush=True)
    print(f"{len(chosen) - failed} of {len(chosen)} as expected")
    sys.exit(failed > 0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
