"""What competes in a benchmark: baselines, models at each alpha, and mixtures of two results."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from upscale.models.model import Model
from upscale.pixels.baselines import BASELINES, Baseline, Levels
from upscale.upscaling.engine import upscale_bands, upscale_pixels
from upscale.upscaling.tiling import plan_tiling

__all__ = ["Contender", "System", "baseline", "image_interpolation", "network"]


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


@dataclass(frozen=True)
class Contender:
    """Systems whose results are made together."""

    systems: tuple[System, ...]
    """In the order of the results."""
    enlarge: Callable[[Levels], Iterator[Levels]]
    """Takes LR (H, W, C), uint8, C = 1 or 3; yields (H·scale, W·scale, C), uint8, for each system
    in turn, made when asked for."""
    device: torch.device
    """Where the networks work."""


def baseline(name: str, scale: int) -> Contender:
    """Let ``name`` of `BASELINES` compete."""
    method: Baseline = BASELINES[name]

    def enlarge(lr: Levels) -> Iterator[Levels]:
        yield method(lr, scale)

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

    def enlarge(lr: Levels) -> Iterator[Levels]:
        yield np.asarray(upscale_pixels(lr, model, tiling), np.uint8)

    return Contender((system,), enlarge, model.device)


def image_interpolation(
    psnr: Model,
    gan: Model,
    alphas: Sequence[float],
    tile: int | None = None,
    overlap: int | None = None,
) -> Contender:
    """Let mixtures of two results compete: (1 - α) of ``psnr``'s and α of ``gan``'s.

    The ESRGAN paper compares network interpolation with them (Wang et al. 2018, section 4.4).
    """
    systems = tuple(
        System(f"{gan.name}, images mixed, α {alpha:g}", gan.name, alpha, "image")
        for alpha in alphas
    )
    tiling = plan_tiling(gan, tile, overlap)

    def enlarge(lr: Levels) -> Iterator[Levels]:
        faithful, crisp = (
            np.concatenate(list(upscale_bands(lr, end, tiling, dtype=np.dtype(np.float32))))
            for end in (psnr, gan)
        )
        for alpha in alphas:
            yield _to_levels((1 - alpha) * faithful + alpha * crisp)

    return Contender(systems, enlarge, gan.device)


def _to_levels(samples: npt.NDArray[np.floating[Any]]) -> Levels:
    return np.asarray((samples * 255).round().clip(0, 255), np.uint8)
