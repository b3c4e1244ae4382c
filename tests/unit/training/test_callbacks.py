"""Claims about what is told while a model trains: a curve where somebody sits before the notebook, else none."""

import importlib.util
import os
from types import SimpleNamespace

import pytest

from lib.experiment import parameters
from lib.training import callbacks


@pytest.fixture
def shown(monkeypatch):
    """What a notebook with somebody before it would show, one after the other."""
    shown = []
    place = SimpleNamespace(update=shown.append)

    def display(figure, display_id):
        shown.append(figure)
        return place

    monkeypatch.setattr(callbacks, "is_interactive", lambda: True)
    monkeypatch.setattr(callbacks, "display", display)
    return shown


def train(perplexities):
    """Let the callback see the looks of a training, one after the other, ten steps apart."""
    curve = callbacks.Curve(parameters.load_file("params/demo/a1.yaml"), seed=1, label="a1, seed 1")
    log = []
    for i, perplexity in enumerate(perplexities):
        log += [{"step": 10 * i, "loss": 3.0}, {"step": 10 * i, "eval_perplexity": perplexity}]
        curve.on_evaluate(None, SimpleNamespace(log_history=log, global_step=10 * i, max_steps=40), None)


def test_the_curve_is_redrawn_where_somebody_sits(shown):
    train([1700.0, 80.0, 40.0])
    lines = [figure.axes[0].lines[-1] for figure in shown]
    assert [len(line.get_xdata()) for line in lines] == [1, 2, 3]
    assert lines[-1].get_xdata().tolist() == [0, 160, 320]
    assert lines[-1].get_ydata().tolist() == pytest.approx([1700.0, 80.0, 40.0])


def test_nothing_is_drawn_where_nobody_sits(shown, monkeypatch):
    monkeypatch.setattr(callbacks, "is_interactive", lambda: False)
    train([1700.0, 80.0])
    assert shown == []


def test_tensorboard_is_used_when_asked_for_and_said_to_be_missing(monkeypatch, tmp_path):
    monkeypatch.delenv(callbacks.TENSORBOARD, raising=False)
    assert callbacks.reporting("a1", 0) == []
    monkeypatch.setenv(callbacks.TENSORBOARD, str(tmp_path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install"):
        callbacks.reporting("a1", 0)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")
    assert callbacks.reporting("a1", 1) == ["tensorboard"]
    assert os.environ["TENSORBOARD_LOGGING_DIR"] == str(tmp_path / "a1/seed1")
