"""Claims about watching a training: what is told is what it has written, however torn, and it is left alone."""

import threading

import numpy as np
import pytest

from lib.experiment.files import write_json, write_table
from lib.experiment.folders import Experiment
from lib.training import callbacks, checkpoints, live_curve, trainer
from lib.training.loop import curve


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(live_curve, "EVERY", 0.05)
    return Experiment("study", tmp_path)


def look(run, step, perplexities, seed=0):
    """What a training leaves on the disk at a look: a checkpoint with its account so far, and its progress."""
    folder = run.folder / f"checkpoints/a1/seed{seed}"
    if not (folder / checkpoints.MADE_FROM).exists():
        write_json({"examples_per_step": 16}, folder / checkpoints.MADE_FROM)
    log = [{"step": 10 * i, "eval_perplexity": p, "eval_infill_loss": np.log(p)} for i, p in enumerate(perplexities)]
    write_json({"log_history": log}, folder / f"checkpoint-{step}/trainer_state.json")
    write_json({"step": step, "of": 40, "seconds_left": 90}, folder / "progress.json")
    return log


def end(run, log, seed=0):
    write_table(curve(log, 16, 640), run.model("a1", seed) / "curve.csv")
    write_json({}, run.model("a1", seed) / "train.json")


def test_before_the_first_look_there_is_nothing_to_tell(run):
    found, said, ended = live_curve.so_far(run, "a1", 0)
    assert found.empty and "nothing yet" in said and not ended


def test_the_curve_so_far_is_the_one_that_curve_csv_will_hold(run):
    log = look(run, 20, [1700.0, 80.0, 40.0])
    found, said, ended = live_curve.so_far(run, "a1", 0)
    assert "step 20 of 40" in said and "1.5 minutes" in said and not ended
    end(run, log)
    at_the_end, _, ended = live_curve.so_far(run, "a1", 0)
    assert ended and found.equals(at_the_end[found.columns])


def test_a_torn_checkpoint_is_passed_over_for_the_one_before(run):
    look(run, 20, [1700.0, 80.0, 40.0])
    torn = run.folder / "checkpoints/a1/seed0/checkpoint-30/trainer_state.json"
    torn.parent.mkdir()
    torn.write_text('{"log_history": [')
    assert len(live_curve.so_far(run, "a1", 0)[0]) == 3


def test_a_training_begun_anew_is_told_instead_of_the_model_it_will_replace(run):
    end(run, [{"step": 0, "eval_perplexity": 9.0}])
    look(run, 10, [1700.0, 80.0])
    found, _, ended = live_curve.so_far(run, "a1", 0)
    assert not ended and found["valid_perplexity"].tolist() == [1700.0, 80.0]


def test_headless_watching_prints_a_line_at_each_look_and_ends_with_the_training(run, capsys):
    log = look(run, 20, [1700.0, 80.0, 40.0])
    thread = threading.Thread(target=live_curve.follow, args=(run, "a1", [0]))
    thread.start()
    thread.join(0.5)
    assert thread.is_alive(), "it must wait for the training"
    end(run, log)
    thread.join(10)
    assert not thread.is_alive()
    lines = capsys.readouterr().out.splitlines()
    assert 1 <= len(lines) <= 2 and "40.0" in lines[0]


def test_in_a_notebook_with_somebody_before_it_the_curve_is_redrawn(run, monkeypatch):
    shown = []
    place = type("Place", (), {"update": lambda self, what, **_: shown.append(what)})()
    monkeypatch.setattr(live_curve, "attended", lambda: True)
    monkeypatch.setattr(live_curve, "_place", lambda model: place)
    with live_curve.watching(run, "a1", [0, 1]):
        look(run, 20, [1700.0, 80.0, 40.0])
    figure = shown[-1]
    assert [len(line.get_xdata()) for line in figure.axes[0].lines][-1] == 3


def test_nothing_is_watched_where_nobody_sits(run):
    before = threading.active_count()
    with live_curve.watching(run, "a1", [0]):
        assert threading.active_count() == before


def test_tensorboard_is_used_when_asked_for_and_said_to_be_missing(monkeypatch, tmp_path):
    monkeypatch.delenv(callbacks.TENSORBOARD, raising=False)
    assert callbacks.reporting("a1", 0) == []
    monkeypatch.setenv(callbacks.TENSORBOARD, str(tmp_path))
    monkeypatch.setattr(trainer.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install"):
        callbacks.reporting("a1", 0)
    monkeypatch.setattr(trainer.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")
    assert callbacks.reporting("a1", 1) == ["tensorboard"]
    assert trainer.os.environ["TENSORBOARD_LOGGING_DIR"] == str(tmp_path / "a1/seed1")
