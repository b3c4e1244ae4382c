"""Claims about what is public already: the repository as pushed, without outputs."""

import json
import subprocess

import pytest

from lib.sharing.leaks import public_texts


@pytest.fixture
def repository(tmp_path):
    cell = {"cell_type": "code", "source": ["x = 1  # the source"], "outputs": [{"text": "the output"}]}
    files = {"README.md": "the readme", "CITATION.cff": "x", "lib/a.py": "the code"}
    files |= {"notebooks/a.ipynb": json.dumps({"cells": [cell]}), "lib/synthetic/demo_corpus.yaml": "the corpus"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for command in [["init", "-q"], ["add", "."], ["commit", "-qm", "first"]]:
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    subprocess.run([*git, "update-ref", "refs/remotes/origin/main", "HEAD"], cwd=tmp_path, check=True)
    (tmp_path / "README.md").write_text("not pushed")
    subprocess.run([*git, "commit", "-qam", "second"], cwd=tmp_path, check=True)
    return tmp_path


def test_pushed_prose_code_and_sources_are_public(repository):
    found = public_texts.published([repository / "runs"], repository)
    assert {"the readme", "the code", "x = 1  # the source"} <= set(found)
    assert not any("output" in text or "corpus" in text or "not pushed" in text for text in found)


def test_a_committed_file_does_not_excuse_itself(repository):
    assert public_texts.published([repository / "README.md"], repository) == []


def test_nothing_is_public_without_a_repository(tmp_path):
    assert public_texts.published([tmp_path], tmp_path) == []


def test_nothing_is_public_that_no_remote_has(repository):
    subprocess.run(["git", "update-ref", "-d", "refs/remotes/origin/main"], cwd=repository, check=True)
    assert public_texts.published([repository / "runs"], repository) == []
