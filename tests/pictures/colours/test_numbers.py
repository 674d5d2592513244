"""What the numbers of H.273 mean, against the formulas, through the profiles made of them."""

import numpy as np
import pytest
from colour_files import BT709, BT2020, P3, in_srgb, made, shown

RAMP = np.random.default_rng(7).integers(0, 256, (32, 32, 3), np.uint8)


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
