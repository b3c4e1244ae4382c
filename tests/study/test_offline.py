"""Claims about tests/offline.py, by which notebooks are tested without network: nothing is reached, loopback is."""

import subprocess
import sys

import pytest

from tests.helpers import offline

TRY = """
import socket
with socket.create_server(("127.0.0.1", 0)) as own:
    socket.create_connection(own.getsockname(), timeout=5).close()
for host in [("192.0.2.1", 443), ("huggingface.co", 443)]:
    try:
        socket.create_connection(host, timeout=5)
        print("reached", host)
    except OSError as error:
        print("refused", type(error).__name__)
"""


@pytest.mark.skipif(not offline.prefix(), reason="this system allows no network namespace")
def test_a_command_without_network_reaches_itself_and_nobody_else():
    done = subprocess.run([*offline.prefix(), sys.executable, "-c", TRY], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["refused OSError", "refused gaierror"], done.stderr
    assert subprocess.run([*offline.prefix(), "false"]).returncode == 1
