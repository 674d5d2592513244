"""Enlargement without a network: what every super-resolution paper has in its first columns."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from upscale.pixels.degrade import imresize

__all__ = ["BASELINES", "Baseline", "Levels"]

Levels = npt.NDArray[np.uint8]

Baseline = Callable[[Levels, int], Levels]
"""Called with (H, W, C), uint8, C = 1 or 3, and the scale; returns (H·scale, W·scale, C)."""


def _nearest(lr: Levels, scale: int) -> Levels:
    return lr.repeat(scale, 0).repeat(scale, 1)


def _bicubic(lr: Levels, scale: int) -> Levels:
    height, width = lr.shape[:2]
    return imresize(lr, width * scale, height * scale)


def _lanczos(lr: Levels, scale: int) -> Levels:
    height, width, channels = lr.shape
    picture = Image.fromarray(lr[..., 0] if channels == 1 else lr)
    large = picture.resize((width * scale, height * scale), Image.Resampling.LANCZOS)
    return np.asarray(large).reshape(height * scale, width * scale, channels)


BASELINES: dict[str, Baseline] = {"nearest": _nearest, "bicubic": _bicubic, "lanczos": _lanczos}
"""``nearest`` repeats pixels; ``bicubic`` is that of MATLAB's ``imresize`` with uint8 pictures;
``lanczos`` is Pillow's, three lobes."""
