"""Labelled sheets of pictures, each pixel of them at 100 %.

A sheet is rows of cells; titles stand above the pictures and figures under them::

    heading picture   heading title
                      lines beside it

                      title      title      title
    name of the row   picture    picture    picture
                      lines      lines      lines
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from upscale.pixels.baselines import Levels
from upscale.viewing.page import (
    DIM_TEXT,
    MARGIN,
    TEXT,
    Page,
    font_of,
    leading,
    length_of,
    wrapped,
)

__all__ = [
    "Panel",
    "contact_sheet",
    "mark",
    "strip",
    "textured_crops",
]

GAP = 12
"""Pixels between pictures."""

SMALLEST, LARGEST = 13, 24
"""Pixels of a letter, from its ascent to its descent."""

LETTERS_ACROSS = 16
"""A picture is about twice as many letters wide; narrower ones get `NARROWEST` pixels of room."""

NARROWEST = 96
WIDEST_NAME = 200
NARROWEST_HEADING = 280
"""Pixels that text has: a cell at least, a row's name at most, a heading beside its picture."""


@dataclass(frozen=True)
class Panel:
    """A picture and what is said of it.

    ``pixels``: (h, w, 3) RGB or (h, w), (h, w, 1) gray, uint8; of no pixels where there is only
    text. ``title`` stands above it, ``lines`` under it. Any text: it is wrapped to the picture's
    width, and letters that the font lacks are spelt.
    """

    pixels: Levels
    title: str = ""
    lines: tuple[str, ...] = ()


def strip(
    panels: Sequence[Panel], columns: int | None = None, heading: Panel | None = None
) -> Levels:
    """Put pictures side by side, ``columns`` in a row or all in one.

    Returns (H, W, 3), uint8. ``heading``: a picture above them, its text at its right. No picture
    is resampled. Raises ValueError for no panels, or pictures of another kind than `Panel` says.
    """
    across = len(panels) if columns is None else columns
    if not panels or across < 1:
        raise ValueError(f"{len(panels)} pictures in {columns} columns")
    rows: list[list[Panel | None]] = [
        list(panels[first : first + across]) for first in range(0, len(panels), across)
    ]
    return _sheet(rows, [""] * len(rows), heading)


def contact_sheet(rows: Mapping[str, Sequence[Panel]], heading: Panel | None = None) -> Levels:
    """Put a table of pictures together: a row for each key, a column for each title.

    A title stands once, above its column; a row without it leaves the place free. Lines stand under
    each picture, the keys at the left. Otherwise as `strip`. Raises ValueError also where two
    panels of a row have one title.
    """
    titles = list(dict.fromkeys(panel.title for row in rows.values() for panel in row))
    table: list[list[Panel | None]] = []
    for name, row in rows.items():
        by_title = {panel.title: panel for panel in row}
        if len(by_title) < len(row):
            raise ValueError(f"{name}: two pictures have one title")
        table.append([by_title.get(title) for title in titles])
    if not titles:
        raise ValueError("a sheet without pictures")
    return _sheet(table, list(rows), heading, titles)


def mark(pixels: Levels, windows: Sequence[tuple[int, int, int, int]]) -> Levels:
    """Draw numbered rectangles, from 1 on: (h, w, 3), uint8, as `Panel` takes them.

    ``windows``: left, top, width and height of each in pixels. The line is white between black, so
    that it shows on any picture; the number stands above it or, where there is no room, below.
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


def textured_crops(hr: Levels, size: int, count: int) -> list[tuple[int, int]]:
    """Find the windows of most detail: (left, top) of at most ``count``, the richest first.

    ``hr``: (H, W, 1 or 3), uint8; ``size``: pixels a side of a window. They do not overlap; where
    there is room they keep half a side apart, and a quarter away from the border. Where the picture
    is smaller than a window, that begins at 0. Detail is the sum of the gradient's length, so that
    texture counts for more than one hard edge. Places are multiples of an eighth of ``size``, or of
    a pixel.
    """
    if size < 1 or count < 0:
        raise ValueError(f"{count} windows of {size} pixels")
    step = max(1, size // 8)
    sums = np.pad(_detail(hr, step), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    tops, lefts = (_places(length, size, step) for length in hr.shape[:2])
    top, left = tops // step, lefts // step
    bottom, right = (
        np.minimum(first + size // step, sums.shape[axis] - 1)
        for axis, first in enumerate((top, left))
    )
    detail = (
        sums[np.ix_(bottom, right)]
        - sums[np.ix_(top, right)]
        - sums[np.ix_(bottom, left)]
        + sums[np.ix_(top, left)]
    )
    found: list[tuple[int, int]] = []
    for apart in (size * 3 // 2, size):
        left_over, found = detail.copy(), []
        while len(found) < count and np.isfinite(left_over).any():
            row, column = np.unravel_index(np.argmax(left_over), left_over.shape)
            found.append((int(lefts[column]), int(tops[row])))
            near = np.ix_(np.abs(tops - tops[row]) < apart, np.abs(lefts - lefts[column]) < apart)
            left_over[near] = -np.inf
        if len(found) == count:
            break
    return found


def _detail(hr: Levels, step: int) -> npt.NDArray[np.float64]:
    """Sum the gradient's length over squares of ``step`` pixels, a row of squares at a time."""
    rows = []
    for top in range(0, len(hr), step):
        gray = hr[top : top + step + 1].mean(2, dtype=np.float32)
        down, across = (np.diff(gray, axis=axis, append=gray.take([-1], axis)) for axis in (0, 1))
        columns = np.hypot(down, across)[:step].sum(0, np.float64)
        rows.append(np.add.reduceat(columns, np.arange(0, len(columns), step)))
    return np.array(rows)


def _places(length: int, size: int, step: int) -> npt.NDArray[np.int64]:
    """Return where windows may begin: multiples of ``step``, away from the border if they can."""
    room = max(0, length - size)
    away = min(size // 4, room // 2)
    inner = np.arange(-(-away // step) * step, room - away + 1, step)
    return inner if inner.size else np.arange(0, room + 1, step)


def _sheet(
    rows: Sequence[Sequence[Panel | None]],
    names: Sequence[str],
    heading: Panel | None,
    titles: Sequence[str] | None = None,
) -> Levels:
    """Lay rows out under a heading; ``titles``: of the columns, None for each panel's own."""
    widths = [
        max(NARROWEST, *(_as_rgb(panel.pixels).shape[1] for panel in column if panel))
        for column in zip_longest(*rows)
    ]
    size = _size_for(sorted(widths)[len(widths) // 2])
    named = [wrapped(name, WIDEST_NAME, size) for name in names]
    lefts = [MARGIN + max((length_of(line, size) for name in named for line in name), default=0)]
    lefts[0] += GAP if lefts[0] > MARGIN else 0
    for width in widths:
        lefts.append(lefts[-1] + width + GAP)
    page = Page()
    top = MARGIN
    if heading is not None:
        top = _add_heading(page, heading, lefts[-1] - GAP - MARGIN, size) + MARGIN
    for number, (row, name) in enumerate(zip(rows, named, strict=True)):
        if titles is None:
            above = [panel.title if panel else "" for panel in row]
        else:
            above = list(titles) if number == 0 else []
        words = [wrapped(text, width, size) for text, width in zip(above, widths, strict=False)]
        most = max(map(len, words), default=0)
        for left, lines in zip(lefts, words, strict=False):
            page.write(left, top + (most - len(lines)) * leading(size), lines, size, TEXT)
        top += most * leading(size) + (GAP // 2 if most else 0)
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


def _add_heading(page: "Page", heading: Panel, width: int, size: int) -> int:
    """Place the heading's picture, and its text beside it or, where that is narrow, under it."""
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
        raise ValueError(f"a panel is (h, w[, 1 or 3]) of uint8, not {pixels.shape} {pixels.dtype}")
    return np.ascontiguousarray(np.broadcast_to(planes, (*planes.shape[:2], 3)))
