"""One training started as several processes by torchrun, and the error of the first that failed."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist

from lib.experiment.processes import end_with_parent

FOREIGN = ["RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"]  # torchrun's; the Trainer would share out by itself


def launch(target, n, **task):
    """Let n processes call target(**task), a function of a module, and wait for them.

    Raises what the first of them raised.
    """
    with tempfile.TemporaryDirectory() as place:
        torch.save((target, task), f"{place}/task")
        words = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n}"]
        root = str(Path(__file__).resolve().parents[2])
        env = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
        ended = subprocess.run([*words, "-m", "lib.training.launch", place], env=env, preexec_fn=_of_this)
        if ended.returncode:
            raise _error(Path(place), ended.returncode)


def _of_this():
    end_with_parent()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # the processes listen to it, torchrun itself does not


def _error(place, status):
    with contextlib.suppress(FileNotFoundError):
        return pickle.loads((place / "error").read_bytes())
    return RuntimeError(f"a process of the training was killed (torchrun's status: {status}); the same command goes on")


def main(place):
    """In each process: join the others, take a device, and do the task."""
    end_with_parent()
    local = int(os.environ["LOCAL_RANK"])
    if torch.cuda.is_available():
        names = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(torch.cuda.device_count())))
        os.environ["CUDA_VISIBLE_DEVICES"] = names.split(",")[local]
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    for name in FOREIGN:
        del os.environ[name]
    try:
        target, task = torch.load(f"{place}/task", weights_only=False)
        target(**task)
    except BaseException as error:
        with contextlib.suppress(FileExistsError), open(f"{place}/error", "xb") as file:
            file.write(pickle.dumps(error))
        raise SystemExit(1) from None
    dist.destroy_process_group()


if __name__ == "__main__":  # torchrun starts each process so
    main(sys.argv[1])
