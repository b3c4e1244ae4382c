"""Claims about canary runs: each is trained once, and only its report is kept."""

import pytest

from lib.experiment.files import read_json
from lib.memorisation import canary_training
from tests.helpers.memorisation_limits import LIMITS


def test_a_canary_run_sees_each_text_as_often_as_its_model(found, facts):
    report = found["a1"]
    assert (report["texts"], report["planted"]) == (50, 48)
    assert report["examples_per_text"] == pytest.approx(facts["examples_seen"] / 50, rel=0.03)


def test_only_the_report_of_a_canary_run_is_kept(found, study):
    left = sorted(path.relative_to(study.folder).as_posix() for path in study.folder.rglob("*") if path.is_file())
    assert [name for name in left if not name.startswith("tokenizer/")] == [
        "memorisation/canaries/a1.json", "models/a1/seed0/clock.json"]  # fmt: skip
    assert read_json(study.folder / "memorisation/canaries/a1.json") == found["a1"]


def test_a_canary_run_is_trained_once_for_a_model(found, study, rows, facts, drawing, monkeypatch):
    monkeypatch.setattr(canary_training.loop, "train", lambda *_: pytest.fail("it was trained again"))
    arguments = study, {("a1", 0): facts}, rows, drawing
    assert canary_training.canary_runs(*arguments, LIMITS, plant=True) == found
    other = {("a1", 0): facts | {"fingerprint": "another"}}
    assert canary_training.canary_runs(study, other, rows, drawing, LIMITS, plant=False) == {}, (
        "it was the canary run of other weights"
    )
