"""Words such as ``auto`` or ``cuda:1`` become a device and a precision that are there."""

import torch

from upscale.errors import DeviceError, UsageError
from upscale.models.fetching.sources import Notify
from upscale.system import free_memory

__all__ = ["PRECISIONS", "free_bytes", "pick_device", "pick_precision"]

CPU_BUDGET = 3 * 2**29
"""Bytes that a picture's pass on the CPU may take, if they are free."""

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def pick_device(device: str, notify: Notify = lambda text: None) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps`` into a device that is there.

    Raises DeviceError where the device is absent, UsageError where the word is none of these.
    """
    kind, _, index = device.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (index and not index.isdecimal()):
        raise UsageError(f"device {device!r} is not known: auto, cpu, cuda, cuda:N or mps")
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    if kind == "auto":
        if not (cuda or mps):
            notify("upscale: no GPU that PyTorch can use, so the CPU does the work")
        return torch.device("cuda" if cuda else "mps" if mps else "cpu")
    if kind == "cuda" and int(index or 0) >= cuda:
        build_of = "this build of PyTorch is for the CPU" if torch.version.cuda is None else ""
        raise DeviceError(
            f"{device} is not there: {build_of or f'{cuda} CUDA devices found'}; "
            "use --device cpu, or install PyTorch with CUDA"
        )
    if kind == "mps" and not mps:
        raise DeviceError("mps is not there: it needs a Mac with Apple silicon; use --device cpu")
    return torch.device(device)


def pick_precision(precision: str, device: torch.device) -> str:
    """Turn ``auto`` into the fastest precision that ``device`` has in hardware.

    fp16 on CUDA; bf16 on CPUs with bf16 instructions; fp32 elsewhere. Raises UsageError for a
    word that is not known.
    """
    if precision == "auto":
        if device.type == "cuda":
            return "fp16"
        if device.type == "cpu":
            has = torch.cpu.get_capabilities()
            return "bf16" if has.get("avx512_bf16") or has.get("amx_bf16") else "fp32"
        return "fp32"
    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} is not known: auto, {', '.join(PRECISIONS)}")
    return precision


def free_bytes(device: torch.device) -> int:
    """Return how much of the memory that is free there a network may take."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] * 0.6)
    return min(CPU_BUDGET, free_memory() // 2)
