"""Claims about what a run shows: a panel on a terminal, a line for each finished step elsewhere."""

import json
import os
import re
import time

import pytest
from rich.console import Console

from lib.experiment import parameters
from lib.experiment.files import write_json
from lib.workflow.progress import display

RUN = {"event": "run_info", "jobs": {"train": 14, "evaluate": 1, "total": 16, "all": 1}}
STARTED = {"event": "job_info", "id": 7, "rule": "train", "name": "03 train a1", "model": "a1"}


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """A display of runs/mine, where a1 is trained."""
    monkeypatch.setattr(display, "REDRAWN_SECONDS", 0)
    run_dir = tmp_path / "runs/mine"
    write_json({"valid_perplexity": 28.74}, run_dir / "models/a1/seed0/train.json")
    return display.Display(run_dir, parameters.load_profile("params/demo"))


def tell(shown, *events):
    for event in events:
        os.write(shown.write_end, json.dumps(event).encode() + b"\n")
    shown.update()


def test_elsewhere_a_finished_step_is_one_line(shown, capsys, monkeypatch):
    monkeypatch.setattr("lib.workflow.progress.jobs.Jobs.seconds_left", lambda _: (61, False))
    with shown:
        tell(shown, RUN, STARTED)
        assert capsys.readouterr().out == ""
        tell(shown, {"event": "job_finished", "id": 7})
    out = capsys.readouterr().out
    assert out == "03 train a1: done, 0 s, validation perplexity 28.7 (1 of 15 steps, more than 1 min 01 s left)\n"


def test_a_step_that_stopped_says_so(shown, capsys):
    with shown:
        tell(shown, RUN, STARTED, {"event": "job_error", "id": 7})
    assert capsys.readouterr().out == "03 train a1: stopped after 0 s\n"


def test_a_line_that_arrives_in_two_parts_is_one_event(shown, capsys):
    with shown:
        os.write(shown.write_end, json.dumps(RUN).encode() + b'\n{"event": "job_')
        shown.update()
        os.write(shown.write_end, b'started", "id": 7}\n')
        shown.update()
        assert shown.jobs.total == 15 and shown.unread == b""


def test_on_a_terminal_there_is_one_panel_with_step_and_perplexity(shown, capsys):
    shown.console = Console(force_terminal=True, width=250, height=40)
    facts = {"step": 30, "of": 150, "seconds_left": 69, "perplexity": 41.23}
    with shown:
        tell(shown, RUN, STARTED)
        write_json(facts, shown.run_dir / "checkpoints/a1/seed1/progress.json")
        capsys.readouterr()
        shown.drawn_at = -1
        shown.update()
        panel = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", capsys.readouterr().out)
    for words in ["mine: 0 of 15 steps", "03 train", "0 of 14", "03 train a1, seed 1", "step 30 of 150"]:
        assert words in panel
    assert "perplexity 41.2" in panel and "1 min 09 s left" in panel and display.LOG in panel


def test_a_run_goes_on_where_nobody_reads_it(shown, monkeypatch):
    def gone(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", gone)
    with shown:
        tell(shown, RUN, STARTED, {"event": "job_finished", "id": 7})
    assert shown.jobs.n_done("train") == 1


def test_durations_are_in_words():
    words = [display.format_seconds(seconds) for seconds in [0.4, 59.6, 125, 3600, 11400]]
    assert words == ["0 s", "1 min 00 s", "2 min 05 s", "1 h 00 min", "3 h 10 min"]


def test_the_panel_starts_no_thread(shown):
    import threading

    shown.console = Console(force_terminal=True, file=open(os.devnull, "w"))  # noqa: SIM115
    before = threading.active_count()
    with shown:
        time.sleep(0.05)
        assert threading.active_count() == before
