"""Measures the fastest precision of a network on this processor once, and remembers it.

A processor may have an instruction for half precision and be slower with it: with AVX512-BF16 and
without AMX one took 1.57 times as long as in float32, another a third. So instructions do not
decide.
"""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from upscale.models.devices import check_precision
from upscale.models.folder import remembered

__all__ = [
    "DTYPES",
    "candidates",
    "measured_on",
    "noise",
    "pick_precision",
    "processor_name",
    "quickest",
    "timed",
]

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

SIDE = 24
"""Side of the timed picture in LR pixels."""

PASSES = 2
"""Timed passes in each precision, after one that is not timed; the faster one counts."""

GAIN = 0.95
"""Share of the time in float32: a lower precision that takes more is not worth its error."""

ERROR = 0.5 / 255
"""Mean difference from float32 above which a precision is not used."""

FILE = "precisions.json"


def pick_precision(
    word: str,
    device: torch.device,
    work: str,
    run: Callable[[str, Tensor], Tensor],
    error: float = ERROR,
) -> str:
    """Turn ``auto`` into the fastest precision for ``work``; other words stay.

    fp16 on CUDA; on the CPU the `quickest`, measured once for each ``work``; fp32 elsewhere. Raises
    UsageError for an unknown word.
    """
    check_precision(word)
    if word != "auto":
        return word
    if device.type != "cpu":
        return "fp16" if device.type == "cuda" else "fp32"
    names = candidates(torch.cpu.get_capabilities())
    if len(names) == 1:
        return names[0]
    key = f"{measured_on()} | {work}"
    return remembered(FILE, key, lambda: quickest(names, run, error))


def candidates(capabilities: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the precisions that a processor has in hardware, float32 first.

    ``capabilities``: the result of `torch.cpu.get_capabilities`.
    """
    wanted = {"bf16": ("avx512_bf16", "amx_bf16"), "fp16": ("avx512_fp16", "amx_fp16")}
    named = (name for name, needs in wanted.items() if any(map(capabilities.get, needs)))
    return ("fp32", *named)


def quickest(
    names: Sequence[str],
    run: Callable[[str, Tensor], Tensor],
    error: float = ERROR,
    picture: Tensor | None = None,
) -> str:
    """Time ``picture``, or noise of `SIDE`² LR pixels, in each of ``names``; return the fastest.

    The first of them is exact: float32, or PyTorch. ``run`` takes a name and (1, 3, H, W), and
    returns the network's result. A way is not used if it is not faster, differs from the exact one
    by ``error`` or more, or does not run.
    """
    lr = noise(3, SIDE, SIDE) if picture is None else picture
    exact, seconds = timed(partial(run, names[0], lr))
    best, least = names[0], seconds * GAIN
    for name in names[1:]:
        try:
            sr, seconds = timed(partial(run, name, lr))
        except (RuntimeError, MemoryError):  # PyTorch raises these for an operator that it lacks
            continue
        if seconds < least and (sr - exact).abs().mean().item() < error:
            best, least = name, seconds
    return best


def noise(channels: int, height: int, width: int) -> Tensor:
    """Return the same numbers in [0, 1) each time: (1, channels, height, width)."""
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(0))


def timed(run: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """Return the first result of ``run``, and the seconds of the fastest of some later passes."""
    sr = run()
    seconds = []
    for _ in range(PASSES):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return sr, min(seconds)


def processor_name() -> str:
    """Return the processor's own name, family and model, if the system tells them."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            told = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines())
    except (OSError, ValueError):
        return platform.processor() or platform.machine()
    fields = {name.strip(): value.strip() for name, value in told.items()}
    named = {"model name": "", "cpu family": "family ", "model": "model "}
    return ", ".join(word + fields[field] for field, word in named.items() if field in fields)


def measured_on() -> str:
    """Return what speed depends on: processor, instructions in use, threads, PyTorch."""
    threads = torch.get_num_threads()
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{processor_name()}, {capability}, {threads} threads | {torch.__version__}"
