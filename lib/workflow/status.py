"""The state of an experiment: what is done, what is running, what is stale and why, and what stopped.

`show` only reads files, so it also works during a run. `renew` discards results of older code.
"""

import os
import shutil
import time
from pathlib import Path

from lib import errors
from lib.experiment import folders, lock, manifest, parameters
from lib.experiment.files import file_hash, read_json, walk
from lib.experiment.folders import MISPLACED, ONCE, PER_MODEL, results
from lib.formatting import strip_markup
from lib.workflow import arguments

SILENT = "It ended without a message: killed, or out of memory, or without room to write."
FIRST = "notebooks/01_extract.ipynb"  # as it was executed
KEPT = "notebooks/.01_extract.ipynb.kept"  # its copy, while another corpus is tried
REFUSED = "notebooks/refused/01_extract.ipynb"  # as it refused a corpus


def stale(run_dir, settings, corpus):
    """{result folder: [why it must be rebuilt, ...]}, by hashes alone: file times and Snakemake's records do not count.

    settings: {file stem: parameters}; corpus: the value of CORPUS; a corpus that is away is not compared.
    """
    reasons = {folder: manifest.problems(folder, run_dir, settings) for folder in results(run_dir)}
    if _is_another_corpus(run_dir, corpus) and not reasons[run_dir / "corpus"]:
        reasons[run_dir / "corpus"].append(f"made from another corpus than {corpus}")
    compared = {name.split("/")[1] for name in _inputs(run_dir / "compare") if name.startswith("models/")}
    models = {name for name, p in settings.items() if isinstance(p, parameters.Train)}
    if compared and compared != models:
        reasons[run_dir / "compare"].append(f"made with or without {', '.join(sorted(compared ^ models))}")
    return {folder: found for folder, found in reasons.items() if found}


def _inputs(folder):
    """{path relative to run_dir: hash} of a result's inputs; empty where there is no readable manifest."""
    manifest_or_none = _manifest(folder)
    return manifest_or_none["inputs"] if manifest_or_none else {}


def _manifest(folder):
    """The manifest of a folder, or None where there is none that can be read."""
    try:
        return manifest.read_manifest(folder)
    except errors.StaleResult:
        return None


def _is_another_corpus(run_dir, corpus):
    """Is this corpus, under a name that 01 has not read, different from the one that 01 has read?"""
    hashes_then = {name: value for name, value in _inputs(run_dir / "corpus").items() if name.startswith("..")}
    try:
        files = arguments.corpus_files(corpus)
    except errors.CorpusNotFound:
        return False
    same_names = {os.path.relpath(file, run_dir) for file in files} == set(hashes_then)
    if not hashes_then or same_names or not all(map(os.path.exists, files)):
        return False
    return sorted(map(file_hash, files)) != sorted(hashes_then.values())


def mark_stale(run_dir, params, corpus):
    """Remove half-written files, print which results must be rebuilt and one reason, and tell the graph by file times.

    run_dir: runs/<experiment>; params: folder of parameters; corpus: the value of CORPUS. A stale result is kept until
    a new one is written; what depends on it is rebuilt with it. Times are used because Snakemake's --forcerun would
    make each named file, although ONLY= names another.
    """
    for unfinished in [path for path in walk(run_dir) if path.match(".*.tmp*")]:
        shutil.rmtree(unfinished) if unfinished.is_dir() else unfinished.unlink(missing_ok=True)
    restore_notebook(run_dir)  # where a killed run could not
    (run_dir / REFUSED).unlink(missing_ok=True)
    old = stale(run_dir, parameters.load_profile(params), corpus)
    now = time.time()
    for folder in results(run_dir):
        moment = 1 if folder in old else now
        os.utime(folder / manifest.MANIFEST, (moment, moment))
    for folder, reasons in old.items():
        print(f"{folder} is rebuilt: {reasons[0]}", flush=True)
        _move_misplaced(folder, run_dir)
    _print_notes(run_dir)
    if run_dir / "corpus" in old and (run_dir / FIRST).exists():
        shutil.copy2(run_dir / FIRST, run_dir / KEPT)


def _move_misplaced(folder, run_dir):
    """Move a result that was made for another place out of the way, so that none of its files gets into the new one."""
    content = _manifest(folder)
    if content and manifest.misplaced(content, folder, run_dir):
        name = "-".join(folder.relative_to(run_dir).parts)
        target = run_dir / MISPLACED / f"{name}-{time.time_ns()}"
        target.parent.mkdir(exist_ok=True)
        shutil.move(folder, target)
        print(f"  what was there is now {target}", flush=True)


def restore_notebook(run_dir):
    """After a corpus was refused, put back the notebook 01 of the existing results; the refusal is kept beside it."""
    notebook = run_dir / FIRST
    if (run_dir / KEPT).exists() and _stop(notebook):
        if notebook.exists():
            (run_dir / REFUSED).parent.mkdir(exist_ok=True)
            notebook.replace(run_dir / REFUSED)
        (run_dir / KEPT).replace(notebook)
    (run_dir / KEPT).unlink(missing_ok=True)


def older_code(run_dir, notebooks=Path("notebooks")):
    """{result folder: names of the code files whose statements have changed since it was made}."""
    changed = {folder: manifest.changed_code(folder, notebooks) for folder in results(run_dir)}
    return {folder: names for folder, names in changed.items() if names}


def renew(experiment):
    """Remove the manifests of results of older code, so that the graph rebuilds them; not during a run."""
    run_dir = folders.existing_experiment(experiment).folder
    lock.refuse_another(run_dir)
    for folder in older_code(run_dir):
        (folder / manifest.MANIFEST).unlink()
    print(f"Discarded. To rebuild: {manifest.resume_command(run_dir)}")


def stopped(run_dir):
    """Yield (notebook, cell, message) of each executed notebook that did not reach its end and is not running now."""
    running = lock.running(run_dir)
    for notebook in [*sorted((run_dir / "notebooks").glob("*.ipynb")), *(run_dir / REFUSED).parent.glob("*.ipynb")]:
        stop = _stop(notebook)
        if stop and not (running and stop[1] == SILENT):
            yield notebook, *stop


def _stop(notebook):
    """(cell, message) where an executed notebook stopped, or None: it has reached its end."""
    try:
        content = read_json(notebook)
    except (OSError, ValueError):  # not begun, torn by a kill, or just being written
        content = {"cells": [{"cell_type": "code", "execution_count": None}]}
    cells = [(n, cell) for n, cell in enumerate(content["cells"], 1) if cell["cell_type"] == "code"]
    outputs = [(n, output) for n, cell in cells for output in cell.get("outputs", [])]
    failures = [(n, output) for n, output in outputs if output["output_type"] == "error"]
    executed = [n for n, cell in cells if cell["execution_count"]]  # a dead kernel's cells all say "completed"
    if failures:
        n, error = failures[-1]
        message = error["evalue"].replace("../", "", 1)  # relative to the root: notebooks run one folder below
        return n, f"{error['ename']}: {message}"
    if len(executed) < len(cells):
        return (executed[-1] if executed else 0), SILENT
    return None


def show(experiment):
    """Print the state of an experiment. Raises MissingResult where there is none."""
    run_dir = folders.existing_experiment(experiment).folder
    running = lock.running(run_dir)
    last = lock.last_run(run_dir)
    settings = parameters.load_profile(last.get("params", "params/demo"))
    old = stale(run_dir, settings, last.get("corpus", arguments.EMBEDDED))
    print(f"{experiment}: running since {running['since']}" if running else f"{experiment}: not running")
    for notebook, stage in ONCE.items():
        print(f"  {notebook:14} {_state(run_dir / stage, old)}")
    print(_row(["model, seed", "trained", "evaluated", "infilled"]))
    for p in settings.values():
        for seed in p.seeds if isinstance(p, parameters.Train) else []:
            print(_row([f"{p.model}, {seed}", *_states(run_dir, p, seed, old)]))
    for folder, reasons in old.items():
        print(f"stale: {folder}: {'; '.join(reasons)}")
    _print_notes(run_dir)
    print_older_code(run_dir)
    for notebook, cell, message in stopped(run_dir):
        print(f"stopped: {notebook}, cell {cell}\n  {strip_markup(message)}")
    if not running:
        expected = folders.result_folders(run_dir, settings)
        complete = not old and all((folder / manifest.MANIFEST).exists() for folder in expected)
        print("Nothing is left to do." if complete else f"To go on: {manifest.resume_command(run_dir)}")


def _row(cells):
    return "  " + "".join(f"{cell:26}" for cell in cells).rstrip()


def _states(run_dir, settings, seed, old):
    """The states of the three results of a model and seed. settings: Train parameters; old: `stale`."""
    trained, evaluated, infilled = (run_dir / stage / settings.model / f"seed{seed}" for stage in PER_MODEL.values())
    states = [_training_progress(run_dir, trained, old), _state(evaluated, old), "not requested"]
    if settings.infill:
        states[-1] = _state(infilled, old)
    return states


def _state(folder, old):
    """Of one result: done, stale, or - where there is none."""
    if not (folder / manifest.MANIFEST).exists():
        return "-"
    return "stale" if folder in old else "done"


def _training_progress(run_dir, folder, old):
    """The same for a training; while it is not done, its step and the time that is left."""
    file = run_dir / "checkpoints" / folder.relative_to(run_dir / "models") / "progress.json"
    if _state(folder, old) != "-" or not file.exists():
        return _state(folder, old)
    progress = read_json(file)
    goes_on = lock.running(run_dir) or lock.is_training(file.parent)
    left = f"{progress['seconds_left'] / 60:.0f} min left" if goes_on else "stopped"
    return f"step {progress['step']:,} of {progress['of']:,}, {left}"


def _print_notes(run_dir):
    """Print what is unusual about an experiment, but makes no result stale."""
    manifests = [found for folder in results(run_dir) if (found := _manifest(folder))]
    others = sorted({str(found["place"].get("experiment")) for found in manifests} - {run_dir.name})
    if others:
        names = ", ".join(others)
        print(f"{run_dir} was renamed or copied: it holds results of the experiment {names}. They remain valid.")
    key_then = (_manifest(run_dir / "corpus") or {}).get("learner_key")
    if key_then:
        _print_changed_key(key_then)


def _print_changed_key(key_then):
    from lib.corpus import pseudonyms  # here, since pandas is slow to import

    key_now = pseudonyms.existing_key_fingerprint()
    if key_now and key_now != key_then:
        print(f"The key of the learner ids has changed since 01 ran: {pseudonyms.key_path()} is another key.")
        print("Put the old one back, or name it in ILM_CEFR_KEY. If 01 runs again, all learners get new ids.")


def print_older_code(run_dir):
    """Print which results were made by older code than is here now, and what to do about it."""
    older = older_code(run_dir)
    if older:
        names = ", ".join(sorted({name for changed in older.values() for name in changed}))
        print(f"{len(older)} results are of older code than is here now, such as {next(iter(older))}: {names} changed.")
        print("They remain valid if the change has no effect on them. To rebuild them:")
        print(f"{manifest.command('renew', experiment=run_dir.name)}; {manifest.resume_command(run_dir)}")
