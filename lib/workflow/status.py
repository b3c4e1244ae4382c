"""What of an experiment is done, what goes on, what is stale and why, what stopped.

`show` reads files only, so it may be asked while a run goes on. `renew` forgets what older code made.
"""

import os
import shutil
import time
from pathlib import Path

from lib import errors
from lib.experiment import folders, lock, manifest, parameters
from lib.experiment.files import file_hash, read_json
from lib.formatting import strip_markup
from lib.workflow import arguments

STAGES = {"03_train": "models", "04_evaluate": "evaluation", "05_infill": "infills"}
SILENT = "It ended without a word: killed, or out of memory, or without room to write."
ONCE = {"01_extract": "corpus", "02_mask": "masks", "06_compare": "compare", "07_hypotheses": "hypotheses"}
FIRST = "notebooks/01_extract.ipynb"  # as it was executed
KEPT = "notebooks/.01_extract.ipynb.kept"  # its copy, while another corpus is tried
REFUSED = "notebooks/refused/01_extract.ipynb"  # as it refused a corpus


def results(home):
    """The folders of `home` that a manifest vouches for; checkpoints have manifests of their own kind."""
    found = [path.parent for path in sorted(home.rglob(manifest.MANIFEST))]
    return [folder for folder in found if "checkpoints" not in folder.relative_to(home).parts]


def wanted(home, asked):
    """The folders of all results that a study with these parameters has."""
    once = [home / place for place in ["tokenizer", *ONCE.values()]]
    models = [one for one in asked.values() if isinstance(one, parameters.Train)]
    each = [(place, one, seed) for place in STAGES.values() for one in models for seed in one.seeds]
    return once + [home / place / one.model / f"seed{seed}" for place, one, seed in each
                   if one.infill or place != "infills"]  # fmt: skip


def stale(home, asked, corpus):
    """{result folder: [why it must be made again, ...]}, by hashes alone: neither times nor Snakemake's notes count.

    asked: {file stem: parameters}; corpus: as CORPUS names it; one that is away is not compared.
    """
    why = {folder: manifest.problems(folder, home, asked) for folder in results(home)}
    if _from_another(home, corpus) and not why[home / "corpus"]:
        why[home / "corpus"].append(f"made from another corpus than {corpus}")
    compared = {name.split("/")[1] for name in _inputs(home / "compare") if name.startswith("models/")}
    models = {name for name, one in asked.items() if isinstance(one, parameters.Train)}
    if compared and compared != models:
        why[home / "compare"].append(f"made with or without {', '.join(sorted(compared ^ models))}")
    return {folder: reasons for folder, reasons in why.items() if reasons}


def _inputs(folder):
    """{file as seen from runs/<experiment>: hash} of what a result was made from; of one that is not there, nothing."""
    return read_json(folder / manifest.MANIFEST)["inputs"] if (folder / manifest.MANIFEST).exists() else {}


def _from_another(home, corpus):
    """Is this corpus, under a name that 01 has not read, another one than it read?"""
    before = {name: then for name, then in _inputs(home / "corpus").items() if name.startswith("..")}
    try:
        files = arguments.corpus_files(corpus)
    except errors.CorpusNotFound:
        return False
    if not before or not all(map(os.path.exists, files)) or {os.path.relpath(f, home) for f in files} == set(before):
        return False
    return sorted(map(file_hash, files)) != sorted(before.values())


def mark_stale(home, profile, corpus):
    """Remove half-written files; say which results must be made again and why, also to the graph, which looks at times.

    home: runs/<experiment>; profile: folder of parameters; corpus: as CORPUS names it. A stale result stands until a
    new one is there; what follows from it is made again with it. Times, since Snakemake's --forcerun makes each file
    that it names, though ONLY= asks for another.
    """
    for rest in list(home.rglob(".*.tmp*")):
        shutil.rmtree(rest) if rest.is_dir() else rest.unlink(missing_ok=True)
    put_back(home)  # what a killed run did not come to
    (home / REFUSED).unlink(missing_ok=True)
    old, now = stale(home, parameters.load_profile(profile), corpus), time.time()
    for folder in results(home):
        os.utime(folder / manifest.MANIFEST, (1, 1) if folder in old else (now, now))
    for folder, why in old.items():
        print(f"{folder} is made again: {'; '.join(why)}", flush=True)
    if home / "corpus" in old and (home / FIRST).exists():
        shutil.copy2(home / FIRST, home / KEPT)


def put_back(home):
    """After a corpus was refused, 01 is the notebook of the results that stand; the refusal lies beside it."""
    notebook = home / FIRST
    if (home / KEPT).exists() and _stop(notebook):
        if notebook.exists():
            (home / REFUSED).parent.mkdir(exist_ok=True)
            notebook.replace(home / REFUSED)
        (home / KEPT).replace(notebook)
    (home / KEPT).unlink(missing_ok=True)


def older_code(home, notebooks=Path("notebooks")):
    """{result folder: names of the code files that have other statements now than when it was made}."""
    changed = {folder: manifest.changed_code(folder, notebooks) for folder in results(home)}
    return {folder: names for folder, names in changed.items() if names}


def renew(experiment):
    """Remove the manifests of what older code made, so that the graph makes it again; not while a run goes on."""
    home = folders.existing_experiment(experiment).folder
    lock.refuse_another(home)
    for folder in older_code(home):
        (folder / manifest.MANIFEST).unlink()
    print(f"Forgotten. Make it again: {manifest.resume_command(home)}")


def stopped(home):
    """Yield (notebook, cell, message) of each executed notebook that did not reach its end and does not run now."""
    going_on = lock.running(home)
    for notebook in [*sorted((home / "notebooks").glob("*.ipynb")), *(home / REFUSED).parent.glob("*.ipynb")]:
        found = _stop(notebook)
        if found and not (going_on and found[1] == SILENT):
            yield notebook, *found


def _stop(notebook):
    """(cell, message) where an executed notebook stopped, or None: it has reached its end."""
    try:
        content = read_json(notebook)
    except (OSError, ValueError):  # not begun; torn by a kill, or just being written
        content = {"cells": [{"cell_type": "code", "execution_count": None}]}
    cells = [(n, cell) for n, cell in enumerate(content["cells"], 1) if cell["cell_type"] == "code"]
    errors = [(n, out) for n, cell in cells for out in cell.get("outputs", []) if out["output_type"] == "error"]
    reached = [n for n, cell in cells if cell["execution_count"]]  # a dead kernel's cells all say "completed"
    if errors:
        n, error = errors[-1]
        message = error["evalue"].replace("../", "", 1)  # as seen from here: notebooks run one folder below
        return n, f"{error['ename']}: {message}"
    return (reached[-1] if reached else 0, SILENT) if len(reached) < len(cells) else None


def _state(home, place, model, seed, stale):
    """One word or two on one result: done, stale, how far training has come, or nothing."""
    folder = home / place / model / f"seed{seed}"
    if (folder / manifest.MANIFEST).exists():
        return "stale" if folder in stale else "done"
    said = home / "checkpoints" / model / f"seed{seed}/progress.json"
    if place == "models" and said.exists():
        told = read_json(said)
        left = f"{told['seconds_left'] / 60:.0f} min left" if lock.running(home) else "stopped"
        return f"step {told['step']:,} of {told['of']:,}, {left}"
    return "-"


def show(experiment):
    """Print the state of an experiment. Raises MissingResult where there is none."""
    home = folders.existing_experiment(experiment).folder
    going_on, last = lock.running(home), lock.last_run(home)
    asked = parameters.load_profile(last.get("params", "params/demo"))
    old = stale(home, asked, last.get("corpus", arguments.EMBEDDED))
    print(f"{experiment}: running since {going_on['since']}" if going_on else f"{experiment}: not running")
    for notebook, place in ONCE.items():
        done = (home / place / manifest.MANIFEST).exists()
        print(f"  {notebook:14} {'stale' if home / place in old else 'done' if done else '-'}")
    print("  " + "".join(f"{title:26}" for title in ["model, seed", "trained", "evaluated", "infilled"]).rstrip())
    for model, one in asked.items():
        for seed in one.seeds if isinstance(one, parameters.Train) else []:
            states = [_state(home, place, model, seed, old) for place in STAGES.values()]
            states[-1] = states[-1] if one.infill else "not asked for"
            print("  " + "".join(f"{word:26}" for word in [f"{model}, {seed}", *states]).rstrip())
    for folder, why in old.items():
        print(f"stale: {folder}: {'; '.join(why)}")
    tell_code(home)
    for notebook, cell, message in stopped(home):
        print(f"stopped: {notebook}, cell {cell}\n  {strip_markup(message)}")
    if not going_on:
        whole = not old and all((folder / manifest.MANIFEST).exists() for folder in wanted(home, asked))
        print("Nothing is left to do." if whole else f"To go on: {manifest.resume_command(home)}")


def tell_code(home):
    """Say in a line or two what was made by older code than is here now, and what to do about it."""
    older = older_code(home)
    if older:
        names = ", ".join(sorted({name for changed in older.values() for name in changed}))
        print(f"{len(older)} results are of older code than is here now, such as {next(iter(older))}: {names} changed.")
        print("They are as good as new if the change was of no effect. To make them again:")
        print(f"make renew EXPERIMENT={home.name}; {manifest.resume_command(home)}")
