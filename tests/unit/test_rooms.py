"""Claims about the rooms of lib: imports go downwards only, and README's tree names every room by its right name."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

LIB = Path("lib")
# From the ground up: a room may import those before it.
ORDER = ["design", "errors", "formatting", "hub", "experiment", "corpus", "masking", "models", "evaluation", "figures"]
ORDER += ["training", "identification", "infilling", "hypotheses", "synthetic", "memorisation", "sharing", "workflow"]
ORDER += ["__main__"]
FILES = [file for file in sorted(LIB.rglob("*.py")) if file != LIB / "__init__.py"]
LARGEST = 250  # lines of a file


def module_of(file):
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def imported(file):
    """Modules of lib that a file imports, also within functions."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "lib":
            whole = Path(node.module.replace(".", "/")).with_suffix(".py").exists()
            for alias in node.names:
                yield node.module if whole else f"{node.module}.{alias.name}"


def room_of(module):
    return module.split(".")[1]


@pytest.fixture(scope="module")
def edges():
    """{module: modules that it imports}"""
    return {module_of(file): set(imported(file)) for file in FILES}


def test_imports_go_downwards_only(edges):
    rooms = sorted({(room_of(one), room_of(other)) for one in edges for other in edges[one]}, key=lambda pair: pair[0])
    drawn = {room: [b for a, b in rooms if a == room and b != room] for room in ORDER}
    print("\n".join(f"{room} -> {', '.join(below) or 'nothing'}" for room, below in reversed(drawn.items())))
    upwards = [(a, b) for a, b in rooms if ORDER.index(b) > ORDER.index(a)]
    assert upwards == []


def test_no_modules_import_each_other_in_a_circle(edges):
    TopologicalSorter(edges).prepare()  # raises CycleError, naming the circle


def test_every_import_is_of_a_module_that_is_there(edges):
    assert set().union(*edges.values()) <= edges.keys()


def test_no_room_and_no_file_is_too_large():
    folders = {file.parent for file in FILES}
    assert {str(folder): n for folder in folders if (n := len(list(folder.glob("*.py"))) - 1) > 10} == {}
    lines = {str(file): len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    assert {file: n for file, n in lines.items() if n > LARGEST} == {}


@pytest.mark.parametrize("file", sorted(LIB.glob("*/__init__.py")), ids=lambda file: file.parent.name)
def test_a_room_opens_with_what_it_answers_and_nothing_else(file):
    (only,) = ast.parse(file.read_text(encoding="utf-8")).body
    assert isinstance(only, ast.Expr)
    named = re.findall(r"`(\w+)`", only.value.value)
    assert named and [name for name in named if not file.with_name(f"{name}.py").exists()] == []


def test_readme_names_every_room_and_only_rooms():
    tree = re.findall(r"^    lib/(\w+)(?:/|\.py) ", Path("README.md").read_text(encoding="utf-8"), re.M)
    assert sorted(tree) == sorted(ORDER)
    assert {room_of(module_of(file)) for file in FILES} == set(ORDER)


def test_every_module_has_its_test_file_and_every_file_its_module():
    modules = {file.relative_to(LIB).with_suffix("") for file in FILES if file.name != "__init__.py"}
    files = [file.relative_to("tests/unit") for file in Path("tests/unit").rglob("test_*.py")]
    tested = {file.with_name(file.stem.removeprefix("test_")) for file in files}
    assert [str(module) for module in sorted(modules - tested)] == []
    assert tested - modules == {Path("rooms"), Path("names")}  # which are about lib and tests as a whole
