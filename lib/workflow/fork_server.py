"""Start Python modules warm: as forks of one process that has imported torch and transformers already.

A kernel pays some seconds of imports before its first line, and a study starts three for each model. So `serve` runs a
command and serves it: `start` then does what `python -m MODULE ...` does, in a fork of the server, and so does
Jupyter's kernel "python3". Without a server, or where forking is not safe (anything but Linux), both start cold:
the same results, later.
"""

import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVER = "ILM_CEFR_WARM"  # environment variable: the socket on which the server listens
ROOT = Path(__file__).resolve().parents[2]
CLIENT_VARIABLES = [
    "transformers.models.gpt2",
    "seaborn",
    "statsmodels.stats.multitest",
    "papermill.cli",
    "ipykernel.ipkernel",
]
TURN = 0.05  # seconds between two looks at what runs


def start(module, arguments):
    """Ask the server for a fork that runs a module, and stand in for it. Returns its exit status."""
    wish = {"argv": [module, *arguments], "cwd": os.getcwd(), "env": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.environ[SERVER])
        socket.send_fds(server, [b"!"], [0, 1, 2])  # the fork reads and writes where this process does
        server.sendall(json.dumps(wish).encode() + b"\n")
        status = server.recv(1)  # when it has ended; the server ends it when this process does
    return status[0] if status else 1


def serve(command, env=None, beat=lambda: None, warm=True):
    """Run command, a list, and until it ends fork what `start` asks for. Returns the command's exit status.

    env: more variables for the command; beat: called again and again meanwhile. Nothing is forked unless warm, nor
    where a server serves this process already: that one goes on serving.
    """
    from lib.experiment.processes import end_with_parent

    with contextlib.ExitStack() as opened:
        variables, attend = os.environ | (env or {}), lambda: time.sleep(TURN)
        if warm and sys.platform == "linux" and SERVER not in os.environ:
            folder = opened.enter_context(tempfile.TemporaryDirectory())
            door = opened.enter_context(socket.socket(socket.AF_UNIX))
            door.bind(f"{folder}/socket")
            door.listen()
            path = os.pathsep.join(filter(None, [_kernel(folder), os.environ.get("JUPYTER_PATH")]))
            variables |= {SERVER: f"{folder}/socket", "JUPYTER_PATH": path}
            forks = _Forks(door)
            opened.callback(forks.end)
            attend = forks.attend
        running = subprocess.Popen(command, env=variables, preexec_fn=end_with_parent)
        for number in [signal.SIGINT, signal.SIGTERM]:  # the command decides what to do about them
            signal.signal(number, lambda number, _: running.send_signal(number))
        while running.poll() is None:
            attend()
            beat()
        return running.returncode


def _kernel(folder):
    """Describe a warm kernel "python3" to Jupyter, in a folder for JUPYTER_PATH, which goes before the usual one."""
    os.makedirs(f"{folder}/kernels/python3")
    quiet = "--IPKernelApp.log_level=ERROR"  # it warns of plain TCP, which here stays on this machine
    words = [sys.executable, os.path.abspath(__file__), "ipykernel_launcher", "-f", "{connection_file}", quiet]
    spec = {"argv": words, "display_name": "Python 3", "language": "python"}
    spec["interrupt_mode"] = "message"  # a signal would reach the stand-in only
    with open(f"{folder}/kernels/python3/kernel.json", "w", encoding="utf-8") as file:
        json.dump(spec, file)
    return folder


class _Forks:
    """The forks of this process, and who asked for them through a door, a socket that listens."""

    def __init__(self, door):
        self.door, self.askers = door, {}  # process id -> the connection of who asked
        self.watched = selectors.DefaultSelector()
        self.watched.register(door, selectors.EVENT_READ)

    def attend(self):
        """One turn: begin what is asked for, end what nobody waits for any more, tell who waits what has ended."""
        for key, _ in self.watched.select(timeout=TURN):
            if key.fileobj is self.door:
                self._begin()
            else:  # who asked is gone, so what was asked for goes too
                os.kill(next(pid for pid, asker in self.askers.items() if asker is key.fileobj), signal.SIGKILL)
                self.watched.unregister(key.fileobj)
        for pid in list(self.askers):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                self._tell(self.askers.pop(pid), os.waitstatus_to_exitcode(status))

    def _begin(self):
        asker = self.door.accept()[0]
        self.askers[_fork(asker)] = asker
        self.watched.register(asker, selectors.EVENT_READ)

    def _tell(self, asker, status):
        if asker in self.watched.get_map():
            self.watched.unregister(asker)
            asker.send(bytes([status & 255]))
        asker.close()

    def end(self):
        for pid in self.askers:
            os.kill(pid, signal.SIGKILL)


def _fork(asker):
    """The process id of a fork that runs what is asked for."""
    own = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in ROOT.glob("lib/**/[a-z]*.py")]
    for module in own + CLIENT_VARIABLES:  # all of lib, so that all of a run is of one version
        __import__(module)
    gc.freeze()  # what is shared stays shared
    fds = socket.recv_fds(asker, 1, 3)[1]
    wish = json.loads(asker.makefile("rb").readline())
    pid = os.fork()
    for fd in fds if pid else []:
        os.close(fd)
    if pid:
        return pid
    status = 1
    try:
        status = _run_in_child(wish, fds)
    finally:
        os._exit(status)


def _run_in_child(wish, fds):
    import torch  # here, since who asks imports this module too and must start at once

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
    os.chdir(wish["cwd"])
    sys.path[0] = wish["cwd"]  # as `python -m` has it
    os.environ.clear()
    os.environ.update(wish["env"], JPY_PARENT_PID=str(os.getppid()))  # a kernel ends with its parent: the server
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    module, *sys.argv[1:] = wish["argv"]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":  # by path, since Jupyter starts a kernel so, in any folder, and it is to start at once
    sys.exit(start(sys.argv[1], sys.argv[2:]))
