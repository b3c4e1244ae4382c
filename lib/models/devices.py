"""The device that a process computes on, and what may be asked of it: one gate for all that compute."""

import functools
from typing import NamedTuple

import torch

from lib.errors import DeviceUnavailable

WIDEST_HEAD = 256  # numbers of a head that flash attention takes, in steps of 8
SHORT = (8, 0)  # the first compute capability that multiplies bfloat16 and has flash attention


class Gpu(NamedTuple):
    """A GPU as its driver names it."""

    name: str
    capability: tuple  # major, minor


class Wheel(NamedTuple):
    """The installed torch."""

    version: str
    cuda: str | None  # the CUDA it was built for
    kernels: list  # sm_80: for that architecture; compute_90: to be compiled for it and all later ones


class Device(NamedTuple):
    """Where to compute, and how."""

    kind: str  # cpu or cuda
    bfloat16: bool  # are matrices multiplied in it?
    flash: bool  # is attention over packed examples the GPU's own? else padded, in float32
    compiled: bool


CPU = Device("cpu", False, False, False)


def choose_precision(gpu, wheel):
    """The Device for a Gpu, or for none, with the installed Wheel. Raises DeviceUnavailable where torch cannot use
    it."""
    if gpu is None:
        return CPU
    if not runs_on(gpu.capability, wheel.kernels):
        raise DeviceUnavailable(
            f"{gpu.name} has compute capability {_dotted(gpu.capability)}, for which the installed torch "
            f"{wheel.version} has no kernels (it has: {', '.join(wheel.kernels)}). Install the same version built for "
            "an older CUDA: choose it on pytorch.org/get-started/previous-versions. Or compute without the GPU: "
            "CUDA_VISIBLE_DEVICES= before the command."
        )
    modern = gpu.capability >= SHORT
    return Device("cuda", bfloat16=modern, flash=modern, compiled=modern)


def runs_on(capability, kernels):
    """Is there code for a GPU of that compute capability, or code that can be compiled for it?"""
    for kernel in kernels:
        kind, _, number = kernel.rstrip("af").partition("_")
        major, minor = int(number[:-1]), int(number[-1])
        if kind == "sm" and major == capability[0] and minor <= capability[1]:
            return True
        if kind == "compute" and (major, minor) <= capability:
            return True
    return False


def check_profile(device, wheel, n_gpus, driver):
    """Raise DeviceUnavailable where a profile asks for a GPU that the installed torch cannot use.

    device: of profiles/<name>/machine.yaml; n_gpus: those torch sees; driver: whether the machine has NVIDIA's at all.
    """
    if device != "cuda" or (wheel.cuda and n_gpus):
        return
    if wheel.cuda is None:
        found = f"the installed torch {wheel.version} is built without CUDA"
        way = "install the same version built for CUDA: choose it on pytorch.org/get-started/locally"
    elif driver:
        found = f"the driver is too old for the installed torch {wheel.version}, which is built for CUDA {wheel.cuda}"
        way = "update the driver, or install the same version of torch built for an older CUDA"
    else:
        found = "no NVIDIA driver answers on this machine"
        way = "give the command on a machine that has one"
    raise DeviceUnavailable(
        f"The profile says device: cuda, but {found}. {way[0].upper()}{way[1:]}. Or take PROFILE=laptop."
    )


def takes_head(width):
    """Does flash attention take heads of that width?"""
    return width % 8 == 0 and width <= WIDEST_HEAD


def wheel():
    """The torch that is installed here."""
    return Wheel(torch.__version__, torch.version.cuda or torch.version.hip, torch.cuda.get_arch_list())


@functools.cache
def current_device():
    """The Device of this process: the first GPU that it may use, else the CPU, also on Apple's and Intel's GPUs."""
    if not torch.cuda.is_available():
        return CPU
    gpu = Gpu(torch.cuda.get_device_name(0), torch.cuda.get_device_capability(0))
    if torch.version.hip:
        raise DeviceUnavailable(
            f"{gpu.name} is an AMD GPU. This project was made for NVIDIA's and tried on no other: its attention over "
            "packed examples is not to be relied on there. Compute without it: HIP_VISIBLE_DEVICES= before the command."
        )
    return choose_precision(gpu, wheel())


def _dotted(capability):
    return ".".join(map(str, capability))
