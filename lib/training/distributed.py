"""One training by several processes, each with a device of its own: `launch` starts them by torchrun.

Each takes its share of every step's examples. Loss weights are those of the whole step, so gradients add up to those
of one process; all then make the same change. The Trainer in each knows nothing of the others.
"""

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

from lib.experiment.lock import end_with_parent

FOREIGN = ["RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"]  # torchrun's; the Trainer would share out by itself


def number():
    """Which of the processes this one is, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def together(model, loss, ending):
    """Add up gradients (in place) and losses of all processes; ending: whether any has been told to end.

    Returns (loss, ending), the same for all. Called once a step by every process.
    """
    if not dist.is_initialized():
        return loss, ending
    waiting = [dist.all_reduce(p.grad, async_op=True) for p in model.parameters() if p.grad is not None]
    told = torch.tensor(float(ending))  # on the CPU, so that no GPU is waited for
    dist.all_reduce(told)
    dist.all_reduce(loss)
    for one in waiting:
        one.wait()
    return loss, bool(told)


def of_first(make):
    """What make() returns in the first process, in all of them."""
    if not dist.is_initialized():
        return make()
    found = [None if number() else make()]
    dist.broadcast_object_list(found)
    return found[0]


def launch(n, **task):
    """Let n processes call training.run(**task) and wait for them. Raises what the first of them raised."""
    with tempfile.TemporaryDirectory() as place:
        torch.save(task, f"{place}/task")
        words = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n}"]
        root = str(Path(__file__).resolve().parents[2])
        env = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
        ended = subprocess.run([*words, "-m", "lib.training.distributed", place], env=env, preexec_fn=_of_this)
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
    from lib.training import loop

    try:
        loop.run(**torch.load(f"{place}/task", weights_only=False))
    except BaseException as error:
        with contextlib.suppress(FileExistsError), open(f"{place}/error", "xb") as file:
            file.write(pickle.dumps(error))
        raise SystemExit(1) from None
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
