"""Profiles laid out by us, against LittleCMS' own."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from colour_files import PUBLISHED, made, shown
from PIL import ImageCms

from upscale.pictures.colours.signals import of_chromaticities

RAMP = np.random.default_rng(7).integers(0, 256, (32, 32, 3), np.uint8)


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


def test_gray_gets_a_profile_of_its_curve_alone() -> None:
    found = of_chromaticities(PUBLISHED[12], 1.0, True)
    assert found is not None
    assert ImageCms.ImageCmsProfile(io.BytesIO(found)).profile.xcolor_space.strip() == "GRAY"


def test_a_profile_of_numbers_names_them() -> None:
    found = made(9, 16)
    at = found.index(b"cicp\0\0\0\0")
    assert found[at + 8 : at + 12] == bytes([9, 16, 0, 1])
    assert found == made(9, 16)
