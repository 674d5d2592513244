"""When a profile is made of what a file says, and when none is needed."""

from pathlib import Path

import pytest
from colour_files import PUBLISHED

from upscale.pictures.colours.signals import (
    Signals,
    doubts,
    of_chromaticities,
    of_code_points,
)
from upscale.pixels.image import CodePoints


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


def test_numbers_that_no_byte_holds_lead_to_a_profile_only() -> None:
    for points in (CodePoints(300, 16), CodePoints(12, 301)):
        said = Signals(points)
        assert said.profile(gray=False) is not None
        assert said.beyond_srgb(gray=False) is None
    assert Signals(CodePoints(12, 255)).beyond_srgb(gray=False) == CodePoints(12, 255)


def test_numbers_of_no_meaning_are_named() -> None:
    path = Path("a.png")
    for points in (CodePoints(3, 13), CodePoints(1, 200), CodePoints(99, 99), CodePoints(300, 1)):
        assert str(path) in doubts(path, Signals(points))[0]
    for numbers in ((1, 13), (0, 0), (2, 2), (9, 16), (9, 18), (12, 13)):
        assert doubts(path, Signals(CodePoints(*numbers))) == ()
