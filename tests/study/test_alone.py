"""Claims about a notebook that is run alone where nothing is there yet: it says what it needs and how to get it."""

import nbformat
import pytest

from lib.errors import CorpusError, MissingResult
from tests.helpers.workspace import NOTEBOOKS

NEEDS = {  # notebook: the file it asks for first, and the notebook that makes it
    "01_extract": ("synthetic_corpus.csv", ""),
    "02_mask": ("corpus/report.json", "01_extract"),
    "03_train": ("masks/report.json", "02_mask"),
    "04_evaluate": ("masks/report.json", "02_mask"),
    "05_infill": ("masks/report.json", "02_mask"),
    "06_compare": ("corpus/report.json", "01_extract"),
    "07_hypotheses": ("corpus/report.json", "01_extract"),
}
CELLS = {path.stem: [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
         for path in NOTEBOOKS}  # fmt: skip


@pytest.mark.parametrize("name", NEEDS)
def test_alone_it_says_what_it_needs_and_writes_nothing(name, tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/01_extract.ipynb").write_text('{"cells": []}')  # by which a repository is known
    monkeypatch.chdir(tmp_path / "notebooks")
    file, made_by = NEEDS[name]
    cell_names = {}
    with pytest.raises((MissingResult, CorpusError)) as refused:
        for source in CELLS[name]:
            exec(source, cell_names)
    said = str(refused.value)
    assert file in said and made_by in said and "make demo" in said and said.count("\n") < 3
    assert [path.name for path in tmp_path.rglob("*")] == ["notebooks", "01_extract.ipynb"]
