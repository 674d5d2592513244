"""NIQE: the distance of a picture's statistics from those of undistorted photographs.

Less is better. Mittal, Soundararajan, Bovik 2013, "Making a 'Completely Blind' Image Quality
Analyzer"; equations below are those of that paper. Where it leaves a choice, the authors' MATLAB
program is followed: blocks of 96 × 96 pixels that do not overlap; all of them, sharp or not;
neighbours taken cyclically within a block; and a second scale that is ``imresize(y, 0.5)``.
"""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file

from upscale.errors import InputError, WeightsError
from upscale.models.manifest import Entry
from upscale.pixels.resample import matrix

__all__ = [
    "Pristine",
    "convert_niqe",
    "fit_aggd",
    "load_pristine",
    "mscn",
    "niqe",
]

Samples = npt.NDArray[np.float64]

BLOCK = 96
"""Side of a block in pixels; at half the size it is half as long."""

SHAPES = {"mean": (36,), "covariance": (36, 36), "window": (7, 7)}
MEMBERS = {"mean": "mu_pris_param", "covariance": "cov_pris_param", "window": "gaussian_window"}
"""The arrays of the pristine model: their shapes, and BasicSR's names for them."""

NOTHING = 1e-10
"""Below this, a difference from the local mean is rounding (49 · 255 · 2⁻⁵³ ≈ 1.4e-12).

Coefficients of flat places are set to 0, which counts neither as negative nor as positive. At
±1e-14 they would all count on one side, which moves baboon's figure by 0.0004 and others by 0.4.
"""

NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
"""Steps (down, right) to a coefficient from the neighbour that it is multiplied by."""


@dataclass(frozen=True)
class Pristine:
    """The Gaussian of undistorted photographs, float64."""

    mean: Samples
    """(36,): the mean of a block's features, 18 at the whole size and 18 at half of it."""
    covariance: Samples
    """(36, 36): the covariance of these features."""
    window: Samples
    """(7, 7): the Gaussian window w of equations 2 and 3, of sum 1."""


def load_pristine(path: Path) -> Pristine:
    """Read a converted file. Raises WeightsError for other files."""
    try:
        found = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path}: is damaged or missing ({error}); fetch it again with: "
            "upscale models pull --force niqe"
        ) from error
    return Pristine(**_checked(found, str(path)))


def convert_niqe(raw: Path, entry: Entry) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read BasicSR's ``niqe_pris_params.npz``; a `upscale.models.cache.Convert`.

    Raises WeightsError for other files; nothing that is pickled is opened.
    """
    try:
        with raw.open("rb") as file, np.load(file, allow_pickle=False) as members:
            found = {name: members[member].squeeze() for name, member in MEMBERS.items()}
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        OSError,
        BadZipFile,
    ) as error:
        raise WeightsError(
            f"{raw}: is not a pristine model of NIQE ({error}); download it again"
        ) from error
    return {name: torch.from_numpy(x) for name, x in _checked(found, str(raw)).items()}, {}


def _checked(found: dict[str, npt.NDArray[np.generic]], origin: str) -> dict[str, Samples]:
    if {name: array.shape for name, array in found.items()} != SHAPES:
        raise WeightsError(
            f"{origin}: is not a pristine model of NIQE, which has arrays of the shapes {SHAPES}; "
            "download it again"
        )
    if not all(x.dtype == np.float64 and np.isfinite(x).all() for x in found.values()):
        raise WeightsError(
            f"{origin}: holds NaN, infinity or numbers other than float64; download it again"
        )
    return {name: np.ascontiguousarray(array, np.float64) for name, array in found.items()}


def niqe(y: Samples, pristine: Pristine) -> float:
    """Return NIQE of a picture's luma, at least 0; about 2 to 6 for photographs.

    ``y``: (H, W), float64, 0 to 255: Y in studio range of a colour picture, or the samples of a
    gray one. It is rounded to whole levels, as MATLAB's ``rgb2ycbcr`` does. Pixels beyond the last
    whole block at the right and at the bottom do not count. Baboon has 5.7296.

    Raises InputError (``too-small``) if fewer than two blocks can be described: for a picture below
    96 × 192 pixels (either way up), or a flat one. Raises ValueError if ``y`` is not a plane.
    """
    if y.ndim != 2:
        raise ValueError(f"NIQE measures a plane of luma, not an array of shape {y.shape}")
    height, width = (length - length % BLOCK for length in y.shape)
    if height * width < 2 * BLOCK * BLOCK:
        raise InputError(
            f"NIQE needs two blocks of {BLOCK} × {BLOCK} pixels, "
            f"and {y.shape[1]} × {y.shape[0]} pixels hold fewer; measure a larger picture",
            code="too-small",
        )
    y = np.floor(y[:height, :width] + 0.5)
    half = matrix(height, height // 2) @ y @ matrix(width, width // 2).T
    scales = ((y, BLOCK), (half, BLOCK // 2))
    features = np.hstack([_features(mscn(at, pristine.window), side) for at, side in scales])
    complete = features[~np.isnan(features).any(1)]
    if len(complete) < 2:
        raise InputError(
            "NIQE needs two blocks that are not flat; measure another picture", code="too-small"
        )
    # Equation 10: D² = (ν₁ - ν₂)ᵀ ((Σ₁ + Σ₂) / 2)⁻¹ (ν₁ - ν₂). As in the authors' program, a flat
    # block counts in the mean, with the features that it has, but not in the covariance.
    apart = pristine.mean - np.nanmean(features, 0)
    pooled = (pristine.covariance + np.cov(complete, rowvar=False)) / 2
    inverse = np.linalg.pinv(pooled, rcond=len(pooled) * np.finfo(np.float64).eps, hermitian=True)
    return math.sqrt(apart @ inverse @ apart)


def mscn(y: Samples, window: Samples) -> Samples:
    """Subtract the local mean and divide by the local deviation + 1: equations 1 to 3.

    ``y``: (H, W), float64, 0 to 255; ``window``: (7, 7), of sum 1. Beyond an edge, the last sample
    is repeated. Returns (H, W), float64: mean-subtracted, contrast-normalised coefficients.
    """

    def mean(samples: Samples) -> Samples:
        kept = cv2.filter2D(samples, cv2.CV_64F, window, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(kept, np.float64)

    mu = mean(y)
    sigma = np.sqrt(np.abs(mean(y * y) - mu * mu))
    difference = y - mu
    difference[np.abs(difference) < NOTHING] = 0
    return np.asarray(difference / (sigma + 1), np.float64)


def _features(coefficients: Samples, side: int) -> Samples:
    """Describe each block of ``side`` × ``side`` coefficients: (blocks, 18).

    Two features are the shape and mean scale of the coefficients (equation 5). The others are the
    shape, mean and both scales of their products with the neighbours in each of four directions
    (equations 7 and 8). Features are NaN if a block lacks negative or positive values.
    """
    bands = np.split(coefficients, len(coefficients) // side)
    described = []
    for band in bands:
        blocks = band.reshape(side, -1, side).swapaxes(0, 1)
        shape, left, right = fit_aggd(blocks.reshape(len(blocks), -1))
        columns = [shape, (left + right) / 2]
        for step in NEIGHBOURS:
            products = blocks * np.roll(blocks, step, (1, 2))
            shape, left, right = fit_aggd(products.reshape(len(blocks), -1))
            # Equation 8: η = (β_r - β_l) Γ(2/γ) / Γ(1/γ).
            columns += [shape, (right - left) * _gamma(2 / shape) / _gamma(1 / shape), left, right]
        described.append(np.stack(columns, 1))
    return np.concatenate(described)


def fit_aggd(samples: Samples) -> tuple[Samples, Samples, Samples]:
    """Fit an asymmetric generalised Gaussian (equation 7) to each row by its moments.

    ``samples``: (N, M), float64. Returns the shapes γ, in steps of 0.001 from 0.2 to 10, and the
    scales β_l and β_r of the negative and positive side, (N,) each. If a row has no values on one
    side, the scale of that side is NaN and γ is 0.2.

    Lasmar, Stitou, Berthoumieu 2009, section 3: with r = σ_l / σ_r, where σ² is the mean square of
    the values of one sign,

        Γ(2/γ)² / (Γ(1/γ) Γ(3/γ)) = (E|x|)² / E x² · (r³ + 1) (r + 1) / (r² + 1)²,
        β = σ √(Γ(1/γ) / Γ(3/γ)).
    """
    squares = samples * samples
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.sqrt(_mean_where(squares, samples < 0))
        right = np.sqrt(_mean_where(squares, samples > 0))
        skew = left / right
        ratio = np.abs(samples).mean(1) ** 2 / squares.mean(1)
        ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shapes, between = _shapes()
    shape = shapes[np.where(np.isnan(ratio), 0, np.searchsorted(between, ratio))]
    scale = np.sqrt(_gamma(1 / shape) / _gamma(3 / shape))
    return shape, left * scale, right * scale


def _mean_where(values: Samples, mask: npt.NDArray[np.bool_]) -> Samples:
    return np.asarray(np.einsum("ij,ij->i", values, mask) / mask.sum(1))


@cache
def _shapes() -> tuple[Samples, Samples]:
    """Return the shapes that are tried, and the midpoints between the ratios of neighbouring ones.

    The ratio grows with the shape, so bisection finds the nearest one.
    """
    shapes = np.arange(200, 10001) / 1000
    ratios = _gamma(2 / shapes) ** 2 / (_gamma(1 / shapes) * _gamma(3 / shapes))
    return shapes, (ratios[1:] + ratios[:-1]) / 2


def _gamma(x: Samples) -> Samples:
    """Return Γ of each of (N,) positive numbers: (N,)."""
    return np.array([math.gamma(value) for value in x])
