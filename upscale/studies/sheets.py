"""Sheets of a study's results: a column per system, a row per picture, all at 100 %.

What sets systems apart stands above them as in figure 8 of Wang et al. 2018, and what is new in a
column is red::

                BN                no       no
                activation        after    before
                          HR      crop     crop
    name of picture       crop    lines    lines
"""

from collections.abc import Sequence

import numpy as np

from upscale.metrics.protocol import METRICS
from upscale.pixels.baselines import Levels
from upscale.studies.outcome import Examined, Outcome
from upscale.studies.tables import steps_of
from upscale.viewing.sheets.page import (
    DIM_TEXT,
    MARGIN,
    TEXT,
    Page,
    drawable,
    leading,
    length_of,
    wrapped,
)

__all__ = ["draw_sheet"]

GAP = 10
"""Pixels between pictures."""
LETTER = 14
"""Pixels."""
WIDEST_NAME = 110
"""Largest width for the name of a picture, in pixels."""
NARROWEST = 88
"""Smallest width of a column, in pixels."""
NEW: tuple[int, int, int] = (255, 96, 80)
"""The colour of the setting that a column changes."""
SHOWN = ("psnr", "lpips-alex")
"""Figures under a crop."""


def draw_sheet(examined: Examined, columns: int | None = None) -> Levels:
    """Draw HR, bicubic and each system: (H, W, 3), uint8.

    ``columns``: systems side by side; further ones go below, with HR and bicubic again.
    """
    page = Page()
    title = f"{examined.study.title}: crops of {examined.pictures.name} at 100 %"
    width = columns or len(examined.outcomes)
    crop = max(NARROWEST, *(each.shape[1] for each in examined.hr.values()))
    names = min(WIDEST_NAME, max(length_of(drawable(name), LETTER) for name in examined.hr))
    room = names + (width + 2) * (crop + GAP)
    top = page.write(MARGIN, MARGIN, wrapped(title, room, LETTER + 3), LETTER + 3, TEXT)
    about = f"{steps_of(examined.outcomes)}. Figures are for whole pictures."
    lines = wrapped(about, room, LETTER)
    top = page.write(MARGIN, top, lines, LETTER, DIM_TEXT) + GAP
    for first in range(0, len(examined.outcomes), width):
        shown = examined.outcomes[first : first + width]
        top = _block(page, examined, shown, top, crop, names) + GAP
    return page.drawn()


def _block(
    page: Page, examined: Examined, shown: Sequence[Outcome], top: int, crop: int, room: int
) -> int:
    """Draw the systems ``shown``, their names ``room`` pixels wide; return the bottom."""
    first = MARGIN + room + GAP
    lefts = [first + number * (crop + GAP) for number in range(len(shown) + 2)]
    names = ["HR", "bicubic", *(each.column.label for each in shown)]
    headings = [wrapped(name, crop, LETTER) for name in names]
    deepest = max(map(len, headings))
    settings = list(shown[0].column.settings)
    under = top + deepest * leading(LETTER)
    for left, lines in zip(lefts, headings, strict=True):
        page.write(left, under - len(lines) * leading(LETTER), lines, LETTER, TEXT)
    for setting in settings:
        question = f"{setting}?"
        right = lefts[2] - GAP - length_of(question, LETTER)
        page.write(right, under, [question], LETTER, DIM_TEXT)
        for left, outcome in zip(lefts[2:], shown, strict=True):
            colour = NEW if outcome.column.changed == setting else TEXT
            page.write(left, under, [outcome.column.settings[setting]], LETTER, colour)
        under += leading(LETTER)
    top = under + GAP // 2
    for name, hr in examined.hr.items():
        page.write(MARGIN, top, wrapped(name, room, LETTER), LETTER, TEXT)
        under = page.add(lefts[0], top, _rgb(hr))
        for left, outcome in zip(lefts[1:], (examined.bicubic, *shown), strict=True):
            below = page.add(left, top, _rgb(outcome.crops[name])) + 2
            figures = outcome.row.pictures[name]
            said = [
                f"{METRICS[each].title} {figures[each]:.{2 if each == 'psnr' else 3}f}"
                for each in SHOWN
                if each in figures
            ]
            lines = [line for text in said for line in wrapped(text, crop, LETTER - 1)]
            under = max(under, page.write(left, below, lines, LETTER - 1, DIM_TEXT))
        top = under + GAP
    return top


def _rgb(pixels: Levels) -> Levels:
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
