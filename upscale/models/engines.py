"""Decides what runs a network's convolutions: PyTorch, or ncnn where it is faster."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from upscale.errors import DeviceError, UsageError
from upscale.models.devices import check_device, pick_device
from upscale.models.folder import remembered

if TYPE_CHECKING:
    from torch import Tensor

    from upscale.models.fetching.sources import Notify
    from upscale.models.model import Model

__all__ = [
    "ENGINES",
    "check_engine",
    "lack_of_ncnn",
    "pick_engine",
    "pick_gpu",
    "pick_precision_on_gpu",
    "settled_device",
    "vulkan_devices",
]

ENGINES = ("torch", "ncnn")

HEIGHT, WIDTH = 24, 1024
"""Of the features that the engines are timed with: several bands, as wide as of a photograph. ncnn
gains more in narrow pictures, where its bands are higher."""

SIDE_ON_GPU = 128
"""Side in LR pixels of the picture that a Vulkan device is timed with."""

FILE = "engines.json"

SOFTWARE = 3
"""Type of a Vulkan device that is a program on the CPU."""

INSTALL = "pip install 'upscale[ncnn]'"

_silencing = threading.Lock()


def check_engine(engine: str) -> None:
    """Raise UsageError for a word that is neither ``auto`` nor one of `ENGINES`."""
    if engine not in ("auto", *ENGINES):
        raise UsageError(f"engine {engine!r} is not known: auto, {', '.join(ENGINES)}")


def pick_engine(word: str, model: "Model", *, may_choose: bool) -> str:
    """Turn ``auto`` into the fastest engine for a model, measured once; other words stay.

    ``model`` runs in PyTorch. ``may_choose``: otherwise ``auto`` is PyTorch. Raises UsageError
    where ncnn is named and cannot be imported, or for another device and precision than its own:
    the CPU and float32.
    """
    check_engine(word)
    fits = model.device.type == "cpu" and model.precision == "fp32"
    if word == "ncnn" and not fits:
        raise UsageError(
            f"--engine ncnn computes in fp32 on the CPU, not in {model.precision} on "
            f"{model.device}; add --device cpu --precision fp32, or use --engine torch"
        )
    if word == "ncnn" and (lack := lack_of_ncnn()):
        raise UsageError(f"--engine ncnn: {lack}")
    if word != "auto":
        return word
    return "torch" if not may_choose or not fits or lack_of_ncnn() else _fastest(model)


@cache
def lack_of_ncnn() -> str:
    """Return why ncnn cannot be imported, and what to do; nothing if it can be."""
    try:
        import ncnn  # noqa: F401
    except ModuleNotFoundError:
        return f"the package ncnn is missing; install it with: {INSTALL}"
    except (ImportError, OSError) as error:  # without a library that it needs
        return (
            f"the package ncnn does not start ({error}); install what it lacks, or ncnn again "
            "with: pip install --force-reinstall --no-deps ncnn"
        )
    return ""


def _fastest(model: "Model") -> str:
    """Measure both engines with some convolutions, unless the cache knows the answer."""
    import torch

    from upscale.models.precision import measured_on, noise, quickest
    from upscale.networks.ncnn.steps import sample
    from upscale.networks.streaming.bands import rows_in_cache
    from upscale.networks.streaming.stream import Stream

    def find() -> str:
        found = sample(model.program)
        if found is None:
            return "torch"
        *programs, channels = found
        by_engine = dict(zip(ENGINES, programs, strict=True))

        def run(name: str, features: "Tensor") -> "Tensor":
            stream = Stream(by_engine[name], HEIGHT, rows_in_cache(WIDTH))
            with torch.inference_mode():
                return torch.cat(list(stream.feed(features)), -2)

        features = noise(channels, HEIGHT, WIDTH).contiguous(memory_format=torch.channels_last)
        return quickest(ENGINES, run, picture=features)

    return remembered(FILE, f"{measured_on()} | {_version()} | {model.spec!r}", find)


def pick_precision_on_gpu(word: str, model: "Model") -> str:
    """Turn ``auto`` into the fastest precision of a model on a Vulkan device, measured once.

    Other words stay. Raises UsageError for ``bf16``.
    """
    from upscale.models.precision import noise, quickest

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

    once = replace(model, tta=False, back_project=0)
    precisions = {name: replace(once, precision=name) for name in ("fp32", "fp16")}
    picture = noise(3, SIDE_ON_GPU, SIDE_ON_GPU)
    key = f"{vulkan_devices()[model.gpu]} | {_version()} | {model.spec!r}"
    return remembered(FILE, key, lambda: quickest(tuple(precisions), run, picture=picture))


def _version() -> str:
    import ncnn

    return f"ncnn {ncnn.__version__}"


def pick_gpu(word: str) -> int | None:
    """Return the number of the Vulkan device that ``vulkan`` or ``vulkan:1`` names.

    None for other words. Raises DeviceError if it is absent, or ncnn cannot be imported, and
    UsageError for a word that `check_device` does not know.
    """
    check_device(word)
    kind, _, index = word.partition(":")
    if kind != "vulkan":
        return None
    if lack := lack_of_ncnn():
        raise DeviceError(f"{word}: {lack}")
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
    if lack_of_ncnn():
        return ()
    import ncnn

    with _silence():  # ncnn lists their properties on standard error
        count = ncnn.get_gpu_count()
    return tuple(ncnn.get_gpu_info(index).device_name() for index in range(count))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Discard what libraries write to standard error, where there is one."""
    with contextlib.ExitStack() as after:
        after.enter_context(_silencing)  # a second thread would take the first one's for its own
        if sys.stderr is not None:  # as in a program without a terminal on Windows
            sys.stderr.flush()
        with contextlib.suppress(OSError):
            kept = os.dup(2)
            after.callback(os.close, kept)
            after.callback(os.dup2, kept, 2)
            with open(os.devnull, "wb") as nothing:
                os.dup2(nothing.fileno(), 2)
        yield
