"""Claims about what a user can mend: its message stands alone, and a mistake of ours with its traceback."""

import subprocess
import sys


def shown(code):
    """What IPython shows of a line of code."""
    words = [sys.executable, "-m", "IPython", "--quick", "--colors=nocolor", "-c", code]
    return subprocess.run(words, capture_output=True, text=True).stdout


def test_a_refusal_is_shown_as_its_message_alone():
    told = shown("from lib.experiment.folders import require_file; require_file('no.csv', '01_extract')")
    assert told.startswith("MissingResult: no.csv is not there yet") and "Traceback" not in told


def test_a_mistake_of_ours_is_shown_with_its_traceback():
    assert "Traceback" in shown("1 / 0")
