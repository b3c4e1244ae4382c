"""The device that a process computes on, and the precision and kernels that it supports."""

import functools
import os
import shutil
from typing import NamedTuple

import torch

from lib.errors import DeviceUnavailable

DRIVER = "/proc/driver/nvidia"  # exists where an NVIDIA driver is loaded
MAX_HEAD_DIM = 256  # of flash attention, in steps of 8
BFLOAT16_CAPABILITY = (8, 0)  # the first compute capability with bfloat16 matrix products and flash attention
BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")  # of Intel's and AMD's processors, and of ARM's


class Gpu(NamedTuple):
    """A GPU, as its driver describes it."""

    name: str
    capability: tuple  # major, minor


class Wheel(NamedTuple):
    """The installed torch wheel."""

    version: str
    cuda: str | None  # the CUDA version that it was built for
    kernels: list  # sm_80: binary for that architecture; compute_90: compiled at start for it and later ones


class Device(NamedTuple):
    """A kind of device, and what is used on it."""

    kind: str  # cpu or cuda
    bfloat16: bool  # are matrix products of training computed in bfloat16?
    flash: bool  # is packed attention computed by flash attention? Otherwise padded, in float32
    compiled: bool  # is the loss compiled by torch.compile?

    @property
    def precision(self):
        """Of matrix products in training: "bfloat16" or "float32". Evaluation is in float32 always."""
        return "bfloat16" if self.bfloat16 else "float32"


CPU = Device("cpu", False, False, False)


def choose_precision(gpu, wheel):
    """The Device for a Gpu, or for None, with the installed Wheel.

    Raises DeviceUnavailable if that torch has no kernels for the GPU.
    """
    if gpu is None:
        return CPU
    if not has_kernels_for(gpu.capability, wheel.kernels):
        raise DeviceUnavailable(
            f"{gpu.name} has compute capability {_dotted(gpu.capability)}, for which the installed torch "
            f"{wheel.version} has no kernels (it has: {', '.join(wheel.kernels)}). Install the same version built for "
            "an older CUDA: choose it on pytorch.org/get-started/previous-versions. Or compute without the GPU: "
            "CUDA_VISIBLE_DEVICES= before the command."
        )
    supported = gpu.capability >= BFLOAT16_CAPABILITY
    return Device("cuda", bfloat16=supported, flash=supported, compiled=supported)


def has_kernels_for(capability, kernels):
    """Do the kernels run on a GPU of that compute capability, or can they be compiled for it?"""
    for kernel in kernels:
        kind, _, number = kernel.rstrip("af").partition("_")
        major, minor = int(number[:-1]), int(number[-1])
        if kind == "sm" and major == capability[0] and minor <= capability[1]:
            return True
        if kind == "compute" and (major, minor) <= capability:
            return True
    return False


def check_machine(device):
    """Raise DeviceUnavailable if a profile requires GPUs and one that is visible here cannot be used.

    device: of profiles/<name>/machine.yaml. Asking initialises CUDA, after which no process may be forked.
    """
    if device != "cuda":
        return
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    driver = os.path.exists(DRIVER) or shutil.which("nvidia-smi") is not None
    check_profile(device, wheel(), n_gpus, driver, os.environ.get("CUDA_VISIBLE_DEVICES"))
    for number in range(n_gpus):
        _check_gpu(number)


def check_profile(device, wheel, n_gpus, driver, visible=None):
    """Raise DeviceUnavailable if a profile requires a GPU that the installed torch cannot use.

    device: of profiles/<name>/machine.yaml; n_gpus: GPUs visible to torch; driver: is an NVIDIA driver installed?
    visible: CUDA_VISIBLE_DEVICES.
    """
    if device != "cuda" or (wheel.cuda and n_gpus):
        return
    if visible in ("", "-1"):
        found = f"CUDA_VISIBLE_DEVICES={visible} hides all GPUs"
        remedy = "run the command without this variable"
    elif wheel.cuda is None:
        found = f"the installed torch {wheel.version} is built without CUDA"
        remedy = "install the same version built for CUDA: choose it on pytorch.org/get-started/locally"
    elif driver:
        found = f"the driver is too old for the installed torch {wheel.version}, which is built for CUDA {wheel.cuda}"
        remedy = "update the driver, or install the same version of torch built for an older CUDA"
    else:
        found = "no NVIDIA driver responds on this machine"
        remedy = "run the command on a machine that has one"
    raise DeviceUnavailable(
        f"The profile says device: cuda, but {found}. {remedy[0].upper()}{remedy[1:]}. Or use PROFILE=laptop."
    )


def cpu_device(capabilities):
    """The Device of a processor. capabilities: {name: bool}, as torch.cpu.get_capabilities returns them.

    Without instructions of its own, bfloat16 would be computed in float32, and slower.
    """
    return CPU._replace(bfloat16=any(capabilities.get(name) for name in BFLOAT16_INSTRUCTIONS))


def training_device(precision, device=None):
    """The Device as a training uses it, by default that of this process.

    precision: a Train parameter; "auto" is bfloat16 where the device has it. Raises DeviceUnavailable for "bfloat16"
    where it does not.
    """
    device = device or current_device()
    if precision == "bfloat16" and not device.bfloat16:
        lacks = f"this processor has none of the instructions {', '.join(BFLOAT16_INSTRUCTIONS)}"
        if device.kind == "cuda":
            lacks = f"this GPU has a compute capability below {_dotted(BFLOAT16_CAPABILITY)}"
        raise DeviceUnavailable(
            f"The parameter file says precision: bfloat16, but {lacks}, so float32 is faster here. Set precision: auto "
            "to use bfloat16 only where it is faster, or precision: float32."
        )
    if precision == "float32":
        return Device(device.kind, bfloat16=False, flash=False, compiled=False)
    return device


def supports_head_dim(head_dim):
    """Does flash attention support heads of that many dimensions?"""
    return head_dim % 8 == 0 and head_dim <= MAX_HEAD_DIM


def wheel():
    """The Wheel of the installed torch."""
    return Wheel(torch.__version__, torch.version.cuda or torch.version.hip, torch.cuda.get_arch_list())


@functools.cache
def current_device():
    """The Device of this process: the first visible NVIDIA GPU, else the CPU, also beside Apple's and Intel's GPUs.

    Raises DeviceUnavailable for AMD GPUs, and where `choose_precision` does.
    """
    if not torch.cuda.is_available():
        return cpu_device(torch.cpu.get_capabilities())
    return _check_gpu(0)


def _check_gpu(number):
    """The Device for a visible GPU; raises DeviceUnavailable if it cannot be used."""
    gpu = Gpu(torch.cuda.get_device_name(number), torch.cuda.get_device_capability(number))
    if torch.version.hip:
        raise DeviceUnavailable(
            f"{gpu.name} is an AMD GPU. This project was tested on NVIDIA GPUs only, and its packed attention may be "
            "wrong on others. Compute without it: HIP_VISIBLE_DEVICES= before the command."
        )
    return choose_precision(gpu, wheel())


def _dotted(capability):
    """(8, 0) as "8.0"."""
    return ".".join(map(str, capability))
