"""Every fault that the study must survive, one after the other, each in a real run: `make faults`.

Prints what was expected and what was seen. Each case gets a copy of one undisturbed tiny run (helpers/tiny_study.py),
breaks it or the run that continues it, and repairs it with the same command. Numbers or words as arguments choose
cases; without any, the outcomes are written to bench/records/faults.json.
"""

import json
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.record import facts
from tests.faults import (  # noqa: F401  # register their cases
    faults_of_edits,
    faults_of_input,
    faults_of_machine,
    faults_of_surroundings,
    faults_of_tampering,
)
from tests.faults.injected import CASES, undisturbed


def try_case(number, project, folder):
    """One case on a copy of project: what was seen. Raises AssertionError when it is not what was expected."""
    copy = shutil.copytree(project, folder / f"case {number}", symlinks=True)
    try:
        return CASES[number][2](copy)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def report_case(number, project, folder):
    """Try one case and print it; returns its line of the record."""
    fault, expected, _ = CASES[number]
    began = time.monotonic()
    try:
        as_expected, seen = True, try_case(number, project, folder)
    except Exception as error:  # in particular AssertionError
        as_expected, seen = False, f"FAILED: {type(error).__name__}: {error}"
    took = round(time.monotonic() - began, 1)
    print(f"{number:2} {fault}\n     expected: {expected}\n     seen:     {seen} ({took:.0f} s)", flush=True)
    return {"fault": fault, "expected": expected, "seen": seen, "as_expected": as_expected, "seconds": took}


def cpu_seconds():
    """User and system time of this process and of all that it started and that has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main():
    words = sys.argv[1:]
    began = time.monotonic()
    chosen = [n for n, case in enumerate(CASES) if not words or any(w == str(n) or w in case[0] for w in words)]
    with tempfile.TemporaryDirectory(prefix="faults") as folder:
        project = undisturbed(Path(folder))
        each = [report_case(number, project, Path(folder)) for number in chosen]
    good = sum(row["as_expected"] for row in each)
    took = {"seconds": round(time.monotonic() - began), "cpu_seconds": round(cpu_seconds())}
    print(f"{good} of {len(each)} as expected, in {took['seconds'] / 60:.1f} minutes ({took['cpu_seconds']} s of CPU)")
    if not words:
        record = facts() | took | {"faults": len(each), "as_expected": good, "each": each}
        text = json.dumps(record, indent=2, ensure_ascii=False)
        Path("bench/records/faults.json").write_text(text + "\n", encoding="utf-8")
    sys.exit(good < len(each))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
