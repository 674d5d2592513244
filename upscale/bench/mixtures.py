"""Mixtures of two results, picture by picture: image interpolation between any two systems."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from upscale.bench.contenders import Contender, System, Task
from upscale.models.model import Model
from upscale.pixels.baselines import Levels
from upscale.upscaling.engine import upscale_bands
from upscale.upscaling.tiling import plan_tiling

__all__ = ["End", "end_of", "end_of_model", "image_interpolation", "mixture"]

Samples = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class End:
    """One of the two systems that are mixed."""

    name: str
    """Name in the row's label."""
    make: Callable[[Task], Samples]
    """Returns (H·scale, W·scale, C), 0 to 255, not rounded if it has more than whole levels."""
    device: torch.device
    """Its device."""


def end_of_model(model: Model, tile: int | None = None, overlap: int | None = None) -> End:
    """Return the end of a model: its result before rounding."""
    tiling = plan_tiling(model, tile, overlap)

    def make(task: Task) -> Samples:
        bands = upscale_bands(task.lr, model, tiling, dtype=np.dtype(np.float32))
        return np.concatenate(list(bands)) * 255

    return End(model.name, make, model.device)


def end_of(contender: Contender) -> End:
    """Return the end of a contender with one system: a baseline, or pictures made elsewhere."""
    (system,) = contender.systems

    def make(task: Task) -> Samples:
        (sr,) = contender.enlarge(task)
        return sr.astype(np.float32)

    return End(system.label, make, contender.device)


def image_interpolation(psnr: End, gan: End, alphas: Sequence[float]) -> Contender:
    """Return the contender that mixes the ends of a model: (1 - α) of ``psnr``, α of ``gan``.

    The ESRGAN paper compares network interpolation with these mixtures (Wang et al. 2018, section
    4.4).
    """
    return _mixing(psnr, gan, alphas, f"{gan.name}, images mixed", gan.name)


def mixture(first: End, second: End, alphas: Sequence[float]) -> Contender:
    """Return the contender that mixes any two systems: α is the share of ``second``."""
    name = f"{first.name} + {second.name}"
    return _mixing(first, second, alphas, f"{name}, images mixed", name)


def _mixing(first: End, second: End, alphas: Sequence[float], label: str, model: str) -> Contender:
    systems = tuple(System(f"{label}, α {alpha:g}", model, alpha, "image") for alpha in alphas)

    def enlarge(task: Task) -> Iterator[Levels]:
        a, b = (end.make(task) for end in (first, second))
        for alpha in alphas:
            yield np.asarray(((1 - alpha) * a + alpha * b).round().clip(0, 255), np.uint8)

    device = first.device if first.device.type != "cpu" else second.device
    return Contender(systems, enlarge, device)
