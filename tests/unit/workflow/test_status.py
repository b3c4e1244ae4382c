"""Claims about `make status`: what is done, stale, stopped and how far, while a run goes on and without one."""

import json
import shutil
import socket
from pathlib import Path

import pytest

from lib.experiment import code_hashes, lock, manifest, parameters
from lib.experiment.files import write_json
from lib.workflow import status

ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(run, monkeypatch):
    """runs/study as seen from here, with the parameters it was made with."""
    monkeypatch.chdir(run.root)
    shutil.copytree(ROOT / "params/demo", run.root / "params/demo")
    (run.folder / ".lock").write_text(json.dumps({"corpus": "corpus.csv", "params": "params/demo", "ended": True}))
    return Path("runs/study")


def shown(capsys):
    status.show("study")
    return capsys.readouterr().out


def test_what_is_done_is_told_from_what_is_not(home, capsys):
    lines = shown(capsys).splitlines()
    assert "study: not running" in lines and "  02_mask        done" in lines and "  06_compare     -" in lines
    assert next(line for line in lines if "a1, 0" in line).split() == ["a1,", "0", "done", "-", "-"]
    assert lines[-1] == "To go on: make run EXPERIMENT=study CORPUS=corpus.csv PARAMS=params/demo"


def test_what_is_stale_is_named_with_its_reason(home, capsys):
    (home / "masks/report.json").write_text("{}")
    out = shown(capsys)
    assert "stale: runs/study/masks: report.json was changed or damaged" in out
    assert "stale: runs/study/models/a1/seed0: made from another masks/report.json" in out


def test_a_training_tells_its_step_and_the_time_left_while_it_goes_on(home, capsys):
    facts = {"pid": 1, "host": socket.gethostname(), "since": "12:00", "corpus": "corpus.csv", "params": "params/demo"}
    write_json({"step": 30, "of": 250, "seconds_left": 600}, home / "checkpoints/a2/seed0/progress.json")
    (home / ".lock").write_text(json.dumps(facts | {"ended": True}))
    with lock.acquire(home, facts):
        out = shown(capsys)
    assert "study: running since 12:00" in out and "step 30 of 250, 10 min left" in out and "To go on" not in out
    assert "step 30 of 250, stopped" in shown(capsys)


def notebook(home, *cells):
    content = [{"cell_type": "code", "execution_count": n, "outputs": outputs} for n, outputs in cells]
    write_json({"cells": content}, home / "notebooks/03_train.a2.ipynb")


def test_a_stopped_notebook_is_named_and_its_message_made_harmless(home, capsys):
    said = "row 7: <script>\x1b[2J\x07 {{config}}"
    notebook(home, (1, []), (2, [{"output_type": "error", "ename": "CorpusError", "evalue": said}]), (None, []))
    out = shown(capsys)
    assert "stopped: runs/study/notebooks/03_train.a2.ipynb, cell 2" in out
    assert "CorpusError: row 7: <script>\\x1b[2J\\x07 {{config}}" in out and "\x1b" not in out


def test_a_dead_kernel_is_told_though_its_notebook_holds_no_error(home, capsys):
    notebook(home, (1, []), (2, []), (None, []))
    assert "cell 2\n  It ended without a message: killed" in shown(capsys)
    (home / "notebooks/03_train.a2.ipynb").write_text('{"cells": [')  # killed while it was written
    assert "03_train.a2.ipynb, cell 0" in shown(capsys)


def test_older_code_is_reported_and_made_again_on_demand_only(home, run, capsys):
    cells = [{"cell_type": "code", "metadata": {}, "source": ["x = 3"]}]
    write_json({"cells": cells}, run.root / "notebooks/03_train.ipynb")
    code_hashes.notebook_hashes.cache_clear()
    assert "1 results are of older code" in shown(capsys)
    status.mark_stale(home, "params/demo", "corpus.csv")
    assert (home / "models/a1/seed0/manifest.json").exists()
    status.renew("study")
    assert not (home / "models/a1/seed0/manifest.json").exists() and (home / "masks/manifest.json").exists()


def test_what_must_be_made_again_stands_until_then_but_looks_older(home, capsys):
    rest = home / "masks/.index.7.tmp.parquet"
    rest.write_text("half")
    (home / "masks/report.json").write_text("{}")
    status.mark_stale(home, "params/demo", "corpus.csv")
    times = {path.parent.relative_to(home).as_posix(): path.stat().st_mtime for path in home.rglob("manifest.json")}
    assert {name for name, when in times.items() if when == 1} == {"masks", "models/a1/seed0"} and not rest.exists()
    assert "masks is rebuilt: report.json was changed or damaged" in capsys.readouterr().out


def test_a_comparison_of_other_models_than_are_asked_for_is_stale(home):
    asked = parameters.load_profile("params/demo")
    models = {name for name, one in asked.items() if isinstance(one, parameters.Train)}
    (home / "compare").mkdir()

    def found(names):
        inputs = {f"models/{name}/seed0/train.json": None for name in names}
        content = {"made_by": "06_compare", "parameters": asked["hypotheses"].model_dump(), "inputs": inputs}
        content |= {"place": manifest.place(home / "compare", home), "code": {}, "files": {}}
        write_json(content, home / "compare/manifest.json")
        said = status.stale(home, asked, "corpus.csv")[home / "compare"]
        return [why for why in said if not why.startswith("made from another models/")]

    assert found(models) == [] and found(models - {"c1"}) == ["made with or without c1"]
    assert found(models | {"old"}) == ["made with or without old"]
