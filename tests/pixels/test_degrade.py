"""MATLAB's bicubic: closed forms, published figures, and the LR files that everybody uses."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from upscale.metrics.psnr_ssim import luma, psnr, ssim, without_border
from upscale.pixels.baselines import BASELINES
from upscale.pixels.degrade import DEGRADATIONS, crop_to_multiple, degrade, imresize

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


@pytest.mark.parametrize("rule", DEGRADATIONS)
def test_a_flat_picture_stays_flat(rule: str) -> None:
    hr = np.full((16, 20, 3), 137, np.uint8)
    assert (degrade(hr, 4, rule) == 137).all()  # type: ignore[arg-type]


def test_a_half_is_rounded_upwards() -> None:
    # Two pixels of 0 and 1 beside each other, mirrored: the mean of each row is 1/2 exactly.
    hr = np.tile(np.array([[0], [1]], np.uint8), (2, 4))[..., None]
    assert (imresize(hr, 1, 1, "double") == 1).all()


def test_what_is_no_multiple_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 4"):
        degrade(np.zeros((10, 8, 3), np.uint8), 4)


def test_the_crop_takes_rows_below_and_columns_at_the_right() -> None:
    hr = np.arange(11 * 14).reshape(11, 14, 1)
    assert np.array_equal(crop_to_multiple(hr, 4), hr[:8, :12])


def test_nothing_left_to_crop_is_refused() -> None:
    with pytest.raises(ValueError, match="less than 4 × 4"):
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
