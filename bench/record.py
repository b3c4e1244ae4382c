"""What every record says of its making."""

import datetime
import os
import platform
import subprocess
import sys


def facts():
    """Date, commit, command and machine kind; no name of a machine, no path."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    with open("/proc/meminfo", encoding="utf-8") as file:
        gib = int(file.readline().split()[1]) // 2**20
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit,
        "command": " ".join([".venv/bin/python", *sys.argv]),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {gib} GiB, Python {platform.python_version()}",
    }
