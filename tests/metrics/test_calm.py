"""Calm: roughness where HR is smooth, against values worked out by hand."""

import numpy as np
import pytest

from upscale.errors import InputError
from upscale.metrics.calm import calm


def test_a_picture_has_its_own_calm() -> None:
    y = np.random.default_rng(0).normal(128, 0.5, (64, 96))
    assert calm(y, y) == (1.0, 1.0)


def test_noise_on_a_flat_picture_has_its_variance() -> None:
    # The mean over 3 × 3 takes a ninth of white noise's variance away: (8/9 σ² + .1) / .1.
    sigma = 3.0
    sr = np.random.default_rng(1).normal(128, sigma, (512, 512))
    mean, _ = calm(sr, np.full((512, 512), 128.0))
    expected = (8 / 9 * sigma**2 + 0.1) / 0.1
    assert mean == pytest.approx(expected, rel=4 * (2 / 512**2) ** 0.5 * 3)


def test_two_rough_blocks_in_a_hundred_are_the_percentile() -> None:
    # 98 blocks have ratio 1. In the stripes of 128 and 137 each column is 6 levels off the mean
    # over three columns: roughness 36, but at the edges of the stripes.
    sr = np.full((160, 160), 128.0)
    sr[:16, :32:2] += 9
    mean, top = calm(sr, np.full((160, 160), 128.0))
    assert top == pytest.approx((36 + 0.1) / 0.1, rel=0.2)
    assert mean == pytest.approx((98 + 2 * top) / 100, rel=0.1)


def test_rough_places_of_the_original_do_not_count() -> None:
    rng = np.random.default_rng(2)
    hr = np.full((64, 64), 128.0)
    hr[:, 32:] += rng.normal(0, 20, (64, 32))
    sr = hr.copy()
    sr[:, 34:] = rng.normal(128, 60, (64, 30))
    mean, top = calm(sr, hr)
    assert mean == pytest.approx(1.0)
    assert top == pytest.approx(1.0)


@pytest.mark.parametrize("shape", [(64, 48), (8, 64)])
def test_what_cannot_be_measured_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(InputError):
        calm(np.zeros((64, 64)), np.zeros(shape))


def test_a_picture_that_is_rough_everywhere_is_refused() -> None:
    y = np.random.default_rng(3).normal(128, 20, (64, 64))
    with pytest.raises(InputError):
        calm(y, y)
