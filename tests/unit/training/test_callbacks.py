"""Claims about what is told while a model trains."""

import pytest

from lib.training import callbacks


def test_tensorboard_is_used_when_asked_for_and_said_to_be_missing(monkeypatch, tmp_path):
    monkeypatch.delenv(callbacks.TENSORBOARD, raising=False)
    assert callbacks.reporting("a1", 0) == []
    monkeypatch.setenv(callbacks.TENSORBOARD, str(tmp_path))
    monkeypatch.setattr(callbacks.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install"):
        callbacks.reporting("a1", 0)
    monkeypatch.setattr(callbacks.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")
    assert callbacks.reporting("a1", 1) == ["tensorboard"]
    assert callbacks.os.environ["TENSORBOARD_LOGGING_DIR"] == str(tmp_path / "a1/seed1")
