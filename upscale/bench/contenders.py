"""What competes in a benchmark: baselines, models at each alpha, and pictures made elsewhere."""

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
    """A picture that a contender makes."""

    name: str
    """Of the `Pair`."""
    lr: Levels
    """(H, W, C), uint8, C = 1 or 3: what a network sees."""
    hr: Levels
    """(H·scale, W·scale, C), uint8: for what knows the truth, and is no network."""


@dataclass(frozen=True)
class System:
    """A row of the table; the fields are those of `upscale.metrics.protocol.Row`."""

    label: str
    """Names the row."""
    model: str
    """The name, file or baseline that was asked for."""
    alpha: float | None = None
    """Of the blend; None: the model as it is."""
    interpolation: str | None = None
    """``network`` or ``image`` where ``alpha`` blends two ends."""
    back_project: int = 0
    """How often results are corrected."""
    timed: bool = True
    """Whether it is made here, so that its seconds mean something."""


@dataclass(frozen=True)
class Contender:
    """Systems whose results are made together."""

    systems: tuple[System, ...]
    """In the order of the results."""
    enlarge: Callable[[Task], Iterator[Levels]]
    """Yields (H·scale, W·scale, C), uint8, for each system in turn, made when asked for."""
    device: torch.device
    """Where the networks work."""


def baseline(name: str, scale: int, luma_alone: bool = False) -> Contender:
    """Let ``name`` of `BASELINES` compete.

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
    """Let a model compete; with an alpha, it is an interpolated network."""
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
    """Let pictures compete that another program made; ``files``: by the names of the pairs."""

    def enlarge(task: Task) -> Iterator[Levels]:
        yield read_result(files[task.name], task.hr.shape)

    return Contender((System(name, name, timed=False),), enlarge, torch.device("cpu"))
