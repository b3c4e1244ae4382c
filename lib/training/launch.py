"""Start one training as several processes with torchrun, and raise the error of the first that failed."""

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

# torchrun's variables; with them, the Trainer would distribute the training itself
TORCHRUN_VARIABLES = ["RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"]


def launch(function, n_processes, **arguments):
    """Call function(**arguments), a function of a module, in n processes and wait for them.

    Raises the first error that a process raised, and RuntimeError if one was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        torch.save((function, arguments), f"{folder}/task")
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n_processes}"]
        root = str(Path(__file__).resolve().parents[2])
        env = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
        command = [*torchrun, "-m", "lib.training.launch", folder]
        status = subprocess.run(command, env=env, preexec_fn=_before_torchrun).returncode
        if status:
            raise _first_error(Path(folder), status)


def _before_torchrun():
    end_with_parent()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # the training processes handle it; torchrun would end


def _first_error(folder, status):
    with contextlib.suppress(FileNotFoundError):
        return pickle.loads((folder / "error").read_bytes())
    return RuntimeError(
        f"a process of the training was killed (torchrun's exit status: {status}). The same command resumes it."
    )


def main(folder):
    """In each process: join the process group, select a device, and run the task."""
    end_with_parent()
    local_rank = int(os.environ["LOCAL_RANK"])
    if torch.cuda.is_available():
        devices = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(torch.cuda.device_count())))
        os.environ["CUDA_VISIBLE_DEVICES"] = devices.split(",")[local_rank]
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    for name in TORCHRUN_VARIABLES:
        del os.environ[name]
    try:
        function, arguments = torch.load(f"{folder}/task", weights_only=False)
        function(**arguments)
    except BaseException as error:
        with contextlib.suppress(FileExistsError), open(f"{folder}/error", "xb") as file:
            file.write(pickle.dumps(error))
        raise SystemExit(1) from None
    dist.destroy_process_group()


if __name__ == "__main__":  # torchrun starts each process this way
    main(sys.argv[1])
