"""Daala's SSIM against its program, its definition read out literally, and closed forms.

The figures of DAALA are those of ``calc_ssim`` of ``tools/dump_ssim.c`` (github.com/xiph/daala),
compiled and called with depth 8 and square pixels.
"""

import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from upscale.metrics.daala_ssim import daala_ssim, daala_window
from upscale.metrics.psnr_ssim import luma, without_border
from upscale.pixels.baselines import BASELINES
from upscale.pixels.degrade import crop_to_multiple, degrade

Array = npt.NDArray[Any]

PHOTO = Path(__file__).parents[1] / "data" / "osprey.png"

DAALA = {
    ("coarse", "whole"): 0.908360681574,
    ("coarse", "portrait"): 0.906615414486,
    ("coarse", "narrow"): 0.856029962776,
    ("coarse", "flat"): 0.996306627935,
    ("shifted", "whole"): 0.800837735347,
    ("shifted", "portrait"): 0.807688518036,
    ("shifted", "narrow"): 0.958241564001,
    ("shifted", "flat"): 0.995011202572,
    ("in blocks", "whole"): 0.589303596385,
    ("in blocks", "portrait"): 0.595439248967,
    ("in blocks", "narrow"): 0.777968535490,
    ("in blocks", "flat"): 0.989056134101,
}

PUBLISHED = {
    ("Set5", "nearest"): 0.7552,
    ("Set5", "bicubic"): 0.8211,
    ("Set14", "nearest"): 0.7100,
    ("Set14", "bicubic"): 0.7486,
}
"""Ledig et al. 2017, Table 2."""


def photograph() -> Array:
    """The osprey's luma and its mirror images in whole levels: (300, 390), float64."""
    y = np.floor(luma(np.asarray(Image.open(PHOTO))) + 0.5)
    return np.pad(y, ((0, 172), (0, 262)), "symmetric")


def noise(shape: tuple[int, int], seed: int) -> Array:
    return np.random.default_rng(seed).integers(0, 256, shape)


def literal(a: Array, b: Array) -> float:
    """The definition, window by window."""
    height, width = a.shape
    sigma = height * 1.5 / 256
    taps = [1.0]
    while len(taps) < min(height, width):
        distance = len(taps)
        factor = 256 * math.exp(-(distance**2) / (2 * sigma**2)) / math.sqrt(2 * math.pi) / sigma
        if factor < 0.5:
            break
        taps.append(float(math.floor(factor + 0.5)))
    taps[0] = 256 - 2 * sum(taps[1:])
    total = weights = 0.0
    for y in range(height):
        for x in range(width):
            seen = [
                (taps[abs(i - y)] * taps[abs(j - x)], float(a[i, j]), float(b[i, j]))
                for i in range(height)
                for j in range(width)
                if abs(i - y) < len(taps) and abs(j - x) < len(taps)
            ]
            weight = sum(w for w, _, _ in seen)
            mean_a = sum(w * p for w, p, _ in seen) / weight
            mean_b = sum(w * q for w, _, q in seen) / weight
            variance_a = sum(w * (p - mean_a) ** 2 for w, p, _ in seen) / weight
            variance_b = sum(w * (q - mean_b) ** 2 for w, _, q in seen) / weight
            covariance = sum(w * (p - mean_a) * (q - mean_b) for w, p, q in seen) / weight
            c1, c2 = 2.55**2, 7.65**2
            total += (
                weight
                * (2 * mean_a * mean_b + c1)
                * (2 * covariance + c2)
                / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))
            )
            weights += weight
    return total / weights


DISTORTIONS: dict[str, Callable[[Array], Array]] = {
    "coarse": lambda y: y // 16 * 16,
    "shifted": lambda y: np.roll(y, 1, 1),
    "in blocks": lambda y: y[::4, ::4].repeat(4, 0).repeat(4, 1)[:300, :390],
}
CUTS = {
    "whole": np.s_[:, :],
    "portrait": np.s_[:, :140],
    "narrow": np.s_[:, 100:103],
    "flat": np.s_[:5],
}


@pytest.mark.parametrize(("distortion", "cut"), DAALA)
def test_pictures_read_as_in_daala(distortion: str, cut: str) -> None:
    y = photograph()
    distorted = DISTORTIONS[distortion](y)[CUTS[cut]]
    expected = DAALA[distortion, cut]
    # Half of the last figure, and what 117,000 terms of about 1 are rounded by in float64.
    assert daala_ssim(distorted, y[CUTS[cut]]) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (30, 17), (17, 30), (150, 3)])
def test_small_pictures_read_as_defined(shape: tuple[int, int]) -> None:
    a, b = noise(shape, 0), noise(shape, 1)
    b = (a + b) // 2
    assert daala_ssim(a, b) == pytest.approx(literal(a, b), abs=1e-12)


@pytest.mark.parametrize(
    ("height", "expected"),
    [
        (1, [256]),
        (64, [8, 240, 8]),
        (128, [4, 56, 136, 56, 4]),
        (256, [2, 9, 28, 55, 68, 55, 28, 9, 2]),
        (100_000, [256]),
    ],
)
def test_the_window_grows_with_the_height(height: int, expected: list[int]) -> None:
    # That of 256 rows is also the table of libvmaf's integer_ssim.
    assert daala_window(height, height).tolist() == expected


def test_the_window_is_no_longer_than_the_shorter_side() -> None:
    assert len(daala_window(512, 512)) == 17
    whole, cut = daala_window(512, 512), daala_window(512, 3)
    assert cut[[0, 1, 3, 4]].tolist() == whole[[6, 7, 9, 10]].tolist()
    assert cut.sum() == whole.sum() == 256


def test_the_same_picture_reads_1() -> None:
    y = photograph()
    assert daala_ssim(y, y) == 1


def test_flat_pictures_differ_by_their_level_alone() -> None:
    a, b = np.full((70, 50), 90.0), np.full((70, 50), 120.0)
    c1 = 2.55**2
    expected = (2 * 90 * 120 + c1) / (90**2 + 120**2 + c1)
    assert daala_ssim(a, b) == pytest.approx(expected, abs=1e-9)


def test_pictures_may_change_places_and_be_mirrored() -> None:
    y = photograph()
    other = DISTORTIONS["shifted"](y)
    assert daala_ssim(y, other) == pytest.approx(daala_ssim(other, y), abs=1e-12)
    mirrored = daala_ssim(y[::-1, ::-1], other[::-1, ::-1])
    assert daala_ssim(y, other) == pytest.approx(mirrored, abs=1e-12)


def test_integers_and_floats_read_the_same() -> None:
    y = photograph()
    other = DISTORTIONS["coarse"](y)
    assert daala_ssim(y.astype(np.uint8), other.astype(np.uint8)) == daala_ssim(y, other)


@pytest.mark.parametrize(
    ("first", "second"), [((9, 9), (9, 8)), ((9, 9, 3), (9, 9, 3)), ((0, 9), (0, 9))]
)
def test_other_shapes_are_refused(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{first} and {second}")):
        daala_ssim(np.zeros(first), np.zeros(second))


@pytest.mark.parametrize(("name", "baseline"), PUBLISHED)
def test_the_table_of_the_srgan_paper_is_met(name: str, baseline: str) -> None:
    folder = os.environ.get("UPSCALE_DATA")
    if not folder:
        pytest.skip("UPSCALE_DATA is not set")
    read = []
    for path in sorted((Path(folder) / name / "HR").glob("*.png")):
        pixels = np.asarray(Image.open(path))
        hr = crop_to_multiple(pixels.reshape(*pixels.shape[:2], -1), 4)
        sr = BASELINES[baseline](degrade(hr, 4), 4)
        read.append(daala_ssim(without_border(luma(sr), 4), without_border(luma(hr), 4)))
    assert np.mean(read) == pytest.approx(PUBLISHED[name, baseline], abs=6e-4)
