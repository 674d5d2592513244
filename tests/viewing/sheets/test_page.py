"""Words on a sheet: contrast, letters that the font lacks, lines."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upscale.viewing.sheets.page import BACKGROUND, DIM_TEXT, TEXT, drawable, length_of, wrapped


@pytest.mark.parametrize("colour", [TEXT, DIM_TEXT])
def test_text_has_the_contrast_that_wcag_asks_for_at_its_strictest(colour: Sequence[int]) -> None:
    assert contrast(colour, BACKGROUND) >= 7
    assert len(set(colour)) == len(set(BACKGROUND)) == 1  # no tint beside the pictures


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("srgan α 0.2", "srgan alpha 0.2"),
        ("4×, 3–5 −1", "4x, 3-5 -1"),
        ("Ärger in São Tomé", "Arger in Sao Tome"),
        ("写真.png", "??.png"),
        ("a\tb", "a?b"),
        ("100 % · “x” …", "100 % · “x” …"),
    ],
)
def test_what_the_font_lacks_is_spelt(text: str, drawn: str) -> None:
    assert drawable(text) == drawn


@given(st.text(alphabet="ab mW-.", max_size=60), st.integers(40, 200), st.sampled_from([13, 24]))
@settings(max_examples=50, deadline=None)
def test_wrapped_lines_fit_and_lose_no_letter(text: str, width: int, size: int) -> None:
    lines = wrapped(text, width, size)
    assert all(length_of(line, size) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_lines_break_where_two_spaces_stand_before_anywhere_else() -> None:
    assert wrapped("29.18 dB  LPIPS .088", 96, 13) == ["29.18 dB", "LPIPS .088"]
    assert wrapped("29.18 dB  LPIPS .088", 300, 13) == ["29.18 dB  LPIPS .088"]
    assert wrapped("crop 1\nat 3,4", 300, 13) == ["crop 1", "at 3,4"]


def contrast(a: Sequence[int], b: Sequence[int]) -> float:
    """WCAG 2.2, relative luminance and contrast ratio."""
    luminance = []
    for colour in (a, b):
        value = np.array(colour) / 255
        linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        luminance.append(float(linear @ (0.2126, 0.7152, 0.0722)))
    return (max(luminance) + 0.05) / (min(luminance) + 0.05)
