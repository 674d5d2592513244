"""Colour under full transparency is that of the nearest visible pixel, and nothing else changes."""

import numpy as np
import pytest
from scipy import ndimage

from upscale.pixels.bleed import bleed
from upscale.pixels.image import Pixels

FAR = 10_000
MASK_ERROR = 1.05
"""How much longer than the shortest way OpenCV's chamfer distances (5 × 5) may be, and some."""


def places(height: int, width: int, visible: float, seed: int = 0) -> Pixels:
    """A picture in which each visible pixel's colour is its own place: row, column."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint16)
    opaque = np.random.default_rng(seed).random((height, width)) < visible
    opaque[height // 2, width // 3] = True
    pixels = np.stack((rows, columns, rows ^ columns, opaque * np.uint16(40_000)), 2)
    pixels[~opaque, :3] = 65_535
    return pixels


@pytest.mark.parametrize("visible", [0, 0.001, 0.05, 0.5])
def test_a_clear_pixel_gets_the_colour_of_the_nearest_visible_one(visible: float) -> None:
    pixels = places(60, 45, visible)
    found = bleed(pixels, FAR)
    clear = pixels[..., 3] == 0
    nearest = ndimage.distance_transform_edt(clear)
    rows, columns = np.mgrid[:60, :45]
    towards = np.hypot(found[..., 0] - rows.astype(float), found[..., 1] - columns.astype(float))
    assert (towards <= nearest * MASK_ERROR + 1e-6).all()
    assert not clear[found[..., 0], found[..., 1]].any()


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_opacity_and_visible_colours_stay_as_they_are(channels: int, dtype: type) -> None:
    random = np.random.default_rng(0)
    pixels: Pixels = random.integers(0, 4, (30, 40, channels), dtype)
    before = pixels.copy()
    found = bleed(pixels, FAR)
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(found[..., -1], pixels[..., -1])
    seen = pixels[..., -1] > 0
    np.testing.assert_array_equal(found[seen], pixels[seen])
    assert found.dtype == dtype
    assert {*map(tuple, found[..., :-1].reshape(-1, channels - 1))} <= {
        *map(tuple, pixels[seen][:, :-1])
    }


def test_a_line_of_clear_pixels_is_filled_up_to_the_reach() -> None:
    pixels = np.zeros((1, 12, 2), np.uint8)
    pixels[0, 0] = 200, 255
    for reach in (0, 1, 5, 11, 100):
        filled = min(reach, 11)
        assert bleed(pixels, reach)[0, :, 0].tolist() == [200] * (filled + 1) + [0] * (11 - filled)


@pytest.mark.parametrize("opacity", [0, 1, 255])
def test_where_there_is_nothing_to_do_nothing_is_done(opacity: int) -> None:
    pixels = np.full((5, 6, 4), 77, np.uint8)
    pixels[..., 3] = opacity
    np.testing.assert_array_equal(bleed(pixels, 9), pixels)


@pytest.mark.parametrize("reach", [1, 4, 16])
@pytest.mark.parametrize("visible", [0.002, 0.03, 0.3])
def test_a_band_with_its_surroundings_is_bled_as_the_whole_is(reach: int, visible: float) -> None:
    pixels = places(96, 64, visible, seed=reach)
    whole = bleed(pixels, reach)
    for top in range(0, 96, 12):
        start = max(0, top - reach)
        band = bleed(pixels[start : top + 12 + reach], reach)[top - start :][:12]
        np.testing.assert_array_equal(band, whole[top : top + 12])
