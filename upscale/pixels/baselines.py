"""Enlargement without a network: the first columns of the tables in super-resolution papers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from upscale.pixels.degrade import imresize, resampled

__all__ = ["BASELINES", "Baseline", "Levels", "enlarge_luma"]

Levels = npt.NDArray[np.uint8]

Baseline = Callable[[Levels, int], Levels]
"""Called with (H, W, C), uint8, C = 1 or 3, and the scale; returns (H·scale, W·scale, C)."""


def _nearest(lr: npt.NDArray[Any], scale: int) -> npt.NDArray[Any]:
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
"""``nearest`` repeats pixels; ``bicubic`` is that of MATLAB's ``imresize`` for uint8 pictures;
``lanczos`` is Pillow's, with three lobes."""


def enlarge_luma(hr: npt.NDArray[np.float64], name: str, scale: int) -> Levels:
    """Reduce a plane by bicubic, enlarge it by ``name`` of `BASELINES`, and round only then.

    ``hr``: (H, W), 0 to 255; H and W are multiples of ``scale``. Returns (H, W, 1), uint8. All is
    computed in float64, except for ``lanczos``, which Pillow enlarges in float32. ``bicubic`` is
    what the programs of SRCNN and VDSR, and many papers after them, call bicubic.
    """
    height, width = hr.shape
    lr = resampled(hr[..., None], width // scale, height // scale)
    if name == "nearest":
        sr = _nearest(lr, scale)
    elif name == "bicubic":
        sr = resampled(lr, width, height)
    else:
        plane = Image.fromarray(lr[..., 0].astype(np.float32))
        sr = np.asarray(plane.resize((width, height), Image.Resampling.LANCZOS))[..., None]
    return np.asarray(np.floor(sr + 0.5).clip(0, 255), np.uint8)
