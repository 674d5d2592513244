"""HR → LR as the benchmarks' files were made: by the bicubic of MATLAB's ``imresize`` or by a blur.

Training and benchmarks share these functions, so that what is measured is what was trained for.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from upscale.pixels.resample import contributions

__all__ = [
    "Degradation",
    "blur_and_subsample",
    "crop_to_multiple",
    "degrade",
    "imresize",
    "resampled",
]

Degradation = Literal["uint8", "double"]
"""When the two passes, down and across, are rounded.

``uint8``: after each, as ``imresize`` does with uint8 pictures (the LR files of Set5 and Set14 that
RCAN and SwinIR use). ``double``: once, at the end, as it does with double ones (the files of ESRGAN
and BasicSR). About one sample in nine differs, by one level.
"""

REACH = 4
"""Standard deviations after which a Gaussian is cut off."""

Array = npt.NDArray[Any]


def crop_to_multiple(hr: Array, scale: int) -> Array:
    """Cut rows at the bottom and columns at the right until both sides are multiples of ``scale``.

    ``hr``: (H, W, …). Returns a view. Raises ValueError if nothing is left.
    """
    height, width = (length - length % scale for length in hr.shape[:2])
    if not height or not width:
        raise ValueError(
            f"a picture of {hr.shape[1]} × {hr.shape[0]} pixels is too small for a scale of "
            f"{scale}; it needs at least {scale} × {scale}"
        )
    return hr[:height, :width]


def degrade(
    hr: npt.NDArray[np.uint8], scale: int, rule: Degradation = "uint8"
) -> npt.NDArray[np.uint8]:
    """Reduce ``hr`` as MATLAB's ``imresize(hr, 1 / scale, 'bicubic')`` does.

    ``hr``: (H, W, C), uint8, any C; H and W are multiples of ``scale``. Returns (H / scale,
    W / scale, C), uint8. Raises ValueError for other sides.
    """
    _check_multiples(hr, scale)
    height, width = hr.shape[:2]
    return imresize(hr, width // scale, height // scale, rule)


def blur_and_subsample(
    hr: npt.NDArray[np.uint8], scale: int, sigma: float
) -> npt.NDArray[np.uint8]:
    """Blur ``hr`` by a Gaussian and take one value for each ``scale`` × ``scale`` of its pixels.

    ``hr``: (H, W, C), uint8, any C; H and W are multiples of ``scale``. ``sigma``: standard
    deviation in HR pixels, 0.1 or more. Returns (H / scale, W / scale, C), uint8, rounded once.
    Raises ValueError for other sides.

    Beyond an edge lies the mirror image, which repeats the last sample. Values are taken at the
    centres of the LR pixels, so LR lies on HR as that of `degrade` does. Programs that take every
    fourth pixel, from the first one on, move the picture by 1.5 HR pixels.
    """
    _check_multiples(hr, scale)
    samples = hr.astype(np.float64)
    for axis in (0, 1):
        samples = _gathered(samples, *_gaussian(hr.shape[axis], scale, sigma), axis)
    return _to_levels(samples).astype(np.uint8)


def _check_multiples(hr: Array, scale: int) -> None:
    height, width = hr.shape[:2]
    if height % scale or width % scale:
        raise ValueError(f"{width} × {height} pixels: both sides must be multiples of {scale}")


def _gaussian(
    length: int, scale: int, sigma: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return indices and factors as `contributions` does; the factors of a sample sum to 1."""
    centres = (np.arange(length // scale) + 0.5) * scale - 0.5
    reach = max(1, int(REACH * sigma + 0.5))
    indices = np.ceil(centres - reach).astype(np.int64)[:, None] + np.arange(2 * reach + 1)
    away = indices - centres[:, None]
    factors = np.where(np.abs(away) <= reach, np.exp(-0.5 * (away / sigma) ** 2), 0.0)
    factors /= factors.sum(1, keepdims=True)
    indices %= 2 * length
    return np.minimum(indices, 2 * length - 1 - indices), factors


def imresize(
    picture: npt.NDArray[np.uint8], new_width: int, new_height: int, rule: Degradation = "uint8"
) -> npt.NDArray[np.uint8]:
    """Resample (H, W, C), uint8, as MATLAB does: first down, then across; mirrored; antialiased.

    ``new_width`` and ``new_height`` are whole multiples or whole fractions of W and H. Returns
    (``new_height``, ``new_width``, C), uint8.
    """
    if rule == "double":
        return _to_levels(resampled(picture, new_width, new_height)).astype(np.uint8)
    samples = _to_levels(_along(picture.astype(np.float64), new_height, 0))
    return _to_levels(_along(samples, new_width, 1)).astype(np.uint8)


def resampled(picture: Array, new_width: int, new_height: int) -> npt.NDArray[np.float64]:
    """Resample (H, W, C) of any real type as `imresize` does, but round and clip nothing."""
    return _along(_along(picture.astype(np.float64), new_height, 0), new_width, 1)


def _along(samples: npt.NDArray[np.float64], new_length: int, axis: int) -> npt.NDArray[np.float64]:
    """Resample one axis, tap by tap. By factors of 2 and 4 every sum is exact in any order."""
    length = samples.shape[axis]
    return _gathered(samples, *contributions(length, new_length, edges="reflect"), axis)


def _gathered(
    samples: npt.NDArray[np.float64],
    indices: npt.NDArray[np.int64],
    factors: npt.NDArray[np.float64],
    axis: int,
) -> npt.NDArray[np.float64]:
    rows = np.ascontiguousarray(samples.swapaxes(0, axis))
    total = np.zeros((len(indices), *rows.shape[1:]))
    for index, factor in zip(indices.T, factors.T, strict=True):
        total += rows[index] * factor[:, None, None]
    return total.swapaxes(0, axis)


def _to_levels(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round halves up, as MATLAB does with positive numbers, and clip to 0 to 255."""
    return np.floor(samples + 0.5).clip(0, 255)
