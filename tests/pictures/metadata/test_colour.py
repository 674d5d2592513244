"""Profiles made of numbers, against LittleCMS' own and against the formulas."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from colour_files import BT709, BT2020, P3, in_srgb, shown
from PIL import ImageCms

from upscale.pictures.metadata.colour import (
    Signals,
    doubts,
    of_chromaticities,
    of_code_points,
)
from upscale.pixels.image import CodePoints

RAMP = np.random.default_rng(7).integers(0, 256, (32, 32, 3), np.uint8)

PUBLISHED = {
    1: (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060),
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (0.3127, 0.3290, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
"""ITU-T H.273, table 2."""


def made(primaries: int, transfer: int, full: bool = True) -> bytes:
    found = of_code_points(CodePoints(primaries, transfer, full), False)
    assert found is not None
    return found


def by_littlecms(numbers: Sequence[float], gamma: float) -> bytes:
    imagecodecs = pytest.importorskip("imagecodecs")
    white, *primaries = [(*numbers[at : at + 2], 1.0) for at in (0, 2, 4, 6)]
    flat = [each for point in primaries for each in point]
    profile: bytes = imagecodecs.cms_profile("rgb", whitepoint=white, primaries=flat, gamma=gamma)
    return profile


@pytest.mark.parametrize("number", PUBLISHED)
def test_primaries_are_those_of_littlecms(number: int) -> None:
    reference = by_littlecms(PUBLISHED[number], 2.2)
    np.testing.assert_array_equal(shown(RAMP, made(number, 4)), shown(RAMP, reference))


@pytest.mark.parametrize("gamma", [0.3, 0.45455, 1.0, 1.8])
def test_gama_and_chrm_are_those_of_littlecms(gamma: float) -> None:
    found = of_chromaticities(PUBLISHED[12], gamma, False)
    assert found is not None
    reference = by_littlecms(PUBLISHED[12], 1 / gamma)
    np.testing.assert_allclose(shown(RAMP, found), shown(RAMP, reference), atol=1)


@pytest.mark.parametrize(
    ("colours", "number", "transfer"),
    [(P3, 12, 13), (BT2020, 9, 13), (BT709, 1, 8), (BT709, 1, 4), (BT709, 1, 16), (BT2020, 9, 16)],
)
def test_colours_are_those_of_the_formulas(
    colours: tuple[tuple[float, float], ...], number: int, transfer: int
) -> None:
    expected = in_srgb(RAMP, colours, transfer)
    assert np.abs(shown(RAMP, made(number, transfer)) - expected).max() < 3


@pytest.mark.parametrize(("transfer", "sample"), [(16, 0.5807), (18, 0.75)])
def test_the_white_of_paper_is_white(transfer: int, sample: float) -> None:
    """203 cd/m² are 58 % of PQ and 75 % of HLG (ITU-R BT.2408, table 1)."""
    steps = np.array([sample - 0.02, sample, 1.0])[None, :, None].repeat(3, 2)
    found = shown(np.rint(255 * steps).astype(np.uint8), made(1, transfer))[0, :, 0]
    assert found[0] < 250
    assert found[1] >= 254
    assert found[2] == 255


@pytest.mark.parametrize(("transfer", "darkest"), [(7, 25), (17, 0), (5, 0)])
def test_other_curves_rise_from_black_to_white(transfer: int, darkest: int) -> None:
    gray = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    found = shown(gray, made(1, transfer))[0, :, 1].astype(int)
    assert (np.diff(found) >= 0).all()
    assert (found[0], found[-1]) == (0, 255)
    assert abs(found[10] - darkest) <= 1  # by the formula of each, of 10 / 255


def test_the_curve_of_smpte_240m_is_the_formula() -> None:
    gray = np.array([10, 23, 64, 128, 200], np.uint8)
    v = gray / 255
    light = np.where(v < 0.0912, v / 4, ((v + 0.1115) / 1.1115) ** (1 / 0.45))
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    found = shown(gray[None, :, None].repeat(3, 2), made(1, 7))[0, :, 0]
    np.testing.assert_allclose(found, expected, atol=1)


def test_television_range_begins_at_16_and_ends_at_235() -> None:
    gray = np.array([0, 16, 126, 235, 255], np.uint8)[None, :, None].repeat(3, 2)
    found = shown(gray, made(1, 13, full=False))[0, :, 0]
    np.testing.assert_allclose(found, [0, 0, 128, 255, 255], atol=1)


@pytest.mark.parametrize("transfer", [0, 1, 2, 6, 11, 13, 14, 15])
def test_what_is_shown_as_srgb_needs_no_profile(transfer: int) -> None:
    for primaries in (0, 1, 2):
        assert of_code_points(CodePoints(primaries, transfer), False) is None
    assert of_code_points(CodePoints(12, transfer), True) is None  # gray has no primaries


@pytest.mark.parametrize(
    ("colours", "gamma"),
    [
        (None, None),
        (None, 0.45455),
        (PUBLISHED[1], 0.45455),
        ((0.313, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06), None),
        (None, 0.0),
        (None, 40_000.0),
        (PUBLISHED[1], 0.0),
    ],
)
def test_chunks_that_say_srgb_or_nothing_need_no_profile(
    colours: tuple[float, ...] | None, gamma: float | None
) -> None:
    assert of_chromaticities(colours, gamma, False) is None


@pytest.mark.parametrize(
    "colours", [(0.0,) * 8, (0.3127, 0.3290, *(0.3, 0.3) * 3), (20_000.0,) * 8]
)
def test_impossible_primaries_say_nothing(colours: tuple[float, ...]) -> None:
    assert of_chromaticities(colours, None, False) is None


def test_gray_gets_a_profile_of_its_curve_alone() -> None:
    found = of_chromaticities(PUBLISHED[12], 1.0, True)
    assert found is not None
    assert ImageCms.ImageCmsProfile(io.BytesIO(found)).profile.xcolor_space.strip() == "GRAY"


def test_a_profile_of_numbers_names_them() -> None:
    found = made(9, 16)
    at = found.index(b"cicp\0\0\0\0")
    assert found[at + 8 : at + 12] == bytes([9, 16, 0, 1])
    assert found == made(9, 16)


def test_numbers_of_no_meaning_are_named() -> None:
    path = Path("a.png")
    for points in (CodePoints(3, 13), CodePoints(1, 200), CodePoints(99, 99)):
        assert str(path) in doubts(path, Signals(points))[0]
    for numbers in ((1, 13), (0, 0), (2, 2), (9, 16), (9, 18), (12, 13)):
        assert doubts(path, Signals(CodePoints(*numbers))) == ()
