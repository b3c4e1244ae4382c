"""Faults of files that somebody edits or exchanges, before a run or during one, and files made to harm."""

import shutil
import time

import pandas as pd

from lib.experiment.files import read_json, write_json, write_table
from tests.faults.injected import RESULT, case, forget, mended, reference, run, says, started, wait_for
from tests.helpers import tiny_study as tiny
from tests.helpers.bombs import BOMBS

MODELS = "runs/tiny/models"


def add_statement(notebook):
    content = read_json(notebook)
    cell = {"cell_type": "code", "id": "added", "metadata": {}, "source": ["added = 1"], "outputs": []}
    content["cells"].append(cell | {"execution_count": None})
    write_json(content, notebook)


@case("notebooks and lib edited during 03", "the run ends with the code it began with; status names what changed")
def edited_during_a_run(project):
    forget(project, "03")
    with started(project, "03") as running:
        wait_for(lambda: list((project / "runs/tiny/checkpoints/a1").rglob("manifest.json")))
        add_statement(project / "notebooks/03_train.ipynb")
        for name in ["training/model_folder.py", "training/summary.py"]:
            (project / "lib" / name).write_text("raise RuntimeError('half edited')\n")
        assert running.wait(900) == 0
    found = {name: value for name, value in tiny.hashes(project).items() if RESULT["03"] in name}
    tiny.same(found, {name: value for name, value in reference(project).items() if RESULT["03"] in name})
    status = tiny.make(project, words=tiny.command(target="status"))
    says(status, "older code", "03_train.ipynb, lib/training/model_folder.py", status=0)
    return "identical, and its manifest names the code that made it; status names what changed"


@case("order.parquet edited", "named; that model and what follows rebuilt, identical")
def edited_order(project):
    file = project / MODELS / "a1/seed0/order.parquet"
    pd.read_parquet(file).iloc[::-1].to_parquet(file, index=False)
    status = tiny.make(project, words=tiny.command(target="status"))
    says(status, "order.parquet was changed or damaged", status=0)
    assert "order.parquet was changed or damaged" in mended(project, "03").stdout
    return "named by status and run; rebuilt, identical"


@case("seed0 copied over seed1", "refused and named; both seeds are as they would have been")
def copied_seed(project):
    for model in ["a1", "general", "a1_transfer"]:
        tiny.change(project, model, {"seeds": [0, 1]})
    target = f"{MODELS}/a1/seed1/manifest.json"
    says(tiny.make(project, served=True, ONLY=target), status=0)
    seed1 = project / MODELS / "a1/seed1"
    before = tiny.hashes(project)
    shutil.rmtree(seed1)
    shutil.copytree(project / MODELS / "a1/seed0", seed1)
    done = says(tiny.make(project, served=True, ONLY=target), status=0)
    assert "seed1 is rebuilt: made for models/a1/seed0" in done.stdout
    now = {name: value for name, value in tiny.hashes(project).items() if "/misplaced/" not in name}
    tiny.same(now, before)
    return "named, moved away, and seed 1 trained again; identical"


@case("corpus changed, and changed back", "nothing to do if no run came between; otherwise rebuilt, identical")
def changed_back(project):
    file = project / "corpus.csv"
    kept = file.read_bytes()
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    write_table(table[:-1], file)
    file.write_bytes(kept)
    status = tiny.make(project, words=tiny.command(target="status"))
    says(status, "Nothing is left to do.", status=0)
    write_table(table[:-1], file)
    done = says(run(project, "01"), "is rebuilt: made from another", status=0)
    texts = f"runs/tiny/{RESULT['01']}/texts.parquet"
    assert tiny.hashes(project)[texts] != reference(project)[texts], done.stdout
    file.write_bytes(kept)
    mended(project, "01")
    status = tiny.make(project, words=tiny.command(target="status"))
    says(status, "Nothing is left to do.", status=0)
    return "unchanged: nothing to do; changed, run and changed back: 01 rebuilt twice, and all others are valid again"


KERNELS = {
    "03_train": {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}, "language_info": {"name": "R"}},
    "04_evaluate": {"kernelspec": {"name": '"; touch x #', "display_name": "$(touch x)", "language": "python"}},
    "05_infill": {},
}


@case("notebooks that name another kernel, a command, or none", "they run in the project's Python; identical")
def kernel_names(project):
    forget(project, *(name[:2] for name in KERNELS))
    for name, metadata in KERNELS.items():
        file = project / f"notebooks/{name}.ipynb"
        write_json(read_json(file) | {"metadata": metadata}, file)
    done = says(tiny.make(project, served=True), status=0)
    tiny.same(tiny.hashes(project), reference(project))
    assert not list(project.rglob("x")), done.stdout
    return "identical, and no command ran"


@case("the key of learner ids changed between 01 and 03", "reported; results stay valid, and a new 01 is named")
def changed_key(project):
    forget(project, "03")
    other = project / "other key"
    other.write_text("another secret")
    done = run(project, "03", ILM_CEFR_KEY=str(other))
    says(done, "The key of the learner ids has changed since 01 ran", status=0)
    mended(project, "03")
    for content in [b"", b"\xff"]:
        other.write_bytes(content)
        forget(project, "03")
        says(run(project, "03", ILM_CEFR_KEY=str(other)), status=0)
    forget(project, "01")
    refused = run(project, "01", ILM_CEFR_KEY=str(other))
    says(refused, "The key of the learner ids", "is unusable", "Put the old key back")
    mended(project, "01")
    return "reported, nothing rebuilt; an unusable key is refused by 01 alone"


TRIED = ["zip.xlsx", "shared.xlsx", "far.xlsx", "long.parquet", "rows.parquet", "names.jsonl", "entities.xml"]
SECONDS, MEGABYTES = 60, 2_000


@case("corpus files that grow: zip, XML, Parquet, JSON", "refused by 01 and make inspect in seconds; nothing written")
def growing_files(project):
    before = tiny.hashes(project)
    limit = f"ulimit -v {MEGABYTES * 1_000}; "
    for name in TRIED:
        write, words = BOMBS[name]
        write(project / name)
        inspect = ["sh", "-c", limit + f"exec make inspect CORPUS={name} PARAMS=params/tiny"]
        began = time.monotonic()
        says(tiny.make(project, words=inspect), words)
        assert time.monotonic() - began < SECONDS, name
    for name in TRIED[1:4:2]:
        says(run(project, "01", words=tiny.command(corpus=name)), "CorpusError", BOMBS[name][1], "To go on")
    tiny.same(tiny.hashes(project), before)
    return f"{len(TRIED)} files refused by inspect with {MEGABYTES} MB, two of them by 01; old results unchanged"
