"""Small pictures of one size that share a pass of the network."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from upscale.models.model import Model
from upscale.pixels.image import Pixels
from upscale.upscaling.passes.samples import (
    bled,
    colour_of,
    extremes,
    from_colour,
    is_finite,
    opacity_of,
    quantized,
)

__all__ = ["shared"]


def shared(pictures: Sequence[Pixels], model: Model, dtype: np.dtype[Any]) -> list[Any | None]:
    """Upscale pictures, (H, W, C) each, as `upscale_bands` does; not for ``tta``.

    Returns (H·scale, W·scale, C) each, and None for a picture that has to go through alone because
    memory is too small or its result is not finite. The others are not affected.
    """
    made = _made(pictures, model)
    if made is not None:
        return [quantized(sr, dtype) for sr in made]
    if len(pictures) == 1:
        return [None]
    half = len(pictures) // 2
    return [*shared(pictures[:half], model, dtype), *shared(pictures[half:], model, dtype)]


def _made(pictures: Sequence[Pixels], model: Model) -> Tensor | None:
    """Return (N, C, H·scale, W·scale), or None if one pass cannot make all."""
    height, _, channels = pictures[0].shape
    whole = cast(Pixels, np.stack([bled(each, 0, height, model.overlap) for each in pictures]))
    try:
        sr = from_colour(model(colour_of(whole)), channels)
        if not is_finite(sr):
            return None
        opacity = opacity_of(whole)
        if opacity is None:
            return sr
        low, high = extremes(opacity, model.scale)
        if not torch.equal(low, high):
            mean = model.faithful(opacity.expand(-1, 3, -1, -1)).mean(1, keepdim=True)
            if not is_finite(mean):
                return None
            low = torch.clamp(mean, low.to(mean.device), high.to(mean.device))
        return torch.cat((sr, low.to(sr.device)), 1)
    except (RuntimeError, MemoryError):  # alone, it raises the error
        return None
