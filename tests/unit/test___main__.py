"""Claims about `python -m lib`: it answers at once, every command is there, and a mistake is said in words."""

import importlib
import inspect
import subprocess
import sys

import pytest

from lib.__main__ import ARGUMENTS, COMMANDS, main

SLOW = {"torch", "numpy", "pandas", "pydantic"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_names_a_function_that_takes_what_it_is_given(name, capsys):
    _, where, arguments = COMMANDS[name]
    module, function = where.rsplit(".", 1)
    given = [ARGUMENTS.get(one, {}).get("dest", one.lstrip("-")) for one in arguments]
    inspect.signature(getattr(importlib.import_module(f"lib.{module}"), function)).bind(**dict.fromkeys(given))
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0 and COMMANDS[name][0][:20] in capsys.readouterr().out


def test_neither_help_nor_the_start_of_a_job_imports_what_is_slow():
    code = "import sys; from lib.__main__ import parser; import lib.workflow.job; parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert SLOW & set(loaded) == set()


def test_a_mistake_ends_with_status_2_and_its_message_alone(capsys):
    assert main(["known-answer-corpus", "hidden_levles", "x.csv"]) == 2
    assert capsys.readouterr().err.startswith("There is no corpus 'hidden_levles'. There are: identical_levels, ")


def test_after_ctrl_c_there_is_no_traceback(capsys, monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lib.corpus.report.inspection.show", interrupted)
    assert main(["inspect", "--corpus", "x.csv"]) == 130
    assert capsys.readouterr().err == "\nStopped by you.\n"
