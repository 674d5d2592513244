"""PSNR, RMSE and SSIM as the papers measure them: in double precision, on Y, without a border."""

from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

__all__ = [
    "LUMA",
    "PEAK",
    "Samples",
    "SsimKind",
    "luma",
    "psnr",
    "rmse",
    "ssim",
    "without_border",
]

Array = npt.NDArray[Any]
Samples = npt.NDArray[np.float64]

SsimKind = Literal["wang", "scikit-image"]
"""Two of the definitions that are called SSIM; see `ssim`."""

PEAK = 255.0
"""The greatest level."""

LUMA = (65.481, 128.553, 24.966)
"""What R, G and B of 1 add to the 16 levels of black in Y of ITU-R BT.601."""

C1, C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
"""The constants of Wang et al. 2004, section III-B, K1 = 0.01 and K2 = 0.03."""


def luma(pixels: Array) -> Samples:
    """Return Y of ITU-R BT.601 in studio range: (H, W), float64, 16 to 235, not rounded.

    ``pixels``: (H, W, 3) RGB or (H, W, 1) gray, 0 to 255. The samples of a gray picture are Y as
    they stand, 0 to 255; as R = G = B they would be compressed to 219 levels.
    """
    if pixels.shape[2] == 1:
        return pixels[..., 0].astype(np.float64)
    y: Samples = 16 + pixels.astype(np.float64) @ np.array(LUMA) / PEAK
    return y


def without_border(pixels: Array, border: int) -> Array:
    """Return ``pixels``, (H, W, …), without ``border`` pixels at each edge.

    Raises ValueError if nothing is left.
    """
    height, width = pixels.shape[:2]
    if min(height, width) <= 2 * border:
        raise ValueError(
            f"a picture of {width} × {height} pixels has none left without its border of "
            f"{border} px; measure a larger one"
        )
    return pixels[border : height - border, border : width - border]


def psnr(sr: Array, hr: Array) -> float:
    """Return the peak signal-to-noise ratio in dB; infinite for equal pictures.

    ``sr``, ``hr``: of any one shape, 0 to 255.
    """
    error = np.mean((sr.astype(np.float64) - hr.astype(np.float64)) ** 2)
    return float(10 * np.log10(PEAK**2 / error)) if error else float("inf")


def rmse(sr: Array, hr: Array) -> float:
    """Return the root of the mean squared error in levels, 0 to 255; arguments as for `psnr`."""
    return float(np.sqrt(np.mean((sr.astype(np.float64) - hr.astype(np.float64)) ** 2)))


def ssim(sr: Array, hr: Array, kind: SsimKind = "wang") -> float:
    """Return the structural similarity (Wang et al. 2004, equation 13, averaged), at most 1.

    ``sr``, ``hr``: (H, W) or (H, W, C), of one shape, 0 to 255; channels are averaged. Both kinds
    average over the windows that lie within the picture. ``wang`` is the authors' own program: a
    Gaussian window of 11 × 11 pixels, σ = 1.5, population covariance. ``scikit-image`` is that
    library's default: a flat window of 7 × 7 pixels, sample covariance. Raises ValueError for
    pictures smaller than the window.
    """
    size = 11 if kind == "wang" else 7
    if min(sr.shape[:2]) < size:
        raise ValueError(
            f"SSIM needs {size} × {size} pixels or more, not {sr.shape[1]} × {sr.shape[0]}; "
            "measure a larger picture"
        )
    taps = cv2.getGaussianKernel(size, 1.5) if kind == "wang" else np.full((size, 1), 1 / size)
    unbiased = 1.0 if kind == "wang" else size**2 / (size**2 - 1)

    def mean(samples: Samples) -> Samples:
        inner = size // 2
        filtered = cv2.sepFilter2D(samples, cv2.CV_64F, taps, taps)
        return np.asarray(filtered[inner:-inner, inner:-inner])

    a, b = sr.astype(np.float64), hr.astype(np.float64)
    mean_a, mean_b = mean(a), mean(b)
    variance_a = unbiased * (mean(a * a) - mean_a**2)
    variance_b = unbiased * (mean(b * b) - mean_b**2)
    covariance = unbiased * (mean(a * b) - mean_a * mean_b)
    similarity = ((2 * mean_a * mean_b + C1) * (2 * covariance + C2)) / (
        (mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2)
    )
    return float(similarity.mean())
