"""SSIM as ``dump_ssim`` of the Daala video codec measures it; the SRGAN paper prints these figures.

It is the index of Wang et al. 2004 (equation 13) with another window and other edges. The window
grows with the picture: σ = 1.5 px for each 256 rows, as for a viewer at a fixed number of picture
heights. At an edge, only the part of the window within the picture counts. Factors are whole
multiples of 1/256.
"""

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["daala_ssim", "daala_window"]

Samples = npt.NDArray[np.float64]

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""The constants of Wang et al. 2004, section III-B, K1 = 0.01 and K2 = 0.03, peak 255."""

UNIT = 256
"""Sum of the factors of a window along one axis."""


def daala_ssim(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Return the structural similarity of two planes of luma, at most 1.

    ``a``, ``b``: (H, W), 0 to 255, of one shape, without a border; of colour pictures, Y in studio
    range. Raises ValueError for other shapes. A picture that is not square has another figure if it
    is turned by 90°.

    For whole levels the result is that of ``tools/dump_ssim.c`` for 8-bit files. The SRGAN paper's
    table is met most closely if Y is not rounded: on Set5 and Set14, ``upscale bench --ssim daala``
    gives .8210 and .7485 for bicubic (paper: .8211, .7486), and .7547 and .7098 for nearest (paper:
    .7552, .7100).
    """
    if a.ndim != 2 or a.shape != b.shape or not a.size:
        raise ValueError(f"SSIM compares two planes of one shape, not {a.shape} and {b.shape}")
    height, width = a.shape
    taps = daala_window(height, min(height, width))

    def total(samples: Samples) -> Samples:
        summed = cv2.sepFilter2D(samples, cv2.CV_64F, taps, taps, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(summed, np.float64)

    # Sums over windows, with nothing beyond the edges: Σw, Σwa, Σwb, Σwa², … Whole levels keep
    # them whole and below 2⁵³. With mean a = Σwa / Σw and so on, equation 13 times (Σw)⁴ above and
    # below is
    #
    #     (2 Σwa Σwb + C1 (Σw)²) (2 (Σwab Σw - Σwa Σwb) + C2 (Σw)²)
    #     ─────────────────────────────────────────────────────────────────────────────────
    #     ((Σwa)² + (Σwb)² + C1 (Σw)²) (Σwa² Σw - (Σwa)² + Σwb² Σw - (Σwb)² + C2 (Σw)²)
    a, b = a.astype(np.float64), b.astype(np.float64)
    weight = total(np.ones((height, width)))
    sum_a, sum_b = total(a), total(b)
    product, squares = sum_a * sum_b, sum_a * sum_a + sum_b * sum_b
    c1, c2 = C1 * weight**2, C2 * weight**2
    covariance = total(a * b) * weight - product
    variances = total(a * a + b * b) * weight - squares
    similarity = (2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2))
    return float((similarity * weight).sum() / weight.sum())


def daala_window(height: int, longest: int) -> Samples:
    """Return the window along one axis: (2 n + 1,), whole numbers that sum to 256, n < ``longest``.

    ``height``: rows of the picture; σ = 1.5 px for each 256 of them. Factors are rounded to whole
    numbers, and the middle one makes up the sum.
    """
    # The last distance n at which a factor is at least a half, and so is not rounded to nothing:
    # 256 / (√(2π) σ) · exp(-n² / 2σ²) ≥ 1/2  ⇔  n ≤ σ √(-2 ln (√(π/2) σ / 256)).
    sigma = height * 1.5 / 256
    least = math.sqrt(math.pi / 2) * sigma / UNIT
    reach = math.floor(sigma * math.sqrt(-2 * math.log(least))) if least < 1 else 0
    reach = min(reach, longest - 1)
    distances = np.arange(1, reach + 1)
    density = np.exp(-0.5 * (distances / sigma) ** 2) / (math.sqrt(2 * math.pi) * sigma)
    side = np.floor(UNIT * density + 0.5)
    return np.concatenate([side[::-1], [UNIT - 2 * side.sum()], side])
