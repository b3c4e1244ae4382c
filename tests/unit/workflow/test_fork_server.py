"""Claims about the fork server: a fork does what `python -m` does, and ends with its client and with the server."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib.workflow import fork_server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")
EXIT_STATUS = {"exit(3)": 3, "exit('a message')": 1, "exit()": 0, "1 / 0": 1, "pass": 0}
WAITS = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


def start_server(**variables):
    """(server, environment of a command that it serves)"""
    command = [sys.executable, "-m", "lib", "serve", sys.executable, "-c"]
    code = "import os, sys; print(os.environ['ILM_CEFR_WARM'], flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    server = subprocess.Popen([*command, code], env=os.environ | variables, **pipes)
    env = {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"}
    return server, env | {"ILM_CEFR_WARM": server.stdout.readline().strip()}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The environment of a command that is served, by a server whose TMPDIR is long and has colons."""
    folder = tmp_path_factory.mktemp("a:b") / ("long" * 50)
    folder.mkdir()
    server, env = start_server(TMPDIR=str(folder))
    with server:
        yield env
        server.stdin.close()
    assert not list(folder.rglob("kernel.json")), "its own folder is removed"


@pytest.mark.parametrize("line", EXIT_STATUS)
def test_a_fork_ends_as_a_cold_start_ends(line, server, tmp_path):
    (tmp_path / "said.py").write_text(line)
    forked = subprocess.run([*fork_server.CLIENT, "said"], cwd=tmp_path, env=server, text=True, stderr=subprocess.PIPE)
    usual = subprocess.run([sys.executable, "-m", "said"], cwd=tmp_path, text=True, stderr=subprocess.PIPE)
    assert [forked.returncode, usual.returncode] == [EXIT_STATUS[line]] * 2
    assert forked.stderr.splitlines()[-1:] == usual.stderr.splitlines()[-1:]  # a message, or the end of a traceback


def test_a_fork_has_folder_variables_and_output_of_its_client(server, tmp_path):
    (tmp_path / "said.py").write_text("import os, sys; print(os.getcwd(), os.environ['WHO'], 'torch' in sys.modules)")
    options = {"cwd": tmp_path, "env": server | {"WHO": "linguist"}, "stdout": subprocess.PIPE, "text": True}
    shown = subprocess.run([*fork_server.CLIENT, "said"], **options).stdout
    assert shown == f"{tmp_path} linguist True\n"


def waiting_fork(folder, env):
    """(client, process id of its fork)"""
    (folder / "waits.py").write_text(WAITS)
    options = {"cwd": folder, "env": env, "stdout": subprocess.PIPE, "text": True}
    client = subprocess.Popen([*fork_server.CLIENT, "waits"], **options)
    return client, int(client.stdout.readline())


def ends_within(pid, seconds=5):
    until = time.monotonic() + seconds
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < until:
        time.sleep(0.05)
    return not os.path.exists(f"/proc/{pid}")


def test_a_fork_ends_when_its_client_is_killed(server, tmp_path):
    client, fork = waiting_fork(tmp_path, server)
    with client:
        client.kill()
    assert ends_within(fork)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_forks_clients_and_command_end_with_the_server(number, tmp_path):
    server, env = start_server()
    client, fork = waiting_fork(tmp_path, env)
    with server, client:
        (command,) = [int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
                      if int(pid) != fork]  # fmt: skip
        server.send_signal(number)
        assert ends_within(fork) and ends_within(command)
        assert client.wait(5) == 1 and server.wait(5) == (-9 if number == signal.SIGKILL else 128 + number)


def test_a_client_that_dies_early_ends_no_server(server, tmp_path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(server["ILM_CEFR_WARM"])
        socket.send_fds(connection, [b"!"], [0, 1, 2])
        connection.sendall(b"{")
    (tmp_path / "said.py").write_text("exit(3)")
    assert subprocess.run([*fork_server.CLIENT, "said"], cwd=tmp_path, env=server).returncode == 3
