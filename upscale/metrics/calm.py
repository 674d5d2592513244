"""Calm: does a result stay smooth where the original is flat or out of focus?

Distances between whole pictures hardly notice grain or dashes in a sky; the eye does at once. The
measure is ours: the roughness of SR divided by that of HR, where HR is smooth. HR itself has 1;
more means grain, and less means a surface as if painted.
"""

import cv2
import numpy as np
import numpy.typing as npt

from upscale.errors import InputError

__all__ = ["calm"]

BLOCK = 16
"""Side of a block in HR pixels."""

SMOOTH = 1.0
"""Roughness in levels² below which a block of HR counts as smooth."""

FLOOR = 0.1
"""Levels² added to both: a block of one colour has no roughness to divide by."""


def calm(sr: npt.NDArray[np.float64], hr: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return how rough ``sr`` is where ``hr`` is smooth: the mean, and the 99th percentile.

    ``sr``, ``hr``: (H, W), Y in levels of 0 to 255. The roughness of a block of 16 × 16 pixels is
    the mean square of Y minus its mean over 3 × 3 pixels. Raises InputError if the two sizes
    differ, or if HR has no smooth block.
    """
    if sr.shape != hr.shape:
        raise InputError(f"calm compares two planes of one shape, not {sr.shape} and {hr.shape}")
    smooth = (of_hr := _roughness(hr)) < SMOOTH
    if not smooth.any():
        raise InputError(
            f"calm needs a smooth block of {BLOCK} × {BLOCK} pixels, and HR has none; measure "
            "another picture"
        )
    ratios = (_roughness(sr)[smooth] + FLOOR) / (of_hr[smooth] + FLOOR)
    return float(ratios.mean()), float(np.percentile(ratios, 99))


def _roughness(y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the roughness of each whole block, in levels²."""
    detail = y - cv2.blur(y, (3, 3))
    rows, columns = (side // BLOCK for side in y.shape)
    blocks = detail[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    roughness: npt.NDArray[np.float64] = np.square(blocks).mean((1, 3))
    return roughness
