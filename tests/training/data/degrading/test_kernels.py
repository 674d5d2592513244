"""Kernels against closed forms, scipy's Bessel function and their own definition."""

from math import gamma, pi

import numpy as np
import pytest
from scipy import special

from upscale.training.data.degrading.degradations import PRESETS, Blurs
from upscale.training.data.degrading.kernels import Kernel, draw_kernel, gaussian, plateau, sinc

OFFSETS = np.arange(21) - 10.0
BLURS = {
    f"{name}-{which}": stage.blurs
    for name, preset in PRESETS.items()
    for which, stage in (("first", preset.first), ("second", preset.second))
}


def covariance(kernel: Kernel) -> Kernel:
    """Second central moments in x and y; the first must be 0."""
    offsets = np.arange(len(kernel)) - len(kernel) // 2
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    np.testing.assert_allclose([(kernel * x).sum(), (kernel * y).sum()], 0, atol=1e-12)
    return np.array(
        [[(kernel * a * b).sum() for a in (x, y)] for b in (x, y)],
    )


@pytest.mark.parametrize("sigma", [0.8, 1.0, 1.7])
def test_a_gaussian_has_the_sigma_asked_for(sigma: float) -> None:
    # That samples of a Gaussian have its variance holds to exp(-2 π² σ²).
    expected = np.eye(2) * sigma**2
    np.testing.assert_allclose(covariance(gaussian(21, (sigma, sigma))), expected, atol=2e-4)


@pytest.mark.parametrize("angle", [0.0, 0.3, pi / 4, 2.5])
def test_a_long_gaussian_points_where_it_is_turned(angle: float) -> None:
    along, across = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    expected = 2.0**2 * np.outer(along, along) + 1.2**2 * np.outer(across, across)
    np.testing.assert_allclose(covariance(gaussian(31, (2.0, 1.2), angle)), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [0.7, 1.0, 1.5, 3.0])
def test_a_generalized_gaussian_has_the_variance_of_its_density(shape: float) -> None:
    # E[r²] in the plane is the ratio of two integrals of r^n exp(-(r/σ)^(2 shape) / 2).
    sigma = 3.0
    variance = sigma**2 * 2 ** (1 / shape) * gamma(2 / shape) / gamma(1 / shape) / 2
    kernel = gaussian(121, (sigma, sigma), shape=shape)
    np.testing.assert_allclose(covariance(kernel), np.eye(2) * variance, rtol=0.01, atol=1e-9)


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("angle", [0.0, pi / 2])
def test_a_plateau_is_half_as_high_at_sigma(shape: float, angle: float) -> None:
    kernel = plateau(21, (3.0, 5.0), angle, shape)
    centre, x, y = kernel[10, 10], kernel[10, 13], kernel[15, 10]
    if angle:
        x, y = kernel[13, 10], kernel[10, 15]
    np.testing.assert_allclose([x / centre, y / centre], 0.5)


@pytest.mark.parametrize("size", [7, 13, 21])
@pytest.mark.parametrize("cutoff", [pi / 5, pi / 3, 2.0, pi])
def test_a_sinc_is_the_formula_of_the_paper(size: int, cutoff: float) -> None:
    offsets = np.arange(size) - size // 2
    radii = np.hypot(offsets, offsets[:, None])
    radii[size // 2, size // 2] = 1e-9
    expected = cutoff * special.j1(cutoff * radii) / (2 * pi * radii)
    np.testing.assert_allclose(sinc(size, cutoff), expected / expected.sum(), atol=1e-9)


@pytest.mark.parametrize("cutoff", [pi / 3, pi / 2, 2.0])
def test_a_sinc_passes_what_is_below_its_cut_off(cutoff: float) -> None:
    response = np.abs(np.fft.fft2(sinc(21, cutoff), (256, 256)))
    frequencies = 2 * pi * np.abs(np.fft.fftfreq(256))
    radius = np.hypot(frequencies, frequencies[:, None])
    within = [
        response[np.abs(radius - cutoff * share) < 0.03].mean() for share in (0.5, 0.7, 1, 1.3, 1.5)
    ]
    np.testing.assert_allclose(within, [1, 1, 0.5, 0, 0], atol=0.12)


@pytest.mark.parametrize("blurs", BLURS.values(), ids=BLURS)
def test_what_is_drawn_is_centred_whole_and_of_a_size_asked_for(blurs: Blurs) -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        kernel = draw_kernel(random, blurs)
        assert len(kernel) in blurs.sizes
        assert kernel.shape == (len(kernel), len(kernel))
        np.testing.assert_allclose(kernel.sum(), 1)
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)


def test_kinds_come_as_often_as_asked_for() -> None:
    # A sinc alone has negative values; of the others, the long ones are not their own transpose.
    random = np.random.default_rng(1)
    kernels = [draw_kernel(random, PRESETS["real"].first.blurs) for _ in range(2000)]
    rings = np.mean([kernel.min() < 0 for kernel in kernels])
    symmetric = [np.allclose(k, k.T) and np.allclose(k, k[::-1]) for k in kernels]
    # 0.25 + 0.03 + 0.03 of nine tenths; of narrow ones, a few cannot be told from round.
    long = 1 - np.mean(symmetric)
    assert abs(rings - 0.1) < 0.03
    assert abs(long - 0.9 * 0.31) < 0.03


def test_half_of_the_shapes_lie_below_1() -> None:
    blurs = Blurs(1, (3, 3), (21,), (("generalized", 1, 0),), (0.5, 4), (1, 2), 0)
    random = np.random.default_rng(2)
    reference = gaussian(21, (3, 3))
    # A shape above 1 puts less into the corners than the Gaussian has there.
    pointed = [draw_kernel(random, blurs)[0, 0] > reference[0, 0] for _ in range(1000)]
    assert abs(np.mean(pointed) - 0.5) < 0.05
