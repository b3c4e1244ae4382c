"""What every record says of its making."""

import datetime
import sys

from lib.experiment import folders


def facts():
    """Date, commit, command and machine kind; no name of a machine, no path."""
    with open("/proc/meminfo", encoding="utf-8") as file:
        gib = int(file.readline().split()[1]) // 2**20
    return {
        "date": datetime.date.today().isoformat(),
        "commit": folders.commit(),
        "command": " ".join([".venv/bin/python", *sys.argv]),
        "machine": f"{folders.machine_description()}, {gib} GiB",
    }
