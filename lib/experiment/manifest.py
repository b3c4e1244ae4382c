"""The manifest of a result: manifest.json in its folder, written last, with hashes of the files and of what made them.

A result without a manifest is not finished. A result that differs from its manifest, lies in another folder than it was
made for, or was made from inputs that have changed since, is not used.
"""

import importlib.metadata
import json
import os
import shlex
from pathlib import Path

from lib.errors import StaleResult
from lib.experiment import lock
from lib.experiment.code_hashes import notebook_hashes
from lib.experiment.files import file_hash, read_json, write_json
from lib.experiment.processes import WITHOUT_MAKE

MANIFEST = "manifest.json"
TIMING_FILES = {"clock.json", "clock.csv"}  # seconds, different in every run, so they are not hashed
PACKAGES = ["torch", "transformers", "tokenizers", "numpy", "pandas", "scipy", "statsmodels"]
RESULT_NEUTRAL_PARAMETERS = {"devices", "min_test_learners", "stop_if_too_small"}  # they decide no number
PROVENANCE = {"commit", "versions", "machine"}  # entries of JSON files, as folders.provenance writes them
SETTINGS = {"01_extract": "corpus", "02_mask": "masks", "05_infill": "infill"}
SETTINGS |= dict.fromkeys(["06_compare", "07_hypotheses"], "hypotheses")  # 03 and 04: the model's own file
PARTS = {"place": dict, "made_by": str, "parameters": dict, "inputs": dict, "code": dict, "files": dict}


def write_manifest(folder, belongs_to, made_by, parameters, inputs, code, **more):
    """Write the manifest of the files in `folder`.

    belongs_to: as `place` returns it; parameters: a dict; inputs: {path relative to the run: hash}; code: {file: hash};
    more: further entries.
    """
    names = [path.name for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    files = {name: file_hash(folder / name) for name in names if name not in {MANIFEST, *TIMING_FILES}}
    content = {"place": belongs_to, "made_by": made_by, "parameters": parameters}
    content |= {"inputs": dict(sorted(inputs.items())), "code": code, "versions": versions()} | more
    write_json(content | {"files": files}, folder / MANIFEST)


def is_equal(folder, other):
    """Do two results hold the same, apart from commit, versions and machine? Both have a manifest."""
    ours, theirs = read_manifest(folder), read_manifest(other)
    if differences(theirs["parameters"], ours["parameters"]) or ours["files"].keys() != theirs["files"].keys():
        return False
    changed = [name for name, now in ours["files"].items() if now != theirs["files"][name]]
    return all(_content(folder / name) == _content(other / name) for name in changed)


def _content(file):
    """A JSON file without what differs from machine to machine; of another file, its hash."""
    if file.suffix != ".json":
        return file_hash(file)
    content = read_json(file)
    if not isinstance(content, dict):
        return content
    return {key: value for key, value in content.items() if key not in PROVENANCE}


def place(folder, run_dir):
    """Experiment and stage, and for a model's result model and seed: what a folder of run_dir holds by its path."""
    names = ["stage", "model", "seed"]
    return {"experiment": Path(run_dir).name} | dict(zip(names, Path(folder).relative_to(run_dir).parts))


def versions():
    """{package: version} of PACKAGES."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def read_manifest(folder):
    """The manifest of a result, a dict. Raises StaleResult if it is empty, torn, or not of this kind."""
    try:
        manifest = read_json(folder / MANIFEST)
    except (OSError, ValueError) as error:
        raise StaleResult(f"{folder / MANIFEST} cannot be read: it is empty, torn or damaged.") from error
    if not isinstance(manifest, dict):
        manifest = {}
    absent = [part for part, kind in PARTS.items() if not isinstance(manifest.get(part), kind)]
    if absent:
        raise StaleResult(f"{folder / MANIFEST} is not a manifest of this version: it has no {', '.join(absent)}.")
    return manifest


def misplaced(manifest, folder, run_dir):
    """A sentence if the result was made for another folder of its experiment, or of another model; else nothing.

    An experiment may be renamed or copied as a whole.
    """
    here = place(folder, run_dir)
    there = manifest["place"]
    model = manifest["parameters"].get("model", here.get("model"))
    if model == here.get("model") and there == here | {"experiment": there.get("experiment")}:
        return ""
    made_for = "/".join(str(there[name]) for name in ["stage", "model", "seed"] if name in there)
    if made_for == _relative(folder, run_dir):
        return f"made for {made_for}, but with the parameters of {model}"
    return f"made for {made_for}"


def _relative(path, run_dir):
    return Path(path).relative_to(run_dir).as_posix()


def check(path, made_by, run_dir):
    """Raise StaleResult unless `path`, a file or a folder of this run, is as its manifest says, and its inputs are too.

    Returns {path relative to run_dir: hash} of the files.
    """
    folder = path if path.is_dir() else path.parent
    hint = f"\nRebuild it, and what depends on it: {resume_command(run_dir)}"
    if not (folder / MANIFEST).exists():
        raise StaleResult(
            f"{path} is not finished: {made_by}, which writes {folder / MANIFEST} last, did not reach its end.{hint}"
        )
    try:
        manifest = read_manifest(folder)
        changed = list(_changed(manifest, run_dir, set()))
    except StaleResult as error:
        raise StaleResult(f"{error}{hint}") from None
    reason = misplaced(manifest, folder, run_dir)
    if reason:
        raise StaleResult(f"{folder} holds another result, {reason}: it was moved, copied or swapped.{hint}")
    names = manifest["files"] if path.is_dir() else [path.name]
    damaged = [str(folder / name) for name in names if _hash(folder / name) != manifest["files"].get(name)]
    if damaged:
        raise StaleResult(f"{', '.join(damaged)}: not what {made_by} wrote, but changed or damaged since.{hint}")
    if changed:
        raise StaleResult(f"{path} was made from {' and '.join(changed)}, which has changed since.{hint}")
    return {_relative(folder / name, run_dir): manifest["files"][name] for name in names}


def resume_command(run_dir):
    """The command that goes on with the experiment in `run_dir`, with the arguments of its last run."""
    last = {"corpus": "FILE", "params": "params/demo", "profile": "laptop"} | lock.last_run(run_dir)
    given = {} if last["profile"] == "laptop" else {"profile": last["profile"]}
    target = "demo"
    if run_dir.name != "demo":
        target = "run"
        given = {"experiment": run_dir.name, "corpus": last["corpus"], "params": last["params"]} | given
    return command(target, **given)


def command(target, **given):
    """A command line as a user may paste it, of make, or of `python -m lib` where that was called. given: arguments."""
    if WITHOUT_MAKE in os.environ:
        return shlex.join(["python", "-m", "lib", target, *(f"--{name}={value}" for name, value in given.items())])
    return shlex.join(["make", target, *(f"{name.upper()}={value}" for name, value in given.items())])


def _hash(path):
    """The hash of a file, or None. The path is shortened first: behind a linked folder, .. would lead elsewhere."""
    path = os.path.normpath(path)
    return file_hash(path) if os.path.isfile(path) else None


def _changed(manifest, run_dir, seen):
    """Inputs from this run, and their inputs in turn, that have changed, as their manifests say: no file is hashed."""
    for name, hash_then in manifest["inputs"].items():
        folder = (run_dir / name).parent
        if name.startswith("..") or not (folder / MANIFEST).exists():  # results may be read without their corpus
            continue
        source = read_manifest(folder)
        if source["files"].get((run_dir / name).name) != hash_then:
            yield name
        elif folder not in seen:
            seen.add(folder)
            yield from _changed(source, run_dir, seen)


def problems(folder, run_dir, settings):
    """Why the result in `folder` must be rebuilt: a list of sentences, what comes first in a study at the front, or
    nothing.

    settings: {file stem: parameters}, from parameters.load_profile. Every file is hashed, the corpus too.
    """
    try:
        manifest = read_manifest(folder)
    except StaleResult as error:
        return [str(error).rstrip(".")]
    found = []
    reason = misplaced(manifest, folder, run_dir)
    if reason:
        found.append(f"{reason}; it was moved, copied or swapped")
    now = settings.get(SETTINGS.get(manifest["made_by"], manifest["parameters"].get("model")))
    if now:
        found += differences(manifest["parameters"], now.model_dump())
    for name, hash_then in manifest["files"].items():
        if _hash(folder / name) != hash_then:
            found.append(f"{name} was changed or damaged")
    for name, hash_then in manifest["inputs"].items():
        hash_now = _hash(run_dir / name)
        outside = name.startswith("..")
        if hash_now != hash_then and not (hash_now is None and outside):
            found.append(f"made from another {name}")
    return found


def differences(then, now):
    """["learning_rate was 0.004, is 0.002", ...] of two dicts, compared as JSON holds them."""
    now = json.loads(json.dumps(now))
    keys = sorted((then.keys() | now.keys()) - RESULT_NEUTRAL_PARAMETERS)
    return [f"{key} was {then.get(key)}, is {now.get(key)}" for key in keys if then.get(key) != now.get(key)]


def changed_code(folder, notebooks):
    """Which code files have other statements now than when they made the result in `folder`."""
    try:
        manifest = read_manifest(folder)
    except StaleResult:
        return []
    then = manifest["code"]
    now = notebook_hashes(notebooks / f"{manifest['made_by']}.ipynb")
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
