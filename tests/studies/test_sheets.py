"""Sheets hold each crop as it is, and mark what is new in a column."""

from typing import Any

import numpy as np

from upscale.pixels.baselines import Levels
from upscale.studies.sheets import NEW, draw_sheet


def places(sheet: Levels, crop: Levels) -> list[tuple[int, int]]:
    """Where the sheet holds ``crop``."""
    windows = np.lib.stride_tricks.sliding_window_view(sheet, crop.shape[:2], (0, 1))
    corner = np.argwhere((sheet[: windows.shape[0], : windows.shape[1]] == crop[0, 0]).all(2))
    same = [(t, n) for t, n in corner if np.array_equal(windows[t, n].transpose(1, 2, 0), crop)]
    return [(int(top), int(left)) for top, left in same]


def reds(sheet: Levels) -> Levels:
    """The columns of pixels in which something has the colour of what is new."""
    return np.flatnonzero((sheet == NEW).all(2).any(0))


def test_every_crop_stands_in_its_column_and_row(ablation: Any) -> None:
    examined = ablation.examined
    sheet = draw_sheet(examined)
    tops, lefts = list[int](), set[tuple[int, int]]()
    for name, hr in examined.hr.items():
        (hr_place,) = places(sheet, hr)
        (bicubic_place,) = places(sheet, examined.bicubic.crops[name])
        assert hr_place[0] == bicubic_place[0]
        for outcome in examined.outcomes:  # two that are black are alike
            assert hr_place[0] in {top for top, _ in places(sheet, outcome.crops[name])}
        tops.append(hr_place[0])
        lefts.add((hr_place[1], bicubic_place[1]))
    assert len(set(tops)) == len(tops) == 2
    assert len(lefts) == 1


def test_what_is_new_is_red_once_a_column(ablation: Any) -> None:
    sheet = draw_sheet(ablation.examined)
    name = next(iter(ablation.examined.hr))
    (_, first), *_ = places(sheet, ablation.examined.outcomes[0].crops[name])
    red = reds(sheet)
    # Column 2 of the figure has nothing before it; each of the others has one sign that is new.
    assert red.min() > first + 90
    gaps = np.flatnonzero(np.diff(red) > 40)
    assert len(gaps) + 1 == len(ablation.examined.outcomes) - 1


def test_where_nothing_is_said_to_change_nothing_is_red(content: Any) -> None:
    assert reds(draw_sheet(content.examined)).size == 0


def test_systems_beyond_a_row_stand_below(depth: Any) -> None:
    wide, high = draw_sheet(depth.examined), draw_sheet(depth.examined, 2)
    assert high.shape[1] < wide.shape[1]
    assert high.shape[0] > wide.shape[0]
    name = next(iter(depth.examined.hr))
    assert len(places(high, depth.examined.hr[name])) == 2
