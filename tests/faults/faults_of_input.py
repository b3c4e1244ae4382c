"""Faults of input: corpora, parameters, folders, networks, and texts that contain code."""

import shlex
import subprocess
import time

import pandas as pd

from lib.experiment.files import read_json, write_table
from tests.faults.injected import (
    alone,
    case,
    cut_off,
    flip,
    mended,
    reference,
    resumed_at,
    run,
    says,
)
from tests.helpers import tiny_study as tiny
from tests.helpers.corpora import RELEASE2, writing

HEADER = "writing_id,cefr,text\n"


def rows(project):
    return pd.read_csv(project / "corpus.csv", dtype=str, keep_default_na=False)


# --- corpora


@case("corpus changed by one byte, its time kept", "all that follows is stale; 04 by hand refuses to mix")
def one_byte(project):
    flip(project / "corpus.csv")
    status = tiny.make(project, words=tiny.command(target="status"))
    says(status, "stale: runs/tiny/corpus: made from another ../../corpus.csv", status=0)
    done = run(project, "01")
    assert done.returncode == 0 and "is rebuilt: made from another" in done.stdout, done.stdout[-2000:]
    refused = alone(project, "04_evaluate", "a1")
    assert refused.returncode != 0 and "it has changed since" in refused.stderr, refused.stderr[-2000:]
    words = [".venv/bin/snakemake", "-n", "--config", "experiment=tiny", "corpus=corpus.csv", "params=params/tiny"]
    planned = subprocess.run(words, cwd=project, env=tiny.environment(project), capture_output=True, text=True).stdout
    assert "13" in next(line for line in planned.splitlines() if line.startswith("total")), planned
    return "named by status, 01 rebuilt, 12 others planned, 04 by hand refuses"


REFUSED = {  # fault -> the file's name, its content, words of the refusal
    "truncated CSV": ("cut.csv", HEADER + '1,A1,"ok"\n2,A1,"two\nlines and no e', ["row 3", "never closed"]),
    "truncated XML": ("cut.xml", RELEASE2.format(writing() * 3)[:-100], ["cut: 2 writings are complete"]),
    "mislabelled: a web page as .xlsx": ("page.xlsx", "<!DOCTYPE html><html><body>Log in</body></html>", ["web page"]),
    "wrong columns": ("typo.csv", "writing_id,cefr,txet\n1,A1,hi\n", ["no column text", "Nearest: txet"]),
    "wrong encoding": ("win.csv", (HEADER + "1,A1,café\n").encode("cp1252"), ["is not UTF-8", "encoding: cp1252"]),
    "unknown level": (
        "level.csv",
        HEADER + "1,A1,x\n2,A11,y\n3,\x1b[2JB,z\n",
        ["unknown level", "row 3", "Nearest: A1"],
    ),
    "one id for two texts": ("twice.csv", HEADER + "1,A1,x\n1,A1,y\n", ["stand for two different rows", "first: 1"]),
}


def refused(name, content, words):
    def inject(project):
        before = tiny.hashes(project)
        (project / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        says(run(project, "01", words=tiny.command(corpus=name)), "CorpusError", *words, "To go on")
        tiny.same(tiny.hashes(project), before)
        return f"CorpusError: {', '.join(words)}; nothing written, old results unchanged"

    return inject


for fault, (name, content, words) in REFUSED.items():
    case(f"corpus: {fault}", "refused: file, found, expected; nothing written")(refused(name, content, words))


@case("empty and enormous texts, C2, the same row twice", "dropped by a named rule, and counted")
def dropped(project):
    table = rows(project)
    more = table.iloc[[0, 1, 2, 3]].assign(writing_id=["9001", "9002", "9003", "9004"], learner_id="9000")
    more["text"] = [" \n", "word " * 40_000, "A text of a very good writer.", "This row stands here twice."]
    more["cefr"] = ["A1", "A1", "C2", "A1"]
    write_table(pd.concat([table, more, more.iloc[[3]]]), project / "corpus.csv")
    assert (done := run(project, "02")).returncode == 0, done.stdout[-3000:]
    reasons, masks_report = (read_json(project / f"runs/tiny/{name}/report.json") for name in ["corpus", "masks"])
    found = [reasons["dropped"][reason] for reason in ["same row twice", "level C2", "empty text"]]
    too_long = masks_report["texts_too_long"]
    assert found == [1, 1, 1] and sum(too_long.values()) == 1, (found, too_long)
    assert reasons["rows_in"] == reasons["rows_out"] + sum(reasons["dropped"].values()) == len(table) + 5
    return "each dropped and counted under its reason: same row twice 1, C2 1, empty 1, too long 1"


@case("a level missing", "the other models train; tables say n/a")
def missing_level(project):
    table = rows(project)
    write_table(table[table["cefr"] != "C1"], project / "corpus.csv")
    tiny.change(project, "c1", tiny.MODEL, tiny.ROOT / "params/demo/c1.yaml")
    says(tiny.make(project, served=True), "n/a", status=0)
    assert read_json(project / "runs/tiny/models/c1/seed0/train.json")["status"] == "n/a"
    assert read_json(project / "runs/tiny/models/a1/seed0/train.json")["status"] == "trained"
    return "c1 is n/a with its reason, the study ended"


@case("an empty validation split", "refused before training, with the counts; nothing written")
def empty_split(project):
    before = tiny.hashes(project)
    tiny.change(project, "corpus", {"valid_share": 0.0001})
    says(run(project, "03"), "CorpusError", "valid", "To go on")
    tiny.same(tiny.hashes(project), before)
    return "CorpusError in 01; nothing was trained, old results unchanged"


@case("corpus in two files with spaces and umlauts in their names, in either order", "the same texts and split")
def two_files(project):
    table, names = rows(project), ["erster teil.csv", "größer.csv"]
    for name, part in zip(names, [table[:150], table[150:]]):
        part.to_csv(project / name, index=False)
    for order in [names, names[::-1]]:
        assert run(project, "01", words=tiny.command(corpus=shlex.join(order))).returncode == 0
        name = "runs/tiny/corpus/texts.parquet"
        assert tiny.hashes(project)[name] == reference(project)[name], f"{order}: other texts"
    return "texts.parquet identical"


# --- parameters


def resumed_with(name, values, *words):
    def inject(project):
        cut_off(project)
        before = (project / f"params/tiny/{name}.yaml").read_text()
        tiny.change(project, name, values)
        says(run(project, "03"), "cut off at step 8", *words, "rm -r")
        (project / f"params/tiny/{name}.yaml").write_text(before)
        mended(project, "03")
        assert resumed_at(project) == 8
        return "refused, difference listed; undone, it goes on to identical weights"

    return inject


case("other learning rate on resume", "refused, listed")(
    resumed_with("a1", {"learning_rate": 2e-3}, "learning_rate was 0.004, is 0.002")
)
case("other masks on resume", "refused, listed")(resumed_with("masks", {"mask_seed": 2021}, "valid_masks was"))


@case("other seed on resume", "trains anew; the old seed's checkpoints, moved there by hand, are refused")
def other_seed(project):
    checkpoints = cut_off(project)
    for model in ["a1", "general", "a1_transfer"]:
        tiny.change(project, model, {"seeds": [1]})
    checkpoints.rename(checkpoints.with_name("seed1"))
    target = "runs/tiny/models/a1/seed1/manifest.json"
    says(tiny.make(project, served=True, ONLY=target), "seed was 0, is 1", "cut off at step 8", "rm -r")
    checkpoints.with_name("seed1").rename(checkpoints)
    says(tiny.make(project, served=True, ONLY=target), status=0)
    model = project / "runs/tiny/models/a1/seed1"
    assert read_json(model / "clock.json")["resumed_at"] is None and read_json(model / "train.json")["seed"] == 1
    return "refused with the difference; without them, seed 1 begins at step 0"


@case("other corpus on resume", "refused, listed; put back, it goes on")
def other_corpus(project):
    cut_off(project)
    kept = (project / "corpus.csv").read_bytes()
    table = rows(project)
    write_table(table[table["text"] != table["text"][7]], project / "corpus.csv")
    says(run(project, "03"), "cut off at step 8", "index was", "rm -r")
    (project / "corpus.csv").write_bytes(kept)
    mended(project, "03")
    assert resumed_at(project) == 8
    return "refused, index named; put back, it goes on to identical weights"


BAD_KEYS = {
    "misspelt parameter": ("learning_rat: 0.001", "learning_rat: unknown; the nearest known name is learning_rate"),
    "parameter given twice": ("max_grad_norm: 2.0", "given twice: max_grad_norm"),
    "mistyped parameter": ("patience: ten", "patience: found 'ten'"),
}


def bad_key(line, words):
    def inject(project):
        file = project / "params/tiny/a1.yaml"
        content = file.read_text()
        if line.startswith("patience"):
            content = "".join(old for old in content.splitlines(keepends=True) if not old.startswith("patience"))
        file.write_text(content + line + "\n")
        began = time.monotonic()
        says(run(project, "03"), "params/tiny/a1.yaml", words)
        assert time.monotonic() - began < 10
        return f"refused in seconds: {words}"

    return inject


for fault, (line, words) in BAD_KEYS.items():
    case(fault, "refused in seconds, with the file and the nearest name")(bad_key(line, words))


# --- networks, texts and folders


@case("no network and no base model", "a clear error in seconds, never a hang")
def no_base(project):
    tiny.change(project, "a1", {"init_from": "nobody/nothing"})
    began = time.monotonic()
    done = run(project, "03", served=False)
    says(done, "init_from: nobody/nothing is no trained model of this experiment", "HF_HUB_OFFLINE=1")
    requests = project.parent / "asked_the_network"
    assert set(requests.read_text().split()) == {"huggingface.co"}, requests.read_text()
    requests.unlink()
    return f"an error after {time.monotonic() - began:.0f} s"


@case("texts with scripts, terminal escapes, templates", "kept as text, executed nowhere")
def hostile(project):
    texts = pd.read_parquet(project / "runs/tiny/corpus/texts.parquet")["text"]
    assert texts.str.contains("{{ 7*7 }} {0} %s $x^2$", regex=False).sum() > 5, "the texts did not arrive"
    shown, logs = 0, project / "runs/tiny/notebooks"
    for notebook in logs.glob("*.ipynb"):
        for cell in read_json(notebook)["cells"]:
            for output in cell.get("outputs", []):
                for kind in ["text/html", "text/markdown", "image/svg+xml"]:
                    live = "".join(output.get("data", {}).get(kind, [])).lower()
                    assert "<script>alert" not in live and "<img src=x" not in live, f"{notebook} shows live {kind}"
                shown += 1
        assert "\x1b" not in notebook.read_text(encoding="utf-8"), f"{notebook} holds live escapes"
    run_dir = project / "runs/tiny"
    written = [*logs.glob("*.txt"), *(run_dir / "figures").glob("*.svg"), *run_dir.rglob("*.json")]
    for file in written:
        content = file.read_text(encoding="utf-8")
        assert "\x1b" not in content and "<script>alert(" not in content, f"{file} holds them"
    kept = texts.str.contains("<script>").sum()
    return f"{kept} such texts kept; live in none of {shown} outputs and {len(written)} files"


@case("other folder, locale, time zone, hash seed, threads, with network", "the same bytes as without")
def elsewhere(project):
    other = tiny.workspace(project / "größer und weiter")
    words = ["make", "-C", str(other), *tiny.command()[1:]]
    options = {"CORES": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7", "PYTHONUTF8": "0"}
    options |= {"RAYON_NUM_THREADS": "5", "NUMBA_NUM_THREADS": "1", "PYTHONPATH": str(other)}
    done = tiny.make(project, words=words, **options)
    assert done.returncode == 0, done.stdout[-3000:]
    tiny.same(tiny.hashes(other), reference(project))
    return "all files identical"


@case("network", "no run requests anything, but for nobody/nothing")
def network(project):
    requests = [*project.parent.glob("asked_the_network"), *project.parent.glob("*/asked_the_network")]
    assert not requests, requests[0].read_text()
    return "no connection was tried"
