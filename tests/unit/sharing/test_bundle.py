"""Claims about the shared folder: what is checked, and that nothing is built of what the check refuses."""

import nbformat
import pytest

from lib.errors import LeakFound, MissingResult
from lib.experiment.files import write_text
from lib.experiment.folders import Experiment
from lib.sharing import bundle, leak_check

FINDINGS = {"file": "a", "position": "line 1", "words": 8, "learners": 1, "hash": "x"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """An experiment of which nothing is drawn, and whose check finds what is written in `found`."""
    run = Experiment("study", tmp_path)
    (run.folder / "corpus").mkdir(parents=True)
    monkeypatch.setattr(bundle, "existing_experiment", lambda _: run)
    monkeypatch.setattr(bundle, "stage", lambda run, folder, *_: write_text("x", folder / "report.html"))
    run.checked, run.found = [], []
    monkeypatch.setattr(bundle, "check_files", lambda run, paths: (run.checked.append(paths) or _frame(run.found), 1))
    return run


def _frame(rows):
    return leak_check.pd.DataFrame(rows, columns=leak_check.COLUMNS)


def test_a_clean_folder_is_built_with_the_hashes_of_its_files(run):
    assert bundle.build("study", False, False) == 0
    assert {file.name for file in (run.folder / "share").iterdir()} == {"report.html", "checked.json"}


def test_a_folder_with_findings_is_not_built_and_the_old_one_stays(run, monkeypatch):
    assert bundle.build("study", False, False) == 0
    run.found = [FINDINGS]
    monkeypatch.setattr(bundle, "stage", lambda run, folder, *_: write_text("new", folder / "report.html"))
    assert bundle.build("study", False, False) == 1
    assert (run.folder / "share/report.html").read_text() == "x"
    assert not (run.folder / "share.unchecked").exists()


def test_the_check_looks_at_the_folder_that_was_built_before(run):
    assert bundle.check("study", False, False) == 0
    write_text("old", run.folder / "share/report.html")
    bundle.check("study", False, False)
    assert [len(paths) for paths in run.checked] == [1, 2] and run.checked[1][1] == run.folder / "share"


def test_the_check_of_files_stages_nothing(run, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "stage", lambda *_: pytest.fail("it was staged"))
    run.found = [FINDINGS]
    assert bundle.check("study", False, False, [tmp_path]) == 1 and run.checked == [[tmp_path]]


def test_token_ids_outside_of_the_vocabulary_are_skipped():
    run = Experiment("demo", root=".")
    decode = bundle._decoder(run)
    assert decode([10**6, 400, 10**5]) == decode([400]) != ""


@pytest.mark.parametrize("name", ["NOTES.md", "extra/table.csv", "report.html"])
def test_files_of_a_user_in_the_shared_folder_are_kept(run, name):
    assert bundle.build("study", False, False) == bundle.build("study", False, False) == 0
    write_text("mine", run.folder / "share" / name)
    with pytest.raises(LeakFound, match=f"has not written as they are, and would delete: {name}"):
        bundle.build("study", False, False)
    assert (run.folder / "share" / name).read_text() == "mine"


def test_a_check_that_reads_no_file_fails(run, monkeypatch):
    monkeypatch.setattr(bundle, "check_files", lambda *_: (_frame([]), 0))
    with pytest.raises(MissingResult, match="nothing was checked"):
        bundle.check("study", False, False, ["empty"])


def test_a_refused_page_names_its_notebook_and_cells(run, capsys, monkeypatch):
    outputs = [nbformat.v4.new_output("stream", text="x"), nbformat.v4.new_output("display_data", {"image/png": "AA"})]
    cells = [nbformat.v4.new_markdown_cell("# Why?"), nbformat.v4.new_code_cell("x", outputs=outputs)]
    write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), run.folder / "notebooks/02_mask.ipynb")
    page = run.folder / "share.unchecked/notebooks/02_mask.text.html"

    def check(run, paths):
        copies = list(paths[0].glob("*.ipynb"))
        assert not copies or "image/png" not in copies[0].read_text()
        found = [FINDINGS | {"file": file, "position": "cells 2, outputs 1, line 1"} for file in copies]
        return _frame(found or [FINDINGS | {"file": page}]), 1

    monkeypatch.setattr(bundle, "check_files", check)
    assert bundle.build("study", False, True) == 1
    assert "notebooks/02_mask.ipynb show it in cell 2 (" in capsys.readouterr().out
