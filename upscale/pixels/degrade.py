"""HR → LR as the benchmarks' files were made: the bicubic of MATLAB's ``imresize``.

Training and measuring share this function, so that what is measured is what was trained for.
"""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from upscale.pixels.resample import contributions

__all__ = ["DEGRADATIONS", "Degradation", "crop_to_multiple", "degrade", "imresize"]

Degradation = Literal["uint8", "double"]
"""How the two passes round: to uint8 after each, as ``imresize`` does with uint8 pictures (the LR
files of Set5 and Set14 that RCAN and SwinIR use), or once at the end, as it does with double ones
(those of ESRGAN and BasicSR). About one sample in nine differs, by one level."""

DEGRADATIONS: tuple[Degradation, ...] = ("uint8", "double")

Array = npt.NDArray[Any]


def crop_to_multiple(hr: Array, scale: int) -> Array:
    """Cut rows at the bottom and columns at the right until both sides are multiples of ``scale``.

    Raises ValueError where nothing is left.
    """
    height, width = (length - length % scale for length in hr.shape[:2])
    if not height or not width:
        raise ValueError(f"{hr.shape[1]} × {hr.shape[0]} pixels are less than {scale} × {scale}")
    return hr[:height, :width]


def degrade(
    hr: npt.NDArray[np.uint8], scale: int, rule: Degradation = "uint8"
) -> npt.NDArray[np.uint8]:
    """Reduce ``hr``: (H, W, C), uint8, H and W multiples of ``scale``; any C.

    Returns (H / scale, W / scale, C), uint8, as ``imresize(hr, 1 / scale, 'bicubic')``.
    """
    height, width = hr.shape[:2]
    if height % scale or width % scale:
        raise ValueError(f"{width} × {height} pixels are not multiples of {scale}")
    return imresize(hr, width // scale, height // scale, rule)


def imresize(
    picture: npt.NDArray[np.uint8], new_width: int, new_height: int, rule: Degradation = "uint8"
) -> npt.NDArray[np.uint8]:
    """Resample (H, W, C), uint8, as MATLAB does: rows first, mirrored edges, antialiased.

    ``new_width`` and ``new_height`` are whole multiples or whole fractions of W and H.
    """
    samples = _resampled(picture.astype(np.float64), new_height, 0)
    if rule == "uint8":
        samples = _to_levels(samples)
    return _to_levels(_resampled(samples, new_width, 1)).astype(np.uint8)


def _resampled(
    samples: npt.NDArray[np.float64], new_length: int, axis: int
) -> npt.NDArray[np.float64]:
    """Resample one axis, tap by tap; by 2 and 4 every sum is exact, whatever its order."""
    rows = np.ascontiguousarray(samples.swapaxes(0, axis))
    indices, factors = contributions(len(rows), new_length, edges="reflect")
    total = np.zeros((new_length, *rows.shape[1:]))
    for index, factor in zip(indices.T, factors.T, strict=True):
        total += rows[index] * factor[:, None, None]
    return total.swapaxes(0, axis)


def _to_levels(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round halves upwards, as MATLAB does with positive numbers, and clip to 0..255."""
    return np.floor(samples + 0.5).clip(0, 255)
