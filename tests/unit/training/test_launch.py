"""Claims about a training in several processes: it ends as its processes do."""

import json
import os

import pytest

from lib.training.launch import launch


def test_the_error_of_a_process_is_raised_here():
    with pytest.raises(json.JSONDecodeError, match="Expecting property name"):
        launch(json.loads, 2, s="{")


def test_a_process_that_was_killed_is_said_to_be(monkeypatch):
    with pytest.raises(RuntimeError, match="a process of the training was killed"):
        launch(os.abort, 2)
