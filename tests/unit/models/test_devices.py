"""Claims about devices: only supported precision is chosen, and an unusable GPU is refused with a remedy."""

import re

import pytest

from lib.errors import DeviceUnavailable
from lib.models import devices

NEWEST = devices.Wheel("2.13.0+cu130", "13.0", ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"])
OLDER = devices.Wheel("2.13.0+cu126", "12.6", ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"])
GPUS = {
    "Tesla V100-SXM2-16GB": (7, 0),
    "Tesla T4": (7, 5),
    "NVIDIA A100-SXM4-40GB": (8, 0),
    "NVIDIA GeForce RTX 3090": (8, 6),
    "NVIDIA GeForce RTX 4090": (8, 9),
    "NVIDIA H200": (9, 0),
    "NVIDIA GeForce RTX 5090": (12, 0),
}


@pytest.mark.parametrize("name", GPUS)
def test_precision_follows_the_generation_of_the_gpu(name):
    wheel = OLDER if GPUS[name] < (7, 5) else NEWEST
    chosen = devices.choose_precision(devices.Gpu(name, GPUS[name]), wheel)
    supported = GPUS[name] >= (8, 0)
    assert chosen == devices.Device("cuda", bfloat16=supported, flash=supported, compiled=supported)


def test_without_a_gpu_the_cpu_computes():
    assert devices.choose_precision(None, NEWEST) == devices.CPU


@pytest.mark.parametrize(
    "capabilities, expected",
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),  # AMD since Zen 4, Intel since Cooper Lake
        ({"avx512_bf16": False, "avx512_f": True}, False),
        ({"avx2": True}, False),
        ({"neon": True, "bf16": True}, True),  # ARM
    ],
)
def test_a_cpu_has_bfloat16_by_its_instructions(capabilities, expected):
    device = devices.cpu_device(capabilities)
    assert device == devices.CPU._replace(bfloat16=expected)


NEW_GPU = devices.Device("cuda", bfloat16=True, flash=True, compiled=True)
OLD_GPU = devices.Device("cuda", bfloat16=False, flash=False, compiled=False)
NEW_CPU = devices.CPU._replace(bfloat16=True)


@pytest.mark.parametrize(
    "precision, device, expected",
    [
        ("auto", NEW_GPU, NEW_GPU),
        ("bfloat16", NEW_GPU, NEW_GPU),
        ("float32", NEW_GPU, OLD_GPU),
        ("auto", OLD_GPU, OLD_GPU),
        ("auto", NEW_CPU, NEW_CPU),
        ("bfloat16", NEW_CPU, NEW_CPU),
        ("float32", NEW_CPU, devices.CPU),
        ("auto", devices.CPU, devices.CPU),
    ],
)
def test_the_parameter_chooses_the_precision_of_training(precision, device, expected):
    used = devices.training_device(precision, device)
    assert used == expected
    assert used.precision == ("bfloat16" if expected.bfloat16 else "float32")


@pytest.mark.parametrize(
    "device, reason",
    [
        (devices.CPU, "this processor has none of the instructions avx512_bf16, amx_bf16, bf16"),
        (OLD_GPU, "this GPU has a compute capability below 8.0"),
    ],
)
def test_bfloat16_where_it_would_be_slower_is_refused(device, reason):
    with pytest.raises(DeviceUnavailable) as refused:
        devices.training_device("bfloat16", device)
    assert str(refused.value) == (
        f"The parameter file says precision: bfloat16, but {reason}, so float32 is faster here. Set precision: auto "
        "to use bfloat16 only where it is faster, or precision: float32."
    )


def test_a_v100_under_the_newest_wheel_is_refused():
    with pytest.raises(DeviceUnavailable) as refused:
        devices.choose_precision(devices.Gpu("Tesla V100-SXM2-16GB", (7, 0)), NEWEST)
    assert str(refused.value) == (
        "Tesla V100-SXM2-16GB has compute capability 7.0, for which the installed torch 2.13.0+cu130 has no kernels "
        "(it has: sm_75, sm_80, sm_86, sm_90, sm_100, sm_120, compute_120). Install the same version built for an "
        "older CUDA: choose it on pytorch.org/get-started/previous-versions. Or compute without the GPU: "
        "CUDA_VISIBLE_DEVICES= before the command."
    )


@pytest.mark.parametrize(
    "capability, kernels, expected",
    [
        ((8, 6), ["sm_80"], True),  # a later minor number of the same generation
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80"], False),
        ((9, 0), ["compute_80"], True),  # compiled at start
        ((8, 0), ["compute_90"], False),
        ((9, 0), ["sm_90a"], True),
        ((8, 0), [], False),
    ],
)
def test_kernels_run_on_their_generation_only(capability, kernels, expected):
    assert devices.has_kernels_for(capability, kernels) is expected


@pytest.mark.parametrize(
    "wheel, n_gpus, driver, words",
    [
        (devices.Wheel("2.13.0+cpu", None, []), 0, True, "torch 2.13.0+cpu is built without CUDA"),
        (NEWEST, 0, True, "the driver is too old for the installed torch 2.13.0+cu130, which is built for CUDA 13.0"),
        (OLDER, 0, True, "the driver is too old for the installed torch 2.13.0+cu126, which is built for CUDA 12.6"),
        (NEWEST, 0, False, "no NVIDIA driver responds on this machine"),
    ],
)
def test_a_profile_for_gpus_never_computes_on_a_cpu(wheel, n_gpus, driver, words):
    with pytest.raises(DeviceUnavailable, match=re.escape(words)):
        devices.check_profile("cuda", wheel, n_gpus, driver)
    devices.check_profile("cpu", wheel, n_gpus, driver)


def test_a_variable_that_hides_all_gpus_is_named():
    with pytest.raises(DeviceUnavailable, match="CUDA_VISIBLE_DEVICES= hides all GPUs. Run the command without this"):
        devices.check_profile("cuda", NEWEST, 0, True, visible="")


@pytest.mark.parametrize("name, works", [("NVIDIA H200", True), ("Tesla V100-SXM2-16GB", False)])
def test_each_visible_gpu_of_a_profile_for_gpus_is_checked(name, works, monkeypatch):
    cards = ["NVIDIA A100-SXM4-40GB", name]
    monkeypatch.setattr(devices.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(devices.torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(devices.torch.cuda, "get_device_name", lambda number: cards[number])
    monkeypatch.setattr(devices.torch.cuda, "get_device_capability", lambda number: GPUS[cards[number]])
    monkeypatch.setattr(devices, "wheel", lambda: NEWEST)
    devices.check_machine("cpu")
    if works:
        devices.check_machine("cuda")
    else:
        with pytest.raises(DeviceUnavailable, match="Tesla V100-SXM2-16GB has compute capability 7.0"):
            devices.check_machine("cuda")


def test_a_profile_for_gpus_is_accepted_where_there_is_one():
    devices.check_profile("cuda", NEWEST, 1, True)


def test_flash_attention_needs_heads_in_steps_of_eight():
    assert [head_dim for head_dim in (8, 20, 64, 96, 256, 264) if devices.supports_head_dim(head_dim)] == [
        8,
        64,
        96,
        256,
    ]
