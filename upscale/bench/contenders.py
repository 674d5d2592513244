"""The systems of a benchmark: baselines, models at each alpha, and pictures made elsewhere."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from upscale.bench.sets.results import read_result
from upscale.metrics.psnr_ssim import luma
from upscale.models.model import Model
from upscale.pixels.baselines import BASELINES, Baseline, Levels, enlarge_luma
from upscale.upscaling.engine import upscale_pixels
from upscale.upscaling.tiling import plan_tiling

__all__ = ["Contender", "System", "Task", "baseline", "elsewhere", "network"]


@dataclass(frozen=True)
class Task:
    """A picture for a contender to make."""

    name: str
    """Name of the `Pair`."""
    lr: Levels
    """(H, W, C), uint8, C = 1 or 3: the input of a network."""
    hr: Levels
    """(H·scale, W·scale, C), uint8: for contenders that use the truth, which are not networks."""


@dataclass(frozen=True)
class System:
    """A row of the table; the fields are those of `upscale.metrics.protocol.Row`."""

    label: str
    """Name of the row."""
    model: str
    """The requested name, file or baseline."""
    alpha: float | None = None
    """Alpha of the blend; None: the model as it is."""
    interpolation: str | None = None
    """``network`` or ``image`` if ``alpha`` blends two ends."""
    back_project: int = 0
    """Number of corrections by back-projection."""
    timed: bool = True
    """Whether it is computed here, so that its time counts."""


@dataclass(frozen=True)
class Contender:
    """Systems whose results are made together."""

    systems: tuple[System, ...]
    """In the order of the results."""
    enlarge: Callable[[Task], Iterator[Levels]]
    """Yields (H·scale, W·scale, C), uint8, for each system in turn, on demand."""
    device: torch.device
    """Device of the networks."""


def baseline(name: str, scale: int, luma_alone: bool = False) -> Contender:
    """Return the contender of a baseline, a ``name`` of `BASELINES`.

    ``luma_alone``: as in `upscale.metrics.protocol.Protocol`; a result has one channel then.
    """
    method: Baseline = BASELINES[name]

    def enlarge(task: Task) -> Iterator[Levels]:
        if luma_alone:
            yield enlarge_luma(np.floor(luma(task.hr) + 0.5), name, scale)
        else:
            yield method(task.lr, scale)

    return Contender((System(name, name),), enlarge, torch.device("cpu"))


def network(model: Model, tile: int | None = None, overlap: int | None = None) -> Contender:
    """Return the contender of a model; with an alpha, an interpolated network."""
    label = model.name
    if model.alpha is not None:
        label += f", α {model.alpha:g}"
    if model.tta:
        label += ", TTA"
    if model.back_project:
        label += f", back-projected × {model.back_project}"
    interpolation = None if model.alpha is None else "network"
    system = System(label, model.name, model.alpha, interpolation, model.back_project)
    tiling = plan_tiling(model, tile, overlap)

    def enlarge(task: Task) -> Iterator[Levels]:
        yield np.asarray(upscale_pixels(task.lr, model, tiling), np.uint8)

    return Contender((system,), enlarge, model.device)


def elsewhere(name: str, files: Mapping[str, Path]) -> Contender:
    """Return the contender of another program's pictures; ``files``: by the names of the pairs."""

    def enlarge(task: Task) -> Iterator[Levels]:
        yield read_result(files[task.name], task.hr.shape)

    return Contender((System(name, name, timed=False),), enlarge, torch.device("cpu"))
