"""How every notebook of the study begins: its parameters are checked, and its experiment is opened.

A notebook may be run by hand, in any order and again. Then its finished results are kept (`_keep_finished`), what an
earlier run with other parameters left in the kernel is forgotten, and a parameter that is changed halfway is refused.
"""

import contextlib
import os
import shutil
import sys
import types
from functools import partial
from pathlib import Path

from lib.errors import MissingResult, ParameterError, StaleResult
from lib.experiment import lock, manifest, parameters, schemas
from lib.experiment.folders import BY_HAND, ONCE, PER_MODEL, Experiment
from lib.experiment.processes import fix_threads, write_private_files

SCHEMAS = {"01_extract": schemas.Corpus, "02_mask": schemas.Masks, "03_train": schemas.Train}
SCHEMAS |= {"04_evaluate": schemas.Evaluate, "05_infill": schemas.Infill}
SCHEMAS |= dict.fromkeys(["06_compare", "07_hypotheses"], schemas.Hypotheses)
MORE = {"01_extract": ["corpus"], "05_infill": ["model", "seeds"], "06_compare": ["models", "seeds"]}  # in no file
STAYS = "stays as it is"  # words of every message about a finished result; notebooks/conftest.py knows them
FIRST = "_first_start"  # name in a notebook's globals: what `start` found there when it was called first


def start(cell, name):
    """(run, settings) of the notebook `name`. cell: its globals(), after the parameters cell.

    From here on the current folder is notebooks/, and the notebook writes files that only its user may read, and
    computes with the threads of the profile. Raises ParameterError for a parameter that is misspelt, mistyped or out of
    range, InvalidName, MissingResult outside the repository, and ExperimentRunning while another run of the experiment
    goes on.
    """
    write_private_files()
    settings = parameters.from_cell(SCHEMAS[name], cell)
    _enter_notebooks(cell)
    given = _given(cell, name)
    _forget_earlier_run(cell, given)
    run = Experiment(cell["experiment"]).start(name)
    fix_threads(_n_threads(run, name))
    run.check_cell = partial(_refuse_changed, cell, name, given)
    if lock.is_by_hand(run.folder):
        _keep_finished(run, settings, cell)
    return run, settings


def _n_threads(run, name):
    """How many threads the notebook `name` computes with: not the environment decides, since numbers depend on it.

    A model has as many as the profile of the experiment's last run says, by hand too; everything else has one.
    """
    if name not in PER_MODEL:
        return 1
    profile = lock.last_run(run.folder).get("profile", "laptop")
    try:
        return parameters.load_machine(profile, run.root).threads
    except ParameterError:  # the profile is gone
        return 1


def _enter_notebooks(cell):
    """Go to the folder notebooks/ of the nearest repository; a corpus that is named from here is named from there."""
    here = Path.cwd()
    places = [here, *here.parents, Path(__file__).resolve().parents[2]]
    root = next((place for place in places if (place / "notebooks/01_extract.ipynb").exists()), None)
    if root is None:
        raise MissingResult(f"There is no notebooks/01_extract.ipynb in {here} or above it: run this notebook there.")
    os.chdir(root / "notebooks")
    if "corpus" in cell:
        cell["corpus"] = [_from_notebooks(file, here) for file in cell["corpus"]]


def _from_notebooks(file, folder):
    """The path of a file from notebooks/, the current folder. It may be named from there or from `folder`."""
    named_from_folder = folder / file
    if os.path.exists(file) or not named_from_folder.exists():
        return file
    return os.path.relpath(named_from_folder)


def _given(cell, name):
    """{parameter: value} of a notebook, as its cells have them now."""
    names = ["experiment", *SCHEMAS[name].model_fields, *MORE.get(name, [])]
    return {key: cell[key] for key in names if key in cell}


def _forget_earlier_run(cell, given):
    """Remove what cells have made from other parameters, so that none of it is stored under these."""
    first = cell.setdefault(FIRST, {"names": set(cell), "given": given})
    if first["given"] != given:
        left = [name for name in cell if name not in first["names"] and _is_made(name, cell[name])]
        for name in left:
            del cell[name]
        print(f"Other parameters than before in this kernel: {len(left)} variables of earlier cells are forgotten.")
    first["given"] = given


def _is_made(name, value):
    return not (name.startswith("_") or isinstance(value, (types.ModuleType, type)) or callable(value))


def _refuse_changed(cell, name, given):
    """Raise ParameterError if a parameter is no longer what the notebook began with."""
    now = _given(cell, name)
    for key, value in given.items():
        if now.get(key) != value:
            raise ParameterError(
                f"{key} is {now.get(key)!r}, but this notebook began with {value!r}, and so did its variables.\n"
                "Nothing is read or written. Run the notebook again from its parameters on."
            )


def _keep_finished(run, settings, cell):
    """Let a notebook that is run by hand write aside what is finished already; say so if its parameters are others."""
    label = ".".join([run.notebook, *([cell["model"]] if "model" in _given(cell, run.notebook) else [])])
    run.by_hand = run.folder / BY_HAND / label
    run.settle = partial(_settle, run)
    for folder in _own_results(run, cell):
        if _is_finished(folder, run):
            aside = run.by_hand / folder.relative_to(run.folder)
            shutil.rmtree(aside, ignore_errors=True)
            run.aside[folder] = aside
            then, now = manifest.read_manifest(folder)["parameters"], settings.model_dump()
            changed = manifest.differences(then, {key: now.get(key, value) for key, value in then.items()})
            if changed:
                print(f"{folder} is finished and {STAYS}. Here {'; '.join(changed)}. Results go to {aside}.")


def _own_results(run, cell):
    """The folders that a notebook writes."""
    if run.notebook in PER_MODEL:
        return [run.folder / PER_MODEL[run.notebook] / cell["model"] / f"seed{seed}" for seed in cell["seeds"]]
    names = ["masks", "tokenizer"] if run.notebook == "02_mask" else [ONCE[run.notebook]]
    return [run.folder / name for name in names]


def _settle(run):
    """Remove what was made by hand and equals the finished result, and say where the rest is."""
    made = [(folder, aside) for folder, aside in run.aside.items() if (aside / manifest.MANIFEST).exists()]
    for folder, aside in made:
        if manifest.is_equal(aside, folder):
            shutil.rmtree(run.aside.pop(folder))
        else:
            print(
                f"{folder} is finished and {STAYS}. This result differs and is in {aside}. To replace the finished "
                f"one, remove {folder} and run this again; or use another name: experiment = …"
            )
    if not run.aside:
        shutil.rmtree(run.by_hand, ignore_errors=True)
        with contextlib.suppress(OSError):
            run.by_hand.parent.rmdir()  # if it is empty now


def _is_finished(folder, run):
    try:
        manifest.check(folder, run.notebook, run.folder)
    except (StaleResult, MissingResult):
        return False
    return True


def progress_bar(**options):
    """A progress bar for a cell, as text that disappears at the end. options: of tqdm."""
    from tqdm import tqdm  # here, since few notebooks need it

    return partial(tqdm, leave=False, file=sys.stdout, **options)
