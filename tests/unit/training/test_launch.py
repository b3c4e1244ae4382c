"""Claims about a training in several processes: their errors are raised in the process that started them."""

import json
import os

import pytest

from lib.training.launch import launch


def test_the_error_of_a_process_is_raised_again():
    with pytest.raises(json.JSONDecodeError, match="Expecting property name"):
        launch(json.loads, 2, s="{")


def test_a_killed_process_is_reported(monkeypatch):
    with pytest.raises(RuntimeError, match="a process of the training was killed"):
        launch(os.abort, 2)
