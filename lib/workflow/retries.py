"""A notebook that is tried again: `... LOG ATTEMPT` before, `... LOG` after.

A job that ran out of time, was preempted or killed is worth another attempt. One that ended by an error of its own is
not: it would come to the same end. LOG is the executed notebook, which the graph removes before an attempt.
"""

import sys
from pathlib import Path

from lib.experiment.files import read_json

AGAIN = 75  # exit status of a notebook that saved when its time was up: EX_TEMPFAIL of sysexits.h
FAILED = 1


def failure(log):
    """The name of the error that the executed notebook ended with, or None: it was killed."""
    try:
        cells = read_json(log)["cells"]
    except (OSError, ValueError):
        return None
    errors = [out["ename"] for cell in cells for out in cell.get("outputs", []) if out["output_type"] == "error"]
    return errors[-1] if errors else None


def before(log, attempt):
    """Exit status to end with at once, or 0: a later attempt of what failed by itself gets its notebook back."""
    kept = log.with_name(f".{log.name}.failed")
    if attempt == 1:
        kept.unlink(missing_ok=True)
    elif kept.exists():
        log.write_bytes(kept.read_bytes())
        print(f"{log} has failed before by an error of its own: not tried again")
        return FAILED
    return 0


def after(log):
    """Exit status of a notebook that did not end well: AGAIN if it saved as its time was up, else FAILED."""
    error = failure(log)
    if error == "CutOff":
        return AGAIN
    if error:
        kept = log.with_name(f".{log.name}.failed")
        kept.write_bytes(log.read_bytes())
    return FAILED


if __name__ == "__main__":
    log, *attempt = sys.argv[1:]
    sys.exit(before(Path(log), int(attempt[0])) if attempt else after(Path(log)))
