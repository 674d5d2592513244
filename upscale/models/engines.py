"""Decides what runs a network's convolutions: PyTorch, or ncnn where it is faster."""

import contextlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

from upscale.errors import DeviceError, UsageError
from upscale.models.devices import pick_device
from upscale.models.folder import remembered

if TYPE_CHECKING:
    from torch import Tensor

    from upscale.models.fetching.sources import Notify
    from upscale.models.model import Model

__all__ = [
    "ENGINES",
    "check_engine",
    "is_installed",
    "pick_engine",
    "pick_gpu",
    "pick_precision_on_gpu",
    "settled_device",
    "vulkan_devices",
]

ENGINES = ("torch", "ncnn")

SIDE = 48
"""Side of the timed picture in LR pixels: with 24, the start of a pass counts too much."""

FILE = "engines.json"

SIDE_ON_GPU = 128

SOFTWARE = 3
"""Type of a Vulkan device that is a program on the CPU."""

INSTALL = "install it with: pip install 'upscale[ncnn]'"


def check_engine(engine: str) -> None:
    """Raise UsageError for a word that is neither ``auto`` nor one of `ENGINES`."""
    if engine not in ("auto", *ENGINES):
        raise UsageError(f"engine {engine!r} is not known: auto, {', '.join(ENGINES)}")


def pick_engine(word: str, model: "Model", *, may_choose: bool) -> str:
    """Turn ``auto`` into the fastest engine for a model, measured once; other words stay.

    ``model`` runs in PyTorch. ``may_choose``: otherwise ``auto`` is PyTorch. Raises UsageError
    where ncnn is named and not installed, or for another device and precision than its own: the CPU
    and float32.
    """
    check_engine(word)
    fits = model.device.type == "cpu" and model.precision == "fp32"
    if word == "ncnn" and not fits:
        raise UsageError(
            f"--engine ncnn computes in fp32 on the CPU, not in {model.precision} on "
            f"{model.device}; add --device cpu --precision fp32, or use --engine torch"
        )
    if word == "ncnn" and not is_installed():
        raise UsageError(f"--engine ncnn: the package ncnn is missing; {INSTALL}")
    if word != "auto":
        return word
    return _fastest(model) if may_choose and fits and is_installed() else "torch"


def is_installed() -> bool:
    """Return whether ncnn is there."""
    return importlib.util.find_spec("ncnn") is not None


def _fastest(model: "Model") -> str:
    """Measure both engines with a small picture, unless the cache knows the answer."""
    from upscale.models.precision import measured_on, quickest

    def find() -> str:
        engines = {name: replace(model, engine=name) for name in ENGINES}
        if all(each.steps is None for each in engines["ncnn"].program):
            return "torch"  # ncnn would run nothing

        def run(name: str, lr: "Tensor") -> "Tensor":
            return engines[name](lr)

        return quickest(ENGINES, run, side=SIDE)

    return remembered(FILE, f"{measured_on()} | {_version()} | {model.spec!r}", find)


def pick_precision_on_gpu(word: str, model: "Model") -> str:
    """Turn ``auto`` into the fastest precision of a model on a Vulkan device, measured once.

    Other words stay. Raises UsageError for ``bf16``.
    """
    from upscale.models.precision import quickest

    if word == "bf16":
        raise UsageError(f"--device {model.place} computes in fp32 or fp16, not in bf16")
    if word != "auto":
        return word
    assert model.gpu is not None
    import ncnn

    if ncnn.get_gpu_info(model.gpu).type() == SOFTWARE:
        return "fp32"

    def run(name: str, lr: "Tensor") -> "Tensor":
        return precisions[name](lr)

    precisions = {name: replace(model, precision=name) for name in ("fp32", "fp16")}
    key = f"{vulkan_devices()[model.gpu]} | {_version()} | {model.spec!r}"
    return remembered(FILE, key, lambda: quickest(tuple(precisions), run, side=SIDE_ON_GPU))


def _version() -> str:
    return f"ncnn {metadata.version('ncnn')}"


def pick_gpu(word: str) -> int | None:
    """Return the number of the Vulkan device that ``vulkan`` or ``vulkan:1`` names.

    None for other words. Raises DeviceError if it is absent, or ncnn is not installed.
    """
    kind, _, index = word.partition(":")
    if kind != "vulkan":
        return None
    if not is_installed():
        raise DeviceError(f"{word}: the package ncnn is missing; {INSTALL}")
    found = vulkan_devices()
    if int(index or 0) >= len(found):
        raise DeviceError(
            f"{word} is not available: {len(found)} Vulkan devices found; install the driver of "
            "your graphics card, or use --device cpu"
        )
    import ncnn

    return int(index) if index else int(ncnn.get_default_gpu_index())


def settled_device(word: str, notify: "Notify" = lambda text: None) -> str:
    """Return the word of the available device that a word such as ``auto`` stands for.

    Raises DeviceError or UsageError.
    """
    gpu = pick_gpu(word)
    return str(pick_device(word, notify)) if gpu is None else f"vulkan:{gpu}"


@cache
def vulkan_devices() -> tuple[str, ...]:
    """Return the names of the Vulkan devices that ncnn finds, by their numbers; none without it."""
    if not is_installed():
        return ()
    import ncnn

    with _silence():  # ncnn lists their properties on standard error
        count = ncnn.get_gpu_count()
    return tuple(ncnn.get_gpu_info(index).device_name() for index in range(count))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Discard what libraries write to standard error."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
