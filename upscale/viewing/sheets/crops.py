"""Crops of a picture: the windows with most detail, and one window upscaled as in the whole."""

import numpy as np
import numpy.typing as npt

from upscale.models.model import Model
from upscale.pixels.baselines import BASELINES, Levels
from upscale.pixels.image import Pixels, Rows
from upscale.upscaling.engine import upscale_pixels

__all__ = ["Window", "bicubic_crop", "crop_of", "textured_crops"]

Window = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the input."""

BICUBIC_CONTEXT = 4
"""Input pixels around a window that are read; the kernel reaches two."""


def textured_crops(hr: Levels, size: int, count: int) -> list[tuple[int, int]]:
    """Find the windows with most detail: (left, top) of at most ``count``, the richest first.

    ``hr``: (H, W, 1 or 3), uint8; ``size``: side of a window in pixels. Windows never overlap. If
    there is room, they stay half a side apart and a quarter of a side off the border. Along a side
    of the picture that is shorter than a window, they begin at 0. Detail is the sum of the
    gradient's length, so texture counts for more than one hard edge. Places are multiples of an
    eighth of ``size``. Raises ValueError for a size below 1 or a count below 0.
    """
    if size < 1 or count < 0:
        raise ValueError(
            f"{count} windows of {size} pixels cannot be found; ask for 0 or more of 1 or more"
        )
    step = max(1, size // 8)
    sums = np.pad(_detail(hr, step), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    tops, lefts = (_places(length, size, step) for length in hr.shape[:2])
    top, left = tops // step, lefts // step
    bottom, right = (
        np.minimum(first + size // step, sums.shape[axis] - 1)
        for axis, first in enumerate((top, left))
    )
    detail = (
        sums[np.ix_(bottom, right)]
        - sums[np.ix_(top, right)]
        - sums[np.ix_(bottom, left)]
        + sums[np.ix_(top, left)]
    )
    found: list[tuple[int, int]] = []
    for apart in (size * 3 // 2, size):
        left_over, found = detail.copy(), []
        while len(found) < count and np.isfinite(left_over).any():
            row, column = np.unravel_index(np.argmax(left_over), left_over.shape)
            found.append((int(lefts[column]), int(tops[row])))
            near = np.ix_(np.abs(tops - tops[row]) < apart, np.abs(lefts - lefts[column]) < apart)
            left_over[near] = -np.inf
        if len(found) == count:
            break
    return found


def bicubic_crop(shown: Levels, window: Window, scale: int) -> Levels:
    """Enlarge a window of ``shown``, (H, W, 1 or 3), uint8, as the whole picture would be.

    Returns (h·scale, w·scale, 1 or 3), uint8.
    """
    left, top, width, height = window
    lr_left, lr_top = max(0, left - BICUBIC_CONTEXT), max(0, top - BICUBIC_CONTEXT)
    seen = shown[lr_top : top + height + BICUBIC_CONTEXT, lr_left : left + width + BICUBIC_CONTEXT]
    large = BASELINES["bicubic"](seen, scale)
    hr_left, hr_top = (left - lr_left) * scale, (top - lr_top) * scale
    return large[hr_top : hr_top + height * scale, hr_left : hr_left + width * scale]


def crop_of(pixels: Rows, model: Model, window: Window) -> Pixels:
    """Upscale a window as if the whole picture went through the network.

    ``pixels``: (H, W, C), as `upscale_pixels` takes them. Returns (h·scale, w·scale, C) of the same
    dtype. The context around the window is as wide as tiles need for hidden seams, and twice as
    wide with opacity, since colours then reach further.
    """
    left, top, width, height = window
    context = model.overlap * (2 if pixels.shape[2] in (2, 4) else 1)
    lr_left, lr_top = (
        max(0, at - context) // model.spec.align * model.spec.align for at in (left, top)
    )
    seen = pixels[lr_top : top + height + context][:, lr_left : left + width + context]
    sr = upscale_pixels(np.ascontiguousarray(seen), model)
    scale = model.scale
    hr_left, hr_top = (left - lr_left) * scale, (top - lr_top) * scale
    return sr[hr_top : hr_top + height * scale, hr_left : hr_left + width * scale]


def _detail(hr: Levels, step: int) -> npt.NDArray[np.float64]:
    """Return the sum of the gradient's length over each square of ``step`` pixels."""
    rows = []
    for top in range(0, len(hr), step):
        gray = hr[top : top + step + 1].mean(2, dtype=np.float32)
        down, across = (np.diff(gray, axis=axis, append=gray.take([-1], axis)) for axis in (0, 1))
        columns = np.hypot(down, across)[:step].sum(0, np.float64)
        rows.append(np.add.reduceat(columns, np.arange(0, len(columns), step)))
    return np.array(rows)


def _places(length: int, size: int, step: int) -> npt.NDArray[np.int64]:
    """Return where windows may begin: multiples of ``step``, off the border if there is room."""
    room = max(0, length - size)
    away = min(size // 4, room // 2)
    inner = np.arange(-(-away // step) * step, room - away + 1, step)
    return inner if inner.size else np.arange(0, room + 1, step)
