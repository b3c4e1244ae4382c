"""One training by several processes, each with a device of its own: `launch` starts them by torchrun.

Each takes its share of every step's examples. Loss weights are those of the whole step, so gradients add up to those
of one process; all then make the same change. The Trainer in each knows nothing of the others.
"""

import torch
import torch.distributed as dist


def rank():
    """Which of the processes this one is, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def all_reduce_step(model, loss, ending):
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


def broadcast_from_rank0(make):
    """What make() returns in the first process, in all of them."""
    if not dist.is_initialized():
        return make()
    found = [None if rank() else make()]
    dist.broadcast_object_list(found)
    return found[0]
