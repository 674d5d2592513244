"""Windows of most detail: they lie where the texture is, and never overlap."""

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from upscale.viewing.sheets.crops import textured_crops

Levels = npt.NDArray[np.uint8]


def noise(height: int, width: int, seed: int, channels: int = 3) -> Levels:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (height, width, channels), np.uint8)


def picture_with_patches() -> Levels:
    picture = np.full((300, 400, 3), 120, np.uint8)
    picture[100:148, 200:248] = noise(48, 48, 0)
    picture[220:268, 60:108] = 120 + noise(48, 48, 1) // 8
    picture[:, 350:] = 220  # one long hard edge
    return picture


def test_textured_patches_are_found_in_the_order_of_their_detail() -> None:
    (left, top), (second_left, second_top) = textured_crops(picture_with_patches(), 48, 2)
    assert abs(left - 200) <= 6
    assert abs(top - 100) <= 6
    assert abs(second_left - 60) <= 6
    assert abs(second_top - 220) <= 6
    gray = picture_with_patches()[..., :1]
    assert textured_crops(gray, 48, 1) == textured_crops(gray, 48, 1)


def test_detail_at_the_border_is_left_alone_where_there_is_more_room() -> None:
    picture = np.full((200, 200, 1), 9, np.uint8)
    picture[:20, :20] = noise(20, 20, 0, 1)
    picture[100:110, 100:110] = noise(10, 10, 1, 1)
    ((left, top),) = textured_crops(picture, 64, 1)
    assert (left >= 16, top >= 16) == (True, True)
    assert left <= 100 <= left + 54
    assert top <= 100 <= top + 54


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(1, 60),
    st.integers(0, 5),
    st.sampled_from([1, 3]),
)
@settings(max_examples=60, deadline=None)
def test_windows_lie_within_the_picture_and_never_overlap(
    height: int, width: int, size: int, count: int, channels: int
) -> None:
    found = textured_crops(noise(height, width, 0, channels), size, count)
    assert len(found) <= count
    assert found or not count
    for left, top in found:
        assert 0 <= left <= max(0, width - size)
        assert 0 <= top <= max(0, height - size)
    for index, (left, top) in enumerate(found):
        for other_left, other_top in found[:index]:
            assert abs(left - other_left) >= size or abs(top - other_top) >= size


def test_a_picture_smaller_than_a_window_is_one() -> None:
    assert textured_crops(noise(20, 30, 0), 96, 3) == [(0, 0)]
