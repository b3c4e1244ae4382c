"""One training on several devices with one process each; torchrun starts the processes (`launch`).

Each process computes its examples of each step. Loss weights are those of the whole step, so the gradients of all
processes add up to those of a single one, and all make the same update. The Trainer is not aware of the others.
"""

import torch
import torch.distributed as dist


def rank():
    """The number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def all_reduce_step(model, loss, stop_requested):
    """Add up gradients (in place) and losses of all processes. Every process calls this once a step.

    stop_requested: has this process received a signal to stop? Returns (loss of the step, stop_requested in any
    process), the same in all processes.
    """
    if not dist.is_initialized():
        return loss, stop_requested
    pending = [dist.all_reduce(p.grad, async_op=True) for p in model.parameters() if p.grad is not None]
    n_requests = torch.tensor(float(stop_requested))  # on the CPU, so that no GPU has to be waited for
    dist.all_reduce(n_requests)
    dist.all_reduce(loss)
    for work in pending:
        work.wait()
    return loss, bool(n_requests)


def broadcast_from_rank0(compute):
    """What compute() returns in process 0, in all processes."""
    if not dist.is_initialized():
        return compute()
    result = [None if rank() else compute()]
    dist.broadcast_object_list(result)
    return result[0]
