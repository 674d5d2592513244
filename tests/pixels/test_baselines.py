"""The baselines against other libraries."""

import cv2
import numpy as np
import pytest
from PIL import Image

from upscale.pixels.baselines import BASELINES

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", list(BASELINES))
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_size_and_a_flat_colour_are_kept(name: str, scale: int, channels: int) -> None:
    lr = np.full((5, 7, channels), 200, np.uint8)
    large = BASELINES[name](lr, scale)
    assert large.shape == (5 * scale, 7 * scale, channels)
    assert large.dtype == np.uint8
    assert (large == 200).all()


def test_nearest_is_that_of_opencv() -> None:
    lr = RANDOM.integers(0, 256, (6, 9, 3), np.uint8)
    expected = cv2.resize(lr, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    assert np.array_equal(BASELINES["nearest"](lr, 4), expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_bicubic_and_lanczos_are_near_those_of_pillow(channels: int) -> None:
    # Away from the edges, where Pillow leaves out what MATLAB mirrors; Pillow rounds in between.
    lr = RANDOM.integers(60, 190, (20, 24, channels), np.uint8)
    picture = Image.fromarray(lr.squeeze())
    for name, method in (
        ("bicubic", Image.Resampling.BICUBIC),
        ("lanczos", Image.Resampling.LANCZOS),
    ):
        expected = np.atleast_3d(np.asarray(picture.resize((96, 80), method))).astype(int)
        difference = np.abs(BASELINES[name](lr, 4) - expected)[12:-12, 12:-12]
        assert difference.max() <= 1
