"""Losses between spectra, beside closed forms and the transform written as a matrix."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from upscale.errors import UsageError
from upscale.training.losses.frequency import FREQUENCY, focal, frequency_l1

HEIGHT, WIDTH = 8, 12
SHAPE = (2, 3, HEIGHT, WIDTH)
PIXELS = HEIGHT * WIDTH

Loss = Callable[[Tensor, Tensor], Tensor]


def wave(amplitude: float, periods: int) -> Tensor:
    """A cosine along the rows, everywhere the same from row to row."""
    x = torch.arange(WIDTH) * (2 * math.pi * periods / WIDTH)
    return (amplitude * x.cos()).expand(SHAPE).clone()


def spot(height: float) -> Tensor:
    """One pixel of each channel, the first."""
    made = torch.zeros(SHAPE)
    made[..., 0, 0] = height
    return made


def slope(loss: Loss, sr: Tensor) -> tuple[float, Tensor]:
    sr = sr.clone().requires_grad_()
    value = loss(sr, torch.zeros(SHAPE))
    (gradient,) = torch.autograd.grad(value, sr)
    return value.item(), gradient


def test_a_wave_costs_half_of_its_amplitude() -> None:
    """Two frequencies hold H·W·A/2 each, and the mean is over H·W frequencies of two parts."""
    value, _ = slope(frequency_l1, wave(0.3, 2))
    assert value == pytest.approx(0.3 / 2, rel=1e-5)


def test_a_spot_has_all_frequencies_alike() -> None:
    """All are A, real: the mean is A/2. Its gradient is the mean of cosines: 0 but at the spot."""
    value, gradient = slope(frequency_l1, spot(0.25))
    assert value == pytest.approx(0.25 / 2, rel=1e-6)
    expected = spot(0.5 / 6)  # of six channels
    assert torch.allclose(gradient, expected, atol=1e-7)


def test_focal_is_the_squared_error_where_all_frequencies_are_alike() -> None:
    """The unitary spectrum of a spot is A / √(H·W) everywhere, so that all weights are 1."""
    value, gradient = slope(focal, spot(0.25))
    assert value == pytest.approx(0.25**2 / PIXELS, rel=1e-5)
    assert torch.allclose(gradient, spot(2 * 0.25 / PIXELS / 6), atol=1e-8)


def test_focal_weighs_by_what_is_wrong_most() -> None:
    """Two waves: A²/2 for the greater, times B/A for the lesser: (A² + B³/A) / 2."""
    great, small = 0.4, 0.1
    value, gradient = slope(focal, wave(great, 1) + wave(small, 3))
    assert value == pytest.approx((great**2 + small**3 / great) / 2, rel=1e-5)
    # The weights are constants: the gradient is that of w |F|², 2 w times each wave, over all.
    count = 6 * PIXELS
    expected = 2 / count * (wave(great, 1) + small / great * wave(small, 3))
    assert torch.allclose(gradient, expected, atol=1e-7)


def direct(name: str, sr: np.ndarray, hr: np.ndarray) -> float:
    rows, columns = (
        np.exp(-2j * np.pi * np.outer(np.arange(n), np.arange(n)) / n) for n in (HEIGHT, WIDTH)
    )
    spectrum = rows @ sr @ columns - rows @ hr @ columns
    if name == "l1":
        return float((np.abs(spectrum.real) + np.abs(spectrum.imag)).mean() / 2)
    size = np.abs(spectrum) / np.sqrt(PIXELS)
    return float((size / size.max((-2, -1), keepdims=True) * size**2).mean())


@pytest.mark.parametrize("name", FREQUENCY)
def test_values_are_those_of_the_transform_as_a_matrix(name: str) -> None:
    random = np.random.default_rng(0)
    sr, hr = random.random(SHAPE), random.random(SHAPE)
    found = FREQUENCY[name](torch.from_numpy(sr), torch.from_numpy(hr))
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(direct(name, sr, hr), rel=1e-5)


@pytest.mark.parametrize("name", FREQUENCY)
def test_equal_pictures_cost_nothing_and_pull_nowhere(name: str) -> None:
    value, gradient = slope(FREQUENCY[name], torch.zeros(SHAPE))
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("name", FREQUENCY)
def test_two_shapes_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="shape"):
        FREQUENCY[name](torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9))


@pytest.mark.parametrize("name", FREQUENCY)
def test_half_precision_comes_out_in_float32(name: str) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert FREQUENCY[name](wave(0.3, 2).bfloat16(), torch.zeros(SHAPE)).dtype == torch.float32
