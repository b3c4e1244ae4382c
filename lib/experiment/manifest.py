"""What vouches for a result: the manifest.json in its folder, written last, with the hashes of all that made it.

A result without one is not finished. One that differs from it, or was made from what has changed since, is not used.
"""

import ast
import functools
import hashlib
import importlib.metadata
import json
from pathlib import Path

from lib.errors import StaleResult
from lib.experiment import lock
from lib.experiment.files import file_hash, read_json, write_json

ROOT = Path(__file__).resolve().parents[2]  # the repository
MANIFEST = "manifest.json"
TIMING_FILES = {"clock.json", "clock.csv"}  # seconds: new at every run, so nothing vouches for them
PACKAGES = ["torch", "transformers", "tokenizers", "numpy", "pandas", "scipy", "statsmodels"]
# of lib: they decide no number
PRESENTATION_MODULES = {"lib.figures", "lib.errors", "lib.infilling.queries", "lib.infilling.explorer", "lib.workflow"}
PRESENTATION_MODULES |= {f"lib.experiment.{name}" for name in ["manifest", "files", "fault_injection", "lock"]}
RESULT_NEUTRAL_PARAMETERS = {"devices"}  # parameters that decide no result
SETTINGS = {"01_extract": "corpus", "02_mask": "masks", "05_infill": "infill"}
SETTINGS |= dict.fromkeys(["06_compare", "07_hypotheses"], "hypotheses")  # 03 and 04: the model's own file


def write_manifest(folder, made_by, parameters, inputs, home, notebooks):
    """Write the manifest of the files in `folder`.

    parameters: a dict; inputs: {path as seen from home: hash}; home: runs/<experiment>; notebooks: their folder.
    """
    written = [
        path for path in sorted(folder.iterdir()) if path.is_file() and path.name not in {MANIFEST, *TIMING_FILES}
    ]
    written = [path for path in written if not path.name.startswith(".")]
    content = {"made_by": made_by, "parameters": parameters, "inputs": dict(sorted(inputs.items()))}
    content |= {"code": code_hashes(notebooks / f"{made_by}.ipynb"), "versions": versions()}
    write_json(content | {"files": {path.name: file_hash(path) for path in written}}, folder / MANIFEST)


def versions():
    """{package: version} of PACKAGES."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def check(path, made_by, home):
    """Raise StaleResult unless `path`, a file or a folder of this run, is what its manifest says, made from what is
    there.

    Returns {path as seen from home: hash} of what was looked at.
    """
    folder = path if path.is_dir() else path.parent
    if not (folder / MANIFEST).exists():
        raise StaleResult(
            f"{path} is not finished: {made_by}, which writes {folder / MANIFEST} last, did not end.{_rerun_hint(home)}"
        )
    manifest = read_json(folder / MANIFEST)
    names = manifest["files"] if path.is_dir() else [path.name]
    damaged = [str(folder / name) for name in names if _hash(folder / name) != manifest["files"].get(name)]
    if damaged:
        raise StaleResult(
            f"{', '.join(damaged)}: not what {made_by} wrote, but changed or damaged since.{_rerun_hint(home)}"
        )
    changed = list(_changed(manifest, home, set()))
    if changed:
        raise StaleResult(
            f"{path} was made from {' and '.join(changed)} as it was then; it has changed since.{_rerun_hint(home)}"
        )
    return {(folder / name).relative_to(home).as_posix(): manifest["files"][name] for name in names}


def _rerun_hint(home):
    return f"\nMake it again, and what follows from it: {resume_command(home)}"


def resume_command(home):
    """The command that goes on with the experiment in `home`, as it was last given."""
    last = {"corpus": "FILE", "params": "params/demo"} | lock.last_run(home)
    profile = last.get("profile", "laptop")
    where = "" if profile == "laptop" else f" PROFILE={profile}"
    if home.name == "demo":
        return f"make demo{where}"
    return f"make run EXPERIMENT={home.name} CORPUS={last['corpus']!r} PARAMS={last['params']}{where}"


def _hash(path):
    return file_hash(path) if path.exists() else None


def _changed(manifest, home, seen):
    """Inputs of the run's own, and theirs in turn, that are no longer those the manifest names: by manifests alone."""
    for name, then in manifest["inputs"].items():
        folder = (home / name).parent
        if name.startswith("..") or not (folder / MANIFEST).exists():  # a corpus may be away while its results are read
            continue
        source = read_json(folder / MANIFEST)
        if source["files"].get((home / name).name) != then:
            yield name
        elif folder not in seen:
            seen.add(folder)
            yield from _changed(source, home, seen)


def problems(folder, home, profile):
    """Why the result in `folder` must be made again: a list of sentences, empty when nothing has changed.

    profile: {file stem: parameters} as params.profile returns them. Every file is hashed, the corpus too.
    """
    manifest = read_json(folder / MANIFEST)
    files = manifest["files"].items()
    found = [f"{name} was changed or damaged" for name, then in files if _hash(folder / name) != then]
    for name, then in manifest["inputs"].items():
        now = _hash(home / name)
        if now != then and not (now is None and name.startswith("..")):
            found.append(f"made from another {name}")
    asked = profile.get(SETTINGS.get(manifest["made_by"], manifest["parameters"].get("model")))
    return found + (differences(manifest["parameters"], asked.model_dump()) if asked else [])


def differences(then, now):
    """["learning_rate was 0.004, is 0.002", ...] of two dicts, compared as JSON holds them."""
    now = json.loads(json.dumps(now))
    both = (
        (key, then.get(key), now.get(key)) for key in sorted((then.keys() | now.keys()) - RESULT_NEUTRAL_PARAMETERS)
    )
    return [f"{key} was {old}, is {new}" for key, old, new in both if old != new]


def changed_code(folder, notebooks):
    """Which code files have other statements now than when they made the result in `folder`."""
    manifest = read_json(folder / MANIFEST)
    then, now = manifest["code"], code_hashes(notebooks / f"{manifest['made_by']}.ipynb")
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))


@functools.cache
def code_hashes(notebook):
    """{file: hash of its statements} of a notebook and of all in lib that it imports, directly or not.

    Comments, docstrings, layout and the parameters cell do not count; nor does what decides no number, as figures.
    """
    if not notebook.exists():
        return {}
    cells = [cell for cell in read_json(notebook)["cells"] if cell["cell_type"] == "code"]
    cells = [cell for cell in cells if "parameters" not in cell["metadata"].get("tags", [])]
    tree = ast.parse("\n".join("".join(cell["source"]) for cell in cells))
    return {notebook.name: _statements(tree)} | module_hashes(*_imports(tree))


def module_hashes(*names):
    """{lib/name.py: hash of its statements} of these modules, as lib.name, and of those of lib that they import; also
    of the files that hold a module's words, name.yaml and templates/name.jinja.

    Raises ImportError when one is not to be found: a result that does not know its code would never be stale.
    """
    found, waiting = {}, set(names)
    while waiting:
        name = waiting.pop()
        file = _file(name)
        key = file.relative_to(ROOT).as_posix()
        if key not in found and not _without_results(name):
            found[key], imported = _module(file)
            waiting |= imported
            words = [file.with_suffix(".yaml"), file.parent / f"templates/{file.stem}.jinja"]
            found |= {one.relative_to(ROOT).as_posix(): file_hash(one) for one in words if one.exists()}
    return dict(sorted(found.items()))


def _without_results(name):
    return any(name == other or name.startswith(f"{other}.") for other in PRESENTATION_MODULES)


def _file(name):
    """The file of a module of lib; of a package, its __init__.py."""
    place = ROOT / name.replace(".", "/")
    for file in [place.with_suffix(".py"), place / "__init__.py"]:
        if file.exists():
            return file
    raise ImportError(f"there is no module {name}: neither {place}.py nor a folder of that name with an __init__.py")


@functools.cache
def _module(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return _statements(tree), _imports(tree)


def _imports(tree):
    """Names of the modules of lib that a file imports, such as lib.evaluation.statistics."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise ImportError(f"a relative import of {node.module}: write lib.{node.module}, so that its code is found")
        elif isinstance(node, ast.ImportFrom) and _is_package(node.module):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return {name for name in found if name.split(".")[0] == "lib"}


def _is_package(name):
    return name.split(".")[0] == "lib" and (ROOT / name.replace(".", "/")).is_dir()


def _statements(tree):
    for node in ast.walk(tree):
        match node:
            case ast.Module() | ast.FunctionDef() | ast.ClassDef() if ast.get_docstring(node, clean=False) is not None:
                del node.body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]
