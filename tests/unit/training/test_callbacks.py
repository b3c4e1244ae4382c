"""Claims about callbacks: the learning curve is drawn in interactive notebooks only, and progress is written."""

import importlib.util
import os
from types import SimpleNamespace

import pytest

from lib.experiment import parameters
from lib.experiment.files import read_json
from lib.training import callbacks


@pytest.fixture
def displayed(monkeypatch):
    """The figures that an interactive notebook would display, in order."""
    displayed = []
    handle = SimpleNamespace(update=displayed.append)

    def display(figure, display_id):
        displayed.append(figure)
        return handle

    monkeypatch.setattr(callbacks, "is_interactive", lambda: True)
    monkeypatch.setattr(callbacks, "display", display)
    return displayed


def train(perplexities):
    """Call the callback at each evaluation of a training, ten steps apart."""
    curve = callbacks.LearningCurve(parameters.load_file("params/demo/a1.yaml"), seed=1, label="a1, seed 1")
    log = []
    for i, perplexity in enumerate(perplexities):
        log += [{"step": 10 * i, "loss": 3.0}, {"step": 10 * i, "eval_perplexity": perplexity}]
        curve.on_evaluate(None, SimpleNamespace(log_history=log, global_step=10 * i, max_steps=40), None)


def test_the_curve_is_redrawn_in_an_interactive_notebook(displayed):
    train([1700.0, 80.0, 40.0])
    lines = [figure.axes[0].lines[-1] for figure in displayed]
    assert [len(line.get_xdata()) for line in lines] == [1, 2, 3]
    assert lines[-1].get_xdata().tolist() == [0, 160, 320]
    assert lines[-1].get_ydata().tolist() == pytest.approx([1700.0, 80.0, 40.0])


def test_nothing_is_drawn_outside_interactive_notebooks(displayed, monkeypatch):
    monkeypatch.setattr(callbacks, "is_interactive", lambda: False)
    train([1700.0, 80.0])
    assert displayed == []


def test_progress_says_step_time_left_and_last_perplexity(tmp_path, monkeypatch):
    monkeypatch.setattr(callbacks, "WRITTEN_SECONDS", -1)
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: 0.0)
    progress = callbacks.Progress(parameters.load_file("params/demo/a1.yaml"), "a1", tmp_path)
    state = SimpleNamespace(global_step=0, max_steps=150)
    progress.on_train_begin(None, state, None)
    state.global_step = 1
    progress.on_step_end(None, state, None)
    assert read_json(tmp_path / "progress.json") == {"step": 1, "of": 150, "seconds_left": 0}
    progress.on_evaluate(None, state, None, metrics={"eval_perplexity": 41.2})
    state.global_step = 2
    progress.on_step_end(None, state, None)
    progress.on_train_end()
    assert read_json(tmp_path / "progress.json") == {"step": 2, "of": 150, "seconds_left": 0, "perplexity": 41.2}


def test_tensorboard_is_used_if_requested_and_refused_if_missing(monkeypatch, tmp_path):
    monkeypatch.delenv(callbacks.TENSORBOARD, raising=False)
    assert callbacks.report_to("a1", 0) == []
    monkeypatch.setenv(callbacks.TENSORBOARD, str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install"):
        callbacks.report_to("a1", 0)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")
    assert callbacks.report_to("a1", 1) == ["tensorboard"]
    assert os.environ["TENSORBOARD_LOGGING_DIR"] == str(tmp_path / "a1/seed1")
