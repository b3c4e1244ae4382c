"""Start Python modules warm: as forks of one process that has imported torch and transformers already.

A kernel pays some seconds of imports before its first line, and a study starts three for each model. So
`python -m lib.workflow.fork_server serve COMMAND ...` runs COMMAND and serves it: `fork_server.py MODULE ...`
then does what `python -m MODULE ...` does, in a fork of the server, and so does Jupyter's kernel "python3". Without a
server, or where forking is not safe (anything but Linux), both start cold: the same results, later.
"""

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
from pathlib import Path

SERVER = "ILM_CEFR_WARM"  # environment variable: the socket on which the server listens
ROOT = Path(__file__).resolve().parents[2]
# all of lib, so that all of a run is of one version
OWN = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in ROOT.glob("lib/**/[a-z]*.py")]
THEIRS = ["transformers.models.gpt2", "seaborn", "statsmodels.stats.multitest", "papermill.cli", "ipykernel.ipkernel"]


def start(module, arguments):
    """Run a module: ask the server for a fork and stand in for it, or else become it. Returns its exit status."""
    if SERVER not in os.environ:
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
    wish = {"argv": [module, *arguments], "cwd": os.getcwd(), "env": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.environ[SERVER])
        socket.send_fds(server, [b"!"], [0, 1, 2])  # the fork reads and writes where this process does
        server.sendall(json.dumps(wish).encode() + b"\n")
        status = server.recv(1)  # when it has ended; the server ends it when this process does
    return status[0] if status else 1


def serve(command):
    """Run command, a list, and until it ends fork what `start` asks for. Returns the command's exit status.

    Where a server serves this process already, that one goes on serving.
    """
    from lib.experiment.processes import end_with_parent

    if SERVER in os.environ:
        os.execvp(command[0], command)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{folder}/socket")
        door.listen()
        path = os.pathsep.join(filter(None, [_kernel(folder), os.environ.get("JUPYTER_PATH")]))
        env = os.environ | {SERVER: f"{folder}/socket", "JUPYTER_PATH": path}
        running = subprocess.Popen(command, env=env, preexec_fn=end_with_parent)
        for number in [signal.SIGINT, signal.SIGTERM]:  # the command decides what to do about them
            signal.signal(number, lambda number, _: running.send_signal(number))
        _attend(door, running)
        return running.returncode


def _kernel(folder):
    """Describe a warm kernel "python3" to Jupyter, in a folder for JUPYTER_PATH, which goes before the usual one."""
    os.makedirs(f"{folder}/kernels/python3")
    quiet = "--IPKernelApp.log_level=ERROR"  # it warns of plain TCP, which here stays on this machine
    spec = {
        "argv": [sys.executable, os.path.abspath(__file__), "ipykernel_launcher", "-f", "{connection_file}", quiet],
        "display_name": "Python 3",
        "language": "python",
        "interrupt_mode": "message",  # a signal would reach the stand-in only
    }
    with open(f"{folder}/kernels/python3/kernel.json", "w", encoding="utf-8") as file:
        json.dump(spec, file)
    return folder


def _attend(door, running):
    watched, forks = selectors.DefaultSelector(), {}
    watched.register(door, selectors.EVENT_READ)
    while running.poll() is None:
        for key, _ in watched.select(timeout=0.05):
            if key.fileobj is door:
                asker = door.accept()[0]
                forks[_fork(asker)] = asker
                watched.register(asker, selectors.EVENT_READ)
            else:  # who asked is gone, so what was asked for goes too
                _end(next(pid for pid, asker in forks.items() if asker is key.fileobj))
                watched.unregister(key.fileobj)
        for pid, asker in list(forks.items()):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                if asker in watched.get_map():
                    watched.unregister(asker)
                    asker.send(bytes([os.waitstatus_to_exitcode(status) & 255]))
                asker.close()
                del forks[pid]
    for pid in forks:
        _end(pid)


def _end(pid):
    os.kill(pid, signal.SIGKILL)


def _fork(asker):
    """The process id of a fork that runs what is asked for."""
    for module in OWN + THEIRS:
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
        status = _become(wish, fds)
    finally:
        os._exit(status)


def _become(wish, fds):
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


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    what, *rest = sys.argv[1:]
    if what != "serve":
        sys.exit(start(what, rest))
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # no threads before a fork
    sys.exit(serve(rest) if sys.platform == "linux" else subprocess.call(rest))
