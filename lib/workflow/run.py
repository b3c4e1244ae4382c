"""`make run`: `python -m lib.workflow.run EXPERIMENT CORPUS PARAMS PROFILE COMMAND ...`.

Take the experiment's lock, mark stale results, and run COMMAND.
"""

import contextlib
import datetime
import os
import shutil
import signal
import socket
import subprocess
import sys

from lib.errors import Held
from lib.experiment import folders
from lib.experiment.lock import RUN, take, write
from lib.experiment.processes import end_with_parent
from lib.workflow import request, status

NOT_BEGUN = 3  # exit status: the command was not started
BEAT = 60  # seconds between two signs of life
ROOM = 100 * 2**20  # bytes on the disk, under which nothing is begun


def run(name, corpus, params, profile, command):
    """Make sure of room, take the lock, mark what is stale, and run command; returns its exit status."""
    home = folders.Experiment(name, root=".").folder
    home.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(home).free < ROOM:
        raise OSError(f"{home}: under {ROOM // 2**20} MiB are left on its disk. Make room; nothing was begun.")
    facts = {"pid": os.getpid(), "host": socket.gethostname(), "corpus": corpus, "params": params}
    facts["profile"] = profile
    facts["since"] = datetime.datetime.now().isoformat(" ", "seconds")
    with take(home, facts) as file:
        status.mark_stale(home, params, corpus)
        signal.signal(signal.SIGINT, lambda *_: None)  # the command hears it too, and ends in order
        how = {"env": os.environ | {RUN: str(os.getpid())}, "pass_fds": [file.fileno()]}
        running = subprocess.Popen(command, preexec_fn=end_with_parent, **how)
        signal.signal(signal.SIGTERM, lambda number, _: running.send_signal(number))
        ended = None
        while ended is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                ended = running.wait(BEAT)
            os.utime(file.fileno())
        status.put_back(home)
        write(file, facts | {"ended": True})
    return ended


if __name__ == "__main__":
    name, corpus, params, profile, *command = sys.argv[1:]
    try:
        request.check(name, corpus, params, profile)
        sys.exit(run(name, corpus, params, profile, command))
    except (Held, OSError, ValueError) as error:
        print(f"\n{error}", file=sys.stderr)
        sys.exit(NOT_BEGUN)
