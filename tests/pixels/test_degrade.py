"""MATLAB's bicubic: closed forms, published figures, and the LR files that everybody uses."""

import os
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
from PIL import Image

from upscale.metrics.psnr_ssim import luma, psnr, ssim, without_border
from upscale.pixels.baselines import BASELINES
from upscale.pixels.degrade import (
    Degradation,
    blur_and_subsample,
    crop_to_multiple,
    degrade,
    imresize,
)

BENCH = Path(os.environ.get("UPSCALE_DATA", "/nowhere"))


def keys_matrix(length: int, new_length: int) -> np.ndarray:
    """MATLAB's bicubic along an axis, sample by sample, from the definition of ``imresize``."""
    ratio = new_length / length
    stretch = min(ratio, 1.0)
    matrix = np.zeros((new_length, length))
    for i in range(new_length):
        centre = (i + 1) / ratio + 0.5 * (1 - 1 / ratio)  # MATLAB counts from 1
        left = int(np.floor(centre - 2 / stretch))
        for j in range(left, left + int(np.ceil(4 / stretch)) + 2):
            x = abs(stretch * (centre - j))
            if x <= 1:
                value = 1.5 * x**3 - 2.5 * x**2 + 1
            elif x <= 2:
                value = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
            else:
                value = 0.0
            mirrored = (j - 1) % (2 * length)
            matrix[i, min(mirrored, 2 * length - 1 - mirrored)] += value
    return matrix / matrix.sum(1, keepdims=True)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_one_rounding_is_the_matrix_product_rounded(scale: int) -> None:
    hr = np.random.default_rng(0).integers(0, 256, (24, 36, 3), np.uint8)
    rows, columns = keys_matrix(24, 24 // scale), keys_matrix(36, 36 // scale)
    exact = np.einsum("ih,hwc,jw->ijc", rows, hr.astype(float), columns)
    made = degrade(hr, scale, "double")
    assert np.abs(made - exact.clip(0, 255)).max() <= 0.5 + 1e-9


def test_two_roundings_round_between_the_passes() -> None:
    hr = np.random.default_rng(0).integers(0, 256, (24, 36, 1), np.uint8)
    rows, columns = keys_matrix(24, 6), keys_matrix(36, 9)
    between = np.floor(np.einsum("ih,hwc->iwc", rows, hr.astype(float)) + 0.5).clip(0, 255)
    exact = np.einsum("jw,iwc->ijc", columns, between)
    assert np.array_equal(degrade(hr, 4), np.floor(exact + 0.5).clip(0, 255).astype(np.uint8))


def test_the_rules_differ_by_one_level_in_some_samples() -> None:
    hr = np.random.default_rng(3).integers(0, 256, (128, 128, 3), np.uint8)
    difference = np.abs(degrade(hr, 4).astype(int) - degrade(hr, 4, "double"))
    assert difference.max() == 1
    assert 0.02 < (difference > 0).mean() < 0.3


@pytest.mark.parametrize("rule", get_args(Degradation))
def test_a_flat_picture_stays_flat(rule: Degradation) -> None:
    hr = np.full((16, 20, 3), 137, np.uint8)
    assert (degrade(hr, 4, rule) == 137).all()


def test_a_half_is_rounded_upwards() -> None:
    # Two pixels of 0 and 1 beside each other, mirrored: the mean of each row is 1/2 exactly.
    hr = np.tile(np.array([[0], [1]], np.uint8), (2, 4))[..., None]
    assert (imresize(hr, 1, 1, "double") == 1).all()


def test_what_is_no_multiple_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\b8 × 10\b.* 4$"):
        degrade(np.zeros((10, 8, 3), np.uint8), 4)


def test_the_crop_takes_rows_below_and_columns_at_the_right() -> None:
    hr = np.arange(11 * 14).reshape(11, 14, 1)
    assert np.array_equal(crop_to_multiple(hr, 4), hr[:8, :12])


def test_nothing_left_to_crop_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\b90 × 3\b.* 4 × 4$"):
        crop_to_multiple(np.zeros((3, 90, 3)), 4)


def pictures(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    folder = BENCH / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not at hand; UPSCALE_DATA names the folder that holds it")
    pairs = []
    for path in sorted((folder / "HR").iterdir()):
        hr, lr = (
            np.atleast_3d(np.asarray(Image.open(p))) for p in (path, folder / "LRbicx4" / path.name)
        )
        pairs.append((crop_to_multiple(hr, 4), lr))
    return pairs


@pytest.mark.parametrize("name", ["Set5", "Set14"])
def test_the_usual_lr_files_bit_for_bit(name: str) -> None:
    for hr, lr in pictures(name):
        assert np.array_equal(degrade(hr, 4), lr)


PUBLISHED = [
    # Wang et al. 2018, supplement, table 2 (Wang SSIM); Ledig et al. 2017, table 2 (another SSIM)
    ("bicubic", "Set5", 28.42, 0.8104),
    ("bicubic", "Set14", 26.00, 0.7027),
    ("nearest", "Set5", 26.26, None),
    ("nearest", "Set14", 24.64, None),
]


@pytest.mark.parametrize(("name", "pictures_of", "db", "similarity"), PUBLISHED)
def test_the_published_figures_of_the_baselines(
    name: str, pictures_of: str, db: float, similarity: float | None
) -> None:
    found = []
    for hr, lr in pictures(pictures_of):
        sr = without_border(luma(BASELINES[name](lr, 4)), 4)
        seen = without_border(luma(hr), 4)
        found.append((psnr(sr, seen), ssim(sr, seen)))
    mean_db, mean_ssim = np.mean(found, 0)
    assert mean_db == pytest.approx(db, abs=0.01)
    assert similarity is None or mean_ssim == pytest.approx(similarity, abs=0.001)


# A Gaussian, then subsampling


def levels(samples: np.ndarray) -> np.ndarray:
    return np.floor(samples + 0.5).clip(0, 255).astype(np.uint8)


def unlike(one: np.ndarray, other: np.ndarray) -> int:
    """Samples that differ, none by more than a level: those that lie at a half."""
    difference = np.abs(one.astype(int) - other.astype(int))
    assert difference.max() <= 1
    return int((difference > 0).sum())


@pytest.mark.parametrize("sigma", [0.5, 1.6, 3.0])
@pytest.mark.parametrize("scale", [1, 3])
def test_a_blur_around_pixels_is_that_of_scipy(scale: int, sigma: float) -> None:
    """Where the scale is odd, the centre of an LR pixel is that of an HR pixel."""
    hr = np.random.default_rng(0).integers(0, 256, (24, 36, 3), np.uint8)
    blurred = scipy.ndimage.gaussian_filter(hr.astype(float), (sigma, sigma, 0), mode="reflect")
    first = scale // 2
    made = blur_and_subsample(hr, scale, sigma)
    assert unlike(made, levels(blurred[first::scale, first::scale])) <= 1


@pytest.mark.parametrize("sigma", [0.8, 1.6])
@pytest.mark.parametrize("scale", [2, 4])
def test_a_blur_between_pixels_is_that_of_scipy(scale: int, sigma: float) -> None:
    """Elsewhere it lies between two, and the kernel has as many taps on either side."""
    hr = np.random.default_rng(1).integers(0, 256, (24, 36, 3), np.uint8)
    reach = int(4 * sigma + 0.5)
    kernel = scipy.stats.norm.pdf(np.arange(-reach + 0.5, reach), scale=sigma)
    blurred = hr.astype(float)
    for axis in (0, 1):  # sample i of it lies at i - 1/2
        blurred = scipy.ndimage.correlate1d(blurred, kernel / kernel.sum(), axis, mode="reflect")
    made = blur_and_subsample(hr, scale, sigma)
    assert unlike(made, levels(blurred[scale // 2 :: scale, scale // 2 :: scale])) <= 1


@pytest.mark.parametrize("sigma", [0.1, 1.6, 20.0])
def test_a_blur_moves_no_picture_and_keeps_what_is_flat(sigma: float) -> None:
    hr = np.random.default_rng(2).integers(0, 256, (16, 24, 1), np.uint8)
    made = blur_and_subsample(hr, 4, sigma)
    assert np.array_equal(blur_and_subsample(hr[::-1, ::-1], 4, sigma), made[::-1, ::-1])
    assert (blur_and_subsample(np.full((8, 8, 3), 77, np.uint8), 4, sigma) == 77).all()


def test_a_picture_smaller_than_its_blur_is_mirrored_again_and_again() -> None:
    hr = np.array([[10, 210]], np.uint8).repeat(2, 0)[..., None]
    assert blur_and_subsample(hr, 2, 5.0).item() == 110


def test_a_blur_refuses_sides_that_are_no_multiples() -> None:
    with pytest.raises(ValueError, match="9 × 8"):
        blur_and_subsample(np.zeros((8, 9, 3), np.uint8), 4, 1.6)
