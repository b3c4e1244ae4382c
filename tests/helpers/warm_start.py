"""Processes that start warm, as those of `make run` do: forks of one server, which has imported torch already.

One server serves all tests. Where the system can refuse the network, its forks have none.
"""

import contextlib
import json
import os
import subprocess
import sys

from lib.workflow import fork_server
from tests.helpers import offline

NAMES = [fork_server.SERVER, "JUPYTER_PATH"]  # variables by which a process finds the server
PASSED_ON = "TESTS_WARM_START"  # the variable that passes these on to the workers of xdist, as JSON
TELL = f"import json, os, sys; print(json.dumps({{name: os.environ[name] for name in {NAMES}}}), flush=True)"
WAIT = "; sys.stdin.read()"


@contextlib.contextmanager
def server():
    """Serve until the block ends. Nothing is imported before the first fork."""
    if sys.platform != "linux":
        yield
        return
    command = [*offline.prefix(), sys.executable, "-m", "lib", "serve", sys.executable, "-c", TELL + WAIT]
    env = {name: value for name, value in os.environ.items() if name not in NAMES}
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as serving:
        os.environ[PASSED_ON] = serving.stdout.readline()
        yield
        del os.environ[PASSED_ON]
        serving.stdin.close()


def variables():
    """{name: value} for a process that is to start warm; empty where everything starts cold."""
    return json.loads(os.environ.get(PASSED_ON) or "{}")


def module(name, *arguments):
    """The command `python -m name arguments`; it starts warm where its environment has `variables`."""
    if variables():
        return [*fork_server.CLIENT, name, *arguments]
    return [sys.executable, "-m", name, *arguments]
