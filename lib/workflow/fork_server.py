"""Start Python modules without their imports: as forks of one process that has imported torch and transformers.

A kernel spends some seconds on imports before its first line, and a study starts three kernels for each model. `serve`
runs a command and answers the requests of its processes: `run_module` does what `python -m MODULE ...` does, in a fork
of the server, and so does Jupyter's kernel "python3". Without a server, or where forking is unsafe (anything but
Linux), both start in the usual way, with the same results.

A client is the process that called `run_module`. It waits for its fork, and has its exit status. A fork is killed when
its client or the server dies, so no part of a run goes on alone.
"""

import contextlib
import functools
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

from lib.experiment.processes import Ending, end_with_parent, kill_group

ROOT = Path(__file__).resolve().parents[2]

SERVER = "ILM_CEFR_WARM"  # environment variable: the path of the socket on which the server listens
PRELOADED = [  # besides all of lib
    "transformers.models.gpt2",
    "seaborn",
    "papermill.cli",
    "ipykernel.ipkernel",
]
POLL_SECONDS = 0.05
# A client as a command for any folder; a module and its arguments follow.
CLIENT = [sys.executable, "-c"]
CLIENT += [
    "import sys; sys.path[0] = sys.argv.pop(1); from lib.workflow import fork_server; fork_server.main()",
    str(ROOT),
]


def run_module(module, arguments):
    """Let the server run a module in a fork, and wait for it. Returns its exit status."""
    request = {"argv": [module, *arguments], "cwd": os.getcwd(), "env": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[SERVER])
        socket.send_fds(connection, [b"!"], [0, 1, 2])  # the fork reads and writes where this process does
        connection.sendall(json.dumps(request).encode() + b"\n")
        status = connection.recv(1)  # sent when the fork has ended; empty when the server has
    return status[0] if status else 1


def main():
    """Be a client, for the module and with the arguments of the command line."""
    launcher = os.environ.get("JPY_PARENT_PID")  # set by jupyter_client
    end_with_parent(int(launcher) if launcher else None)
    sys.exit(run_module(sys.argv[1], sys.argv[2:]))


def serve(command, env=None, heartbeat=lambda: None, forking=True, grace=60, **options):
    """Run command, a list, and answer the requests of its processes until it ends. Returns its exit status.

    env: more variables for the command. heartbeat: called again and again meanwhile. forking: False where there are to
    be no forks; there are none either where another server serves this process. grace: seconds. options: of Popen.

    On SIGINT, SIGTERM and SIGHUP the command is interrupted, and killed after `grace`: see `processes.Ending`.
    """
    with contextlib.ExitStack() as stack:
        variables = os.environ | (env or {})
        answer_requests = functools.partial(time.sleep, POLL_SECONDS)
        if forking and sys.platform == "linux" and SERVER not in os.environ:
            answer_requests = _listen(stack, variables)
        tied = functools.partial(end_with_parent, os.getpid())
        process = subprocess.Popen(command, env=variables, preexec_fn=tied, process_group=0, **options)
        stack.callback(kill_group, process.pid)
        ending = stack.enter_context(Ending(process, grace))
        while process.poll() is None:
            answer_requests()
            heartbeat()
    return ending.status(process.returncode)


def _listen(stack, variables):
    """Listen for requests until stack is closed, and tell clients so in variables, a dict. Returns a function that
    answers requests for a moment."""
    folder = stack.enter_context(_short_path_of_a_folder())
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(f"{folder}/socket")
    listener.listen()
    _write_kernel_spec(folder)
    kernels = os.pathsep.join(filter(None, [folder, os.environ.get("JUPYTER_PATH")]))
    variables |= {SERVER: f"{folder}/socket", "JUPYTER_PATH": kernels}
    forks = _Forks(listener)
    stack.callback(forks.kill)
    return forks.answer_requests


@contextlib.contextmanager
def _short_path_of_a_folder():
    """A new folder, by a path that is short and free of colons wherever TMPDIR is.

    A socket's path has at most 107 bytes, and JUPYTER_PATH is split at colons. So the folder is named by its open file.
    """
    with tempfile.TemporaryDirectory() as folder:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/{os.getpid()}/fd/{opened}"
        finally:
            os.close(opened)


def _write_kernel_spec(folder):
    """Describe the kernel "python3" that starts as a fork, in a folder for JUPYTER_PATH, which precedes the usual."""
    os.makedirs(f"{folder}/kernels/python3")
    quiet = "--IPKernelApp.log_level=ERROR"  # it warns of TCP without encryption, which stays on this machine
    argv = [*CLIENT, "ipykernel_launcher", "-f", "{connection_file}", quiet]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
    spec["interrupt_mode"] = "message"  # a signal would reach the client only
    with open(f"{folder}/kernels/python3/kernel.json", "w", encoding="utf-8") as file:
        json.dump(spec, file)


class _Forks:
    """The forks of this process, each with the connection to its client."""

    def __init__(self, listener):
        self.listener = listener
        self.clients = {}  # process id of a fork -> connection
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)

    def answer_requests(self):
        """Start what is requested, kill forks whose clients are gone, and send clients the status of ended forks."""
        for key, _ in self.selector.select(timeout=POLL_SECONDS):
            if key.fileobj is self.listener:
                self._start_fork()
            else:  # a client sends nothing after its request: its connection is closed
                self._kill_fork_of(key.fileobj)
        for pid in list(self.clients):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._send_status(self.clients.pop(pid), os.waitstatus_to_exitcode(status))

    def _start_fork(self):
        connection = self.listener.accept()[0]
        try:
            pid = _fork(connection)
        except (OSError, ValueError):  # the client died before its request was complete
            connection.close()
            return
        self.clients[pid] = connection
        self.selector.register(connection, selectors.EVENT_READ)

    def _kill_fork_of(self, connection):
        self.selector.unregister(connection)
        for pid, client in self.clients.items():
            if client is connection:
                kill_group(pid)

    def _send_status(self, connection, status):
        if connection in self.selector.get_map():
            self.selector.unregister(connection)
            with contextlib.suppress(OSError):  # the client died in this moment
                connection.send(bytes([status & 255]))
        connection.close()

    def kill(self):
        """Kill all forks and wait for their ends."""
        for pid in self.clients:
            kill_group(pid)
        for pid in self.clients:
            os.waitpid(pid, 0)


def _fork(connection):
    """Read a request and fork a child that answers it; returns the child's process id."""
    _preload()
    files = socket.recv_fds(connection, 1, 3)[1]
    try:
        request = json.loads(connection.makefile("rb").readline())
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            _run_and_exit(request, files, server)
    finally:
        for file in files:
            os.close(file)
    return pid


def _preload():
    """Import what forks need: all of lib too, so that all of a run is of one version."""
    modules = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in ROOT.glob("lib/**/[a-z]*.py")]
    for module in modules + PRELOADED:
        __import__(module)
    gc.freeze()  # memory that is shared stays shared


def _run_and_exit(request, files, server):
    """In the child: do what the request says and end, whatever happens."""
    status = 1
    try:
        os.setsid()  # leads a process group of its own, with which it is killed
        end_with_parent(server)
        status = _run_in_child(request, files)
    finally:
        os._exit(status)


def _run_in_child(request, files):
    """Run a module as `python -m` does, with the client's input, output, folder and variables."""
    import torch  # here, since a client imports this file too and must start at once

    for target, file in enumerate(files):
        os.dup2(file, target)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.chdir(request["cwd"])
    sys.path[0] = request["cwd"]
    os.environ.clear()
    os.environ.update(request["env"], JPY_PARENT_PID=str(os.getppid()))  # a kernel ends with its parent: the server
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    module, *sys.argv[1:] = request["argv"]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return _exit_status(end.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _exit_status(code):
    """What Python makes of the argument of sys.exit."""
    if isinstance(code, str):
        print(code, file=sys.stderr)
        return 1
    return 0 if code is None else int(code)
