"""Labelled sheets of pictures, all of them at 100 %.

A sheet has rows of cells. Titles stand above the pictures, and lines under them::

    heading picture   heading title
                      lines beside it

                      title      title      title
    name of the row   picture    picture    picture
                      lines      lines      lines
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from upscale.pixels.baselines import Levels
from upscale.viewing.sheets.page import (
    DIM_TEXT,
    MARGIN,
    TEXT,
    Page,
    font_of,
    leading,
    length_of,
    wrapped,
)

__all__ = ["Panel", "contact_sheet", "mark"]

GAP = 12
"""Pixels between pictures."""

SMALLEST, LARGEST = 13, 24
"""Sizes of the font in pixels per em."""

LETTERS_ACROSS = 16
"""The width of a picture in sizes of the font, between these limits."""

NARROWEST = 96
"""Pixels for the text of a cell, at least."""
WIDEST_NAME = 200
"""Pixels for the name of a row, at most."""
NARROWEST_HEADING = 280
"""Pixels for a heading's text beside its picture; if there are fewer, it goes below."""


@dataclass(frozen=True)
class Panel:
    """A picture and its text, which is wrapped to the width of its column."""

    pixels: Levels
    """(h, w, 3) RGB, or (h, w) or (h, w, 1) gray, uint8; empty if there is only text."""
    title: str = ""
    """What stands above the picture."""
    lines: tuple[str, ...] = ()
    """What stands under it."""


def contact_sheet(rows: Mapping[str, Sequence[Panel]], heading: Panel | None = None) -> Levels:
    """Lay out a table of pictures: a row for each key, a column for each title.

    A key stands left of its row, and a title once above its column. If a row lacks a title, the
    cell is empty. ``heading``: a picture above the table, with its text at its right or below it.
    Returns (H, W, 3), uint8; no picture is resampled. Raises ValueError if there are no panels, if
    pixels are not as `Panel.pixels` says, or if a title occurs twice in a row.
    """
    titles = list(dict.fromkeys(panel.title for row in rows.values() for panel in row))
    table: dict[str, list[Panel | None]] = {}
    for name, row in rows.items():
        by_title = {panel.title: panel for panel in row}
        if len(by_title) < len(row):
            raise ValueError(f"{name}: two pictures of this row have the same title")
        table[name] = [by_title.get(title) for title in titles]
    if not titles:
        raise ValueError("a sheet needs pictures, and no row has any")
    return _sheet(table, titles, heading)


def mark(pixels: Levels, windows: Sequence[tuple[int, int, int, int]]) -> Levels:
    """Return ``pixels`` with numbered rectangles, from 1 on: (h, w, 3), uint8.

    ``pixels``: as in `Panel`; ``windows``: left, top, width and height in pixels. A white line
    between two black ones shows on any picture. The number stands above its rectangle, or below it
    if there is no room.
    """
    sheet = Image.fromarray(_as_rgb(pixels))
    draw = ImageDraw.Draw(sheet)
    size = _size_for(sheet.width * 2 // 3)
    for number, (left, top, width, height) in enumerate(windows, 1):
        box = (left, top, left + width - 1, top + height - 1)
        for inset, colour in ((-1, (0, 0, 0)), (0, (255, 255, 255)), (1, (0, 0, 0))):
            inner = (box[0] + inset, box[1] + inset, box[2] - inset, box[3] - inset)
            if inner[0] <= inner[2] and inner[1] <= inner[3]:
                draw.rectangle(inner, outline=colour)
        text = str(number)
        tag_width, tag_height = length_of(text, size) + size // 2, leading(size)
        tag_left = max(0, min(left, sheet.width - tag_width))
        tag_top = top - tag_height if top >= tag_height else top + height
        tag_top = tag_top if tag_top + tag_height <= sheet.height else max(0, top)
        draw.rectangle(
            (tag_left, tag_top, tag_left + tag_width - 1, tag_top + tag_height - 1),
            fill=(255, 255, 255),
            outline=(0, 0, 0),
        )
        middle = (tag_left + tag_width / 2, tag_top + tag_height / 2)
        draw.text(middle, text, (0, 0, 0), font_of(size), "mm")
    return np.asarray(sheet)


def _sheet(
    table: Mapping[str, Sequence[Panel | None]], titles: Sequence[str], heading: Panel | None
) -> Levels:
    """Lay out the rows of a table under a heading and the titles of its columns."""
    widths = [
        max(NARROWEST, *(_as_rgb(panel.pixels).shape[1] for panel in column if panel))
        for column in zip(*table.values(), strict=True)
    ]
    size = _size_for(sorted(widths)[len(widths) // 2])
    names = [wrapped(name, WIDEST_NAME, size) for name in table]
    lefts = [MARGIN + max((length_of(line, size) for name in names for line in name), default=0)]
    lefts[0] += GAP if lefts[0] > MARGIN else 0
    for width in widths:
        lefts.append(lefts[-1] + width + GAP)
    page = Page()
    top = MARGIN
    if heading is not None:
        top = _add_heading(page, heading, lefts[-1] - GAP - MARGIN, size) + MARGIN
    words = [wrapped(title, width, size) for title, width in zip(titles, widths, strict=True)]
    most = max(map(len, words))
    for left, lines in zip(lefts, words, strict=False):
        page.write(left, top + (most - len(lines)) * leading(size), lines, size, TEXT)
    top += most * leading(size) + (GAP // 2 if most else 0)
    for row, name in zip(table.values(), names, strict=True):
        bottom = page.write(MARGIN, top - size // 5, name, size, TEXT)
        for left, width, panel in zip(lefts, widths, row, strict=False):
            if panel is not None:
                under = page.add(left, top, _as_rgb(panel.pixels))
                for line in panel.lines:
                    lines = wrapped(line, width, size)
                    under = page.write(left, under + GAP // 4, lines, size, DIM_TEXT)
                bottom = max(bottom, under)
        top = bottom + 2 * GAP
    return page.drawn()


def _add_heading(page: Page, heading: Panel, width: int, size: int) -> int:
    """Place the heading's picture, and its text beside it, or below if there is no room.

    Returns the bottom of both.
    """
    picture = _as_rgb(heading.pixels)
    below = page.add(MARGIN, MARGIN, picture)
    left = MARGIN + (picture.shape[1] + 2 * GAP if picture.size else 0)
    top, room = MARGIN, MARGIN + width - left
    if room < NARROWEST_HEADING:
        top, room = below + (GAP if picture.size else 0), max(width, NARROWEST_HEADING)
        left = MARGIN
    large = size * 4 // 3
    top = page.write(left, top, wrapped(heading.title, room, large), large, TEXT) + GAP // 2
    for line in heading.lines:
        top = page.write(left, top, wrapped(line, room, size), size, DIM_TEXT) + GAP // 2
    return max(below, top)


def _size_for(width: int) -> int:
    return max(SMALLEST, min(LARGEST, width // LETTERS_ACROSS))


def _as_rgb(pixels: Levels) -> Levels:
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    if planes.dtype != np.uint8 or planes.ndim != 3 or planes.shape[2] not in (1, 3):
        raise ValueError(
            f"the pixels of a panel are (h, w) or (h, w, 1 or 3) of uint8, not {pixels.shape} of "
            f"{pixels.dtype}"
        )
    return np.ascontiguousarray(np.broadcast_to(planes, (*planes.shape[:2], 3)))
