"""Claims about `make status`: what is done, stale, stopped and how far, during a run and without one."""

import json
import shutil
import socket
from pathlib import Path

import pytest

from lib.corpus import pseudonyms
from lib.experiment import folders, lock, manifest, parameters
from lib.experiment.files import read_json, write_json
from lib.workflow import status

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run_dir(run, monkeypatch):
    """runs/study as seen from here, with the parameters it was made with."""
    monkeypatch.chdir(run.root)
    shutil.copytree(ROOT / "params/demo", run.root / "params/demo")
    (run.folder / ".lock").write_text(json.dumps({"corpus": "corpus.csv", "params": "params/demo", "ended": True}))
    return Path("runs/study")


def shown(capsys):
    status.show("study")
    return capsys.readouterr().out


def test_done_results_are_shown_and_missing_ones_too(run_dir, capsys):
    lines = shown(capsys).splitlines()
    assert "study: not running" in lines and "  02_mask        done" in lines and "  06_compare     -" in lines
    assert next(line for line in lines if "a1, 0" in line).split() == ["a1,", "0", "done", "-", "-"]
    assert lines[-1] == "To go on: make run EXPERIMENT=study CORPUS=corpus.csv PARAMS=params/demo"


def test_what_is_stale_is_named_with_its_reason(run_dir, capsys):
    (run_dir / "masks/report.json").write_text("{}")
    out = shown(capsys)
    assert "stale: runs/study/masks: report.json was changed or damaged" in out
    assert "stale: runs/study/models/a1/seed0: made from another masks/report.json" in out


def test_a_running_training_shows_its_step_and_the_time_left(run_dir, capsys):
    facts = {"pid": 1, "host": socket.gethostname(), "since": "12:00", "corpus": "corpus.csv", "params": "params/demo"}
    write_json({"step": 30, "of": 250, "seconds_left": 600}, run_dir / "checkpoints/a2/seed0/progress.json")
    (run_dir / ".lock").write_text(json.dumps(facts | {"ended": True}))
    with lock.acquire(run_dir, facts):
        out = shown(capsys)
    assert "study: running since 12:00" in out and "step 30 of 250, 10 min left" in out and "To go on" not in out
    assert "step 30 of 250, stopped" in shown(capsys)


def test_identified_levels_are_shown_but_never_rebuilt(run_dir, run, capsys):
    folder = run.folder / "identification/test_texts"
    write_json({"n": 1}, folder / "report.json")
    run.start("identify").write_manifest(parameters.load_file("params/demo/corpus.yaml"), folder)
    assert "  identified: test_texts: done" in shown(capsys)
    write_json({"n": 2}, folder / "report.json")
    assert "identified: test_texts: stale: report.json was changed or damaged" in shown(capsys)
    status.mark_stale(run_dir, "params/demo", "corpus.csv")
    assert "identification is rebuilt" not in capsys.readouterr().out
    assert folder.resolve() not in [path.resolve() for path in folders.results(run_dir)]


def notebook(run_dir, *cells):
    content = [{"cell_type": "code", "execution_count": n, "outputs": outputs} for n, outputs in cells]
    write_json({"cells": content}, run_dir / "notebooks/03_train.a2.ipynb")


def test_a_stopped_notebook_is_named_its_message_made_harmless(run_dir, capsys):
    message = "row 7: <script>\x1b[2J\x07 {{config}}"
    notebook(run_dir, (1, []), (2, [{"output_type": "error", "ename": "CorpusError", "evalue": message}]), (None, []))
    out = shown(capsys)
    assert "stopped: runs/study/notebooks/03_train.a2.ipynb, cell 2" in out
    assert "CorpusError: row 7: <script>\\x1b[2J\\x07 {{config}}" in out and "\x1b" not in out


def test_a_dead_kernel_is_named_though_there_is_no_error(run_dir, capsys):
    notebook(run_dir, (1, []), (2, []), (None, []))
    assert "cell 2\n  It ended without a message: killed" in shown(capsys)
    (run_dir / "notebooks/03_train.a2.ipynb").write_text('{"cells": [')  # killed while it was written
    assert "03_train.a2.ipynb, cell 0" in shown(capsys)


def test_older_code_is_reported_and_rebuilt_on_demand_only(run_dir, run, capsys):
    cells = [{"cell_type": "code", "metadata": {}, "source": ["x = 3"]}]
    write_json({"cells": cells}, run.root / "notebooks/03_train.ipynb")
    assert "1 results are of older code" in shown(capsys)
    status.mark_stale(run_dir, "params/demo", "corpus.csv")
    assert (run_dir / "models/a1/seed0/manifest.json").exists()
    status.renew("study")
    assert not (run_dir / "models/a1/seed0/manifest.json").exists() and (run_dir / "masks/manifest.json").exists()


def test_a_stale_result_is_kept_but_looks_older(run_dir, capsys):
    unfinished = run_dir / "masks/.index.7.tmp.parquet"
    unfinished.write_text("half")
    (run_dir / "masks/report.json").write_text("{}")
    status.mark_stale(run_dir, "params/demo", "corpus.csv")
    times = {
        path.parent.relative_to(run_dir).as_posix(): path.stat().st_mtime for path in run_dir.rglob("manifest.json")
    }
    assert {name for name, when in times.items() if when == 1} == {
        "masks",
        "models/a1/seed0",
    } and not unfinished.exists()
    assert "masks is rebuilt: report.json was changed or damaged" in capsys.readouterr().out


def test_a_comparison_of_other_models_than_requested_is_stale(run_dir):
    settings = parameters.load_profile("params/demo")
    models = {name for name, p in settings.items() if isinstance(p, parameters.Train)}
    (run_dir / "compare").mkdir()

    def found(names):
        inputs = {f"models/{name}/seed0/train.json": None for name in names}
        content = {"made_by": "06_compare", "parameters": settings["hypotheses"].model_dump(), "inputs": inputs}
        content |= {"place": manifest.place(run_dir / "compare", run_dir), "code": {}, "files": {}}
        write_json(content, run_dir / "compare/manifest.json")
        reasons = status.stale(run_dir, settings, "corpus.csv")[run_dir / "compare"]
        return [reason for reason in reasons if not reason.startswith("made from another models/")]

    assert found(models) == [] and found(models - {"c1"}) == ["made with or without c1"]
    assert found(models | {"old"}) == ["made with or without old"]


def test_results_on_another_disk_are_seen_through_the_link(run_dir, tmp_path_factory):
    before = folders.results(run_dir)
    disk = tmp_path_factory.mktemp("disk") / "models"
    shutil.move(run_dir / "models", disk)
    (run_dir / "models").symlink_to(disk)
    (run_dir / "loop").symlink_to(run_dir.resolve())
    assert folders.results(run_dir) == before
    (disk / "a1/seed0/train.json").write_text("{}")
    settings = parameters.load_profile("params/demo")
    assert list(status.stale(run_dir, settings, "corpus.csv")) == [run_dir / "models/a1/seed0"]


@pytest.mark.parametrize("content", ["", "{", "[1]"])
def test_one_torn_manifest_makes_one_result_stale(content, run_dir, capsys):
    (run_dir / "models/a1/seed0/manifest.json").write_text(content)
    status.mark_stale(run_dir, "params/demo", "corpus.csv")
    assert "runs/study/models/a1/seed0 is rebuilt: runs/study/models/a1/seed0/manifest.json" in capsys.readouterr().out
    times = {path.parent.name: path.stat().st_mtime for path in run_dir.rglob("manifest.json")}
    assert {name for name, moment in times.items() if moment == 1} == {"seed0"}
    assert "a1, 0                     stale" in shown(capsys)


def test_an_experiment_that_was_renamed_says_so(run_dir, capsys):
    assert "renamed" not in shown(capsys)
    run_dir.rename(run_dir.with_name("other"))
    status.show("other")
    out = capsys.readouterr().out
    assert "runs/other was renamed or copied: it holds results of the experiment study." in out and "stale:" not in out


def test_a_key_of_learner_ids_that_changed_is_reported(run_dir, monkeypatch, capsys, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ["old", "new"]:
        (folder / name).write_text(name)
    monkeypatch.setenv("ILM_CEFR_KEY", str(folder / "old"))
    content = read_json(run_dir / "corpus/manifest.json") | {"learner_key": pseudonyms.key_fingerprint()}
    write_json(content, run_dir / "corpus/manifest.json")
    assert "key" not in shown(capsys)
    monkeypatch.setenv("ILM_CEFR_KEY", str(folder / "away"))
    assert "key" not in shown(capsys) and not (folder / "away").exists()
    monkeypatch.setenv("ILM_CEFR_KEY", str(folder / "new"))
    assert f"The key of the learner ids has changed since 01 ran: {folder}/new is another key." in shown(capsys)
    status.mark_stale(run_dir, "params/demo", "corpus.csv")
    assert "The key of the learner ids has changed" in capsys.readouterr().out


def test_a_misplaced_result_is_moved_away_and_not_lost(run_dir, capsys):
    shutil.copytree(run_dir / "models/a1", run_dir / "models/a2")
    status.mark_stale(run_dir, "params/demo", "corpus.csv")
    out = capsys.readouterr().out
    assert "models/a2/seed0 is rebuilt: made for models/a1/seed0; it was moved, copied or swapped" in out
    (moved,) = (run_dir / "misplaced").iterdir()
    assert f"what was there is now {moved}" in out and (moved / "train.json").exists()
    assert not (run_dir / "models/a2/seed0").exists() and run_dir / "models/a1/seed0" in folders.results(run_dir)
    status.mark_stale(run_dir, "params/demo", "corpus.csv")
    assert "rebuilt" not in capsys.readouterr().out
