"""A claim about the tests themselves: the name of each is a claim that can be read at a glance."""

import ast
from pathlib import Path

LONGEST = 60  # characters of a name, without test_


def test_no_name_of_a_test_is_longer_than_60_characters():
    files = [file for file in Path("tests").rglob("*.py") if file.name != "conftest.py"]
    names = [(file, node.name) for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
             if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]  # fmt: skip
    assert len(names) > 400  # else they lie elsewhere
    assert [f"{file}: {name}" for file, name in names if len(name.removeprefix("test_")) > LONGEST] == []
