"""Hashes of the code behind a result: of the statements of its notebook and of the modules of lib that it imports.

A process hashes a file once, so files that are edited while it runs keep the hashes of the code that it has loaded.
"""

import ast
import functools
import hashlib
from pathlib import Path

from lib.experiment.files import file_hash, read_json

ROOT = Path(__file__).resolve().parents[2]  # the repository
# modules of lib that decide no number
PRESENTATION_MODULES = {"lib.figures", "lib.errors", "lib.infilling.queries", "lib.infilling.explorer", "lib.workflow"}
PRESENTATION_MODULES |= {
    f"lib.experiment.{name}" for name in ["manifest", "code_hashes", "files", "fault_injection", "lock", "processes"]
}


@functools.cache
def notebook_hashes(notebook):
    """{file: hash of its statements} of a notebook and of all modules of lib that it imports, directly or indirectly.

    Comments, docstrings, layout and the parameters cell do not count, nor do PRESENTATION_MODULES.
    """
    if not notebook.exists():
        return {}
    cells = [cell for cell in read_json(notebook)["cells"] if cell["cell_type"] == "code"]
    cells = [cell for cell in cells if "parameters" not in cell["metadata"].get("tags", [])]
    tree = ast.parse("\n".join("".join(cell["source"]) for cell in cells))
    return {notebook.name: _statements(tree)} | module_hashes(*_imports(tree))


def module_hashes(*names):
    """{lib/name.py: hash of its statements} of modules, named lib.name, and of the modules of lib that they import;
    also of the sentences of a module, name.yaml and templates/name.jinja.

    Raises ImportError when a module is not found: a result whose code is not known would never be stale.
    """
    hashes = {}
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        file = _file(name)
        key = file.relative_to(ROOT).as_posix()
        if key not in hashes and not _is_presentation(name):
            hashes[key], imported = _module(file)
            waiting |= imported
            hashes |= _sentences(file)
    return dict(sorted(hashes.items()))


def _is_presentation(name):
    return any(name == other or name.startswith(f"{other}.") for other in PRESENTATION_MODULES)


def _file(name):
    """The file of a module of lib; of a package, its __init__.py."""
    path = ROOT / name.replace(".", "/")
    for file in [path.with_suffix(".py"), path / "__init__.py"]:
        if file.exists():
            return file
    raise ImportError(f"there is no module {name}: neither {path}.py nor a folder of that name with an __init__.py")


@functools.cache
def _module(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return _statements(tree), _imports(tree)


@functools.cache
def _sentences(file):
    """{lib/...: hash} of the files of a module's sentences."""
    files = [file.with_suffix(".yaml"), file.parent / f"templates/{file.stem}.jinja"]
    return {path.relative_to(ROOT).as_posix(): file_hash(path) for path in files if path.exists()}


def remember():
    """Hash all of lib, for this process and its forks."""
    for file in ROOT.glob("lib/**/*.py"):
        _module(file)
        _sentences(file)


def forget():
    """Hash every file again when it is needed: what counts from here on are the files as they are now."""
    for function in [notebook_hashes, _module, _sentences]:
        function.cache_clear()


def _imports(tree):
    """Names of the modules of lib that a syntax tree imports, such as lib.evaluation.statistics."""
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
    """The hash of a syntax tree without its docstrings."""
    for node in ast.walk(tree):
        match node:
            case ast.Module() | ast.FunctionDef() | ast.ClassDef() if ast.get_docstring(node, clean=False) is not None:
                del node.body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]
