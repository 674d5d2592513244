"""Turns words such as ``auto`` or ``cuda:1`` into an available device.

Picking a device imports PyTorch; checking a word does not.
"""

from typing import TYPE_CHECKING

from upscale.errors import DeviceError, UsageError
from upscale.system import free_memory

if TYPE_CHECKING:
    import torch

    from upscale.models.fetching.sources import Notify

__all__ = [
    "PRECISIONS",
    "beside_network",
    "check_device",
    "check_devices",
    "check_precision",
    "devices_of",
    "free_bytes",
    "pick_device",
]

CPU_BUDGET = 3 * 2**29
"""Most bytes of a pass on the CPU, if they are free."""

ALL = "all"
"""The word for all CUDA devices."""

KINDS = ("auto", "cpu", "cuda", "mps", "vulkan")
WORDS = "auto, cpu, cuda, cuda:N, mps, vulkan or vulkan:N"

PRECISIONS = ("fp32", "bf16", "fp16")


def check_device(device: str) -> None:
    """Raise UsageError for a word that is not among `WORDS`; N is a number."""
    kind, _, index = device.partition(":")
    if kind not in KINDS or (index and not index.isdecimal()):
        raise UsageError(f"device {device!r} is not known: {WORDS}")


def check_devices(devices: str) -> None:
    """Raise UsageError unless it is a device, several CUDA devices, or ``all``."""
    if devices == ALL:
        return
    names = devices.split(",")
    for name in names:
        check_device(name)
    if len(names) > 1 and not all(name.startswith("cuda") for name in names):
        raise UsageError(
            f"{devices}: devices of different kinds make different pictures; name CUDA devices "
            "only, such as cuda:0,cuda:1"
        )
    if len({int(name.partition(":")[2] or 0) for name in names}) < len(names):
        raise UsageError(f"{devices}: a device is named twice; give each device once")


def devices_of(devices: str) -> tuple[str, ...]:
    """Return the devices of words that `check_devices` knows.

    Raises DeviceError for ``all`` without a CUDA device; the others are not checked.
    """
    if devices != ALL:
        return tuple(devices.split(","))
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not count:
        raise DeviceError("all: there is no CUDA device; use --device cpu")
    return tuple(f"cuda:{index}" for index in range(count))


def check_precision(precision: str) -> None:
    """Raise UsageError for a word that is neither ``auto`` nor one of `PRECISIONS`."""
    if precision not in ("auto", *PRECISIONS):
        raise UsageError(f"precision {precision!r} is not known: auto, {', '.join(PRECISIONS)}")


def pick_device(device: str, notify: "Notify" = lambda text: None) -> "torch.device":
    """Turn a word that `check_device` knows into an available device of PyTorch.

    Raises DeviceError if the device is absent, UsageError for another word and for a Vulkan device,
    which is none of PyTorch's: see `upscale.models.engines.pick_gpu`.
    """
    import torch

    check_device(device)
    kind, _, index = device.partition(":")
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    if kind == "auto":
        if not (cuda or mps):
            notify("upscale: PyTorch finds no usable GPU, so the CPU does the work")
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    if kind == "vulkan":
        raise UsageError(
            f"--device {device} runs networks and does not train them; use cpu, cuda or mps"
        )
    if kind == "cuda" and int(index or 0) >= cuda:
        build_of = "this build of PyTorch is for the CPU" if torch.version.cuda is None else ""
        raise DeviceError(
            f"{device} is not available: {build_of or f'{cuda} CUDA devices found'}; use --device "
            "cpu, or install PyTorch with CUDA"
        )
    if kind == "mps" and not mps:
        raise DeviceError(
            "mps is not available: it needs a Mac with Apple silicon; use --device cpu"
        )
    return torch.device(device)


def beside_network(device: str) -> str:
    """Return the device of PyTorch for what runs beside a network on ``device``."""
    return "cpu" if device.startswith("vulkan") else device


def free_bytes(device: "torch.device") -> int:
    """Return the free memory there that a network may use."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] * 0.6)
    return min(CPU_BUDGET, free_memory() // 2)
