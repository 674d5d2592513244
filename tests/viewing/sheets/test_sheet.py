"""Sheets of pictures: every pixel where it should be, every word within its place."""

import numpy as np
import numpy.typing as npt
import pytest

from upscale.viewing.sheets.page import BACKGROUND, MARGIN
from upscale.viewing.sheets.sheet import Panel, contact_sheet, mark

Levels = npt.NDArray[np.uint8]


def noise(height: int, width: int, seed: int, channels: int = 3) -> Levels:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (height, width, channels), np.uint8)


def found(sheet: Levels, picture: Levels) -> tuple[int, int]:
    """Return left and top of the one place where ``picture`` stands in ``sheet``, to the pixel."""
    height, width = picture.shape[:2]
    places = []
    for top, left in np.argwhere((sheet == picture[0, 0]).all(2)):
        window = sheet[top : top + height, left : left + width]
        if window.shape[:2] == (height, width) and (window == picture).all():
            places.append((int(left), int(top)))
    assert len(places) == 1
    return places[0]


def ink(sheet: Levels, left: int, top: int, right: int, bottom: int) -> npt.NDArray[np.bool_]:
    window: npt.NDArray[np.bool_] = (sheet[top:bottom, left:right] != BACKGROUND).any(2)
    return window


# Pictures


def test_pictures_stand_side_by_side_at_100_per_cent() -> None:
    pictures = [noise(40, 120, seed) for seed in range(3)]
    sheet = contact_sheet({"": [Panel(each, f"picture {n}") for n, each in enumerate(pictures)]})
    places = [found(sheet, picture) for picture in pictures]
    lefts, tops = zip(*places, strict=True)
    assert len(set(tops)) == 1
    assert lefts[0] == MARGIN
    assert lefts[1] - lefts[0] == lefts[2] - lefts[1] > 120
    assert sheet.shape == (tops[0] + 40 + MARGIN, lefts[2] + 120 + MARGIN, 3)


def test_columns_are_in_line_over_rows_of_other_sizes() -> None:
    pictures = [noise(10 + 5 * n, 100 + 13 * n, n) for n in range(5)]
    panels = [Panel(picture, "ab"[n % 2]) for n, picture in enumerate(pictures)]
    sheet = contact_sheet({"first": panels[:2], "second": panels[2:4], "third": panels[4:]})
    lefts, tops = zip(*(found(sheet, picture) for picture in pictures), strict=True)
    assert lefts[0] == lefts[2] == lefts[4]
    assert lefts[1] == lefts[3] > lefts[4] + 148
    assert tops[0] == tops[1] < tops[2] == tops[3] < tops[4]


def test_nothing_lies_in_the_margins() -> None:
    panel = Panel(noise(20, 30, 0), "a title of some words that is long", ("29.18 dB  LPIPS .088",))
    sheet = contact_sheet({"a row": [panel], "another": [panel]}, Panel(noise(9, 9, 1), "head"))
    inside = np.zeros(sheet.shape[:2], bool)
    inside[MARGIN:-MARGIN, MARGIN:-MARGIN] = True
    assert (sheet[~inside] == BACKGROUND).all()


@pytest.mark.parametrize("shape", [(20, 100), (20, 100, 1)])
def test_gray_is_drawn_in_three_equal_channels(shape: tuple[int, ...]) -> None:
    gray = noise(20, 100, 0, 1)
    sheet = contact_sheet({"": [Panel(gray.reshape(shape))]})
    assert found(sheet, np.repeat(gray, 3, 2)) == (MARGIN, MARGIN)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.uint16),
        np.zeros((4, 4, 3), np.float32),
        np.zeros(4, np.uint8),
    ],
)
def test_other_arrays_are_refused(pixels: Levels) -> None:
    with pytest.raises(ValueError, match="panel"):
        contact_sheet({"": [Panel(pixels)]})


def test_a_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="pictures"):
        contact_sheet({"a": []})


# Words


def test_titles_and_lines_stay_within_the_width_of_their_picture() -> None:
    first, second = noise(30, 110, 0), noise(30, 110, 1)
    long = "model_with_a_very_long_name_without_any_space.safetensors and some words"
    sheet = contact_sheet({"": [Panel(first, long, (long, "29.18 dB")), Panel(second)]})
    (left, top), (right, _) = found(sheet, first), found(sheet, second)
    assert ink(sheet, left, 0, left + 110, top).any()
    assert ink(sheet, left, top + 30, left + 110, len(sheet)).any()
    assert not ink(sheet, left + 110, 0, right, len(sheet)).any()
    assert not ink(sheet, right, 0, sheet.shape[1], top).any()


def test_a_title_stands_once_above_its_column() -> None:
    keys = [(row, title) for row in "ab" for title in "xy"]
    pictures = {key: noise(20, 100, seed) for seed, key in enumerate(keys)}
    rows = {row: [Panel(pictures[row, title], title) for title in "xy"] for row in "ab"}
    sheet = contact_sheet(rows)
    places = {key: found(sheet, picture) for key, picture in pictures.items()}
    assert places["a", "x"][0] == places["b", "x"][0] < places["a", "y"][0] == places["b", "y"][0]
    left, top = places["a", "x"]
    assert ink(sheet, left, 0, left + 100, top).any()
    assert not ink(sheet, left, top + 20, left + 100, places["b", "x"][1]).any()
    for row in "ab":
        left, top = places[row, "x"]
        assert ink(sheet, 0, top - 5, left, top + 20).any()


def test_a_row_without_a_column_leaves_its_place_free() -> None:
    left, right, below = (noise(20, 100, seed) for seed in range(3))
    sheet = contact_sheet({"a": [Panel(left, "x"), Panel(right, "y")], "b": [Panel(below, "y")]})
    assert found(sheet, below)[0] == found(sheet, right)[0]
    assert not ink(
        sheet, found(sheet, left)[0], found(sheet, below)[1], found(sheet, below)[0], len(sheet)
    ).any()


def test_two_pictures_of_one_title_in_a_row_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^a: "):
        contact_sheet({"a": [Panel(noise(5, 5, 0), "x"), Panel(noise(5, 5, 1), "x")]})


@pytest.mark.parametrize("width", [200, 900])
def test_a_heading_stands_above_with_its_text_beside_or_under_it(width: int) -> None:
    head, picture = noise(50, 80, 0), noise(20, width, 1)
    sheet = contact_sheet({"": [Panel(picture)]}, Panel(head, "title", ("a line", "another")))
    assert found(sheet, head) == (MARGIN, MARGIN)
    assert found(sheet, picture)[1] > MARGIN + 50
    beside = ink(sheet, MARGIN + 80, 0, sheet.shape[1], MARGIN + 50).any()
    assert beside == (width == 900)


# Rectangles


def test_a_rectangle_is_drawn_around_its_window_and_nowhere_else() -> None:
    marked = mark(np.full((200, 300, 3), 90, np.uint8), [(100, 60, 80, 50)])
    white = (marked[60:110, 100:180] == 255).all(2)
    for edge in (white[0, 30:], white[-1], white[:, 0], white[:, -1]):
        assert edge.all()
    assert (marked[62:108, 102:178] == 90).all()
    elsewhere = np.full((200, 300), True)
    elsewhere[59:111, 99:181] = False
    tag = marked[30:60, 100:130]
    assert (tag == 255).any()
    elsewhere[30:60, 100:130] = False
    assert (marked[elsewhere] == 90).all()


def test_rectangles_show_on_black_and_white_and_numbers_differ() -> None:
    for level in (0, 255):
        marked = mark(
            np.full((100, 200, 1), level, np.uint8), [(20, 20, 60, 60), (110, 20, 60, 60)]
        )
        line = marked[79, 50:70]
        assert {0, 255} <= set(marked[77:82, 60].ravel().tolist())
        assert (line == 255).all()
        assert (marked[:20, 20:80] != marked[:20, 110:170]).any()


@pytest.mark.parametrize(
    "window", [(0, 0, 10, 10), (190, 95, 10, 5), (0, 0, 200, 100), (5, 5, 1, 1)]
)
def test_windows_at_the_border_and_tiny_ones_are_marked_too(
    window: tuple[int, int, int, int],
) -> None:
    plain = np.full((100, 200, 3), 90, np.uint8)
    marked = mark(plain, [window])
    assert marked.shape == plain.shape
    left, top, width, height = window
    assert (marked[top + height - 1, left : left + width] == 255).all()
    white = (marked == 255).all(2)
    assert white.sum() > 60  # the number's field
