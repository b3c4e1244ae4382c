"""Claims about errors that a user can fix: only the message is shown; other errors have their traceback."""

import subprocess
import sys


def shown(code):
    """What IPython shows of a line of code."""
    words = [sys.executable, "-m", "IPython", "--quick", "--colors=nocolor", "-c", code]
    return subprocess.run(words, capture_output=True, text=True).stdout


def test_an_error_of_the_user_is_shown_as_its_message_alone():
    shown_text = shown("from lib.experiment.folders import require_file; require_file('no.csv', '01_extract')")
    assert shown_text.startswith("MissingResult: no.csv does not exist yet") and "Traceback" not in shown_text


def test_another_error_is_shown_with_its_traceback():
    assert "Traceback" in shown("1 / 0")
