"""Places for labels beside their points, so that no label covers another: greedy, nearest first.

adjustText 1.4.0 (MIT; it needs SciPy) cannot leave a label out. On the tests' planes it took 5 to
20 times as long, put up to three labels onto points, and let two overlap.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

__all__ = ["Box", "Point", "places"]

Point = tuple[float, float]

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""

Dots = npt.NDArray[np.float64]
"""Points: (N, 2)."""

DIRECTIONS = (0, 30, -30, 60, -60, 90, -90, 120, -120, 150, -150, 180)
"""Degrees from a point to its label, the best one first: a label reads best at the right."""

CROSSING = 4
"""Rings that a label goes further out to keep off a curve, or away from another point."""

STRAY = 1.25
"""All other points should be at least this many times as far from a label as its own point."""

NEAR = 1
"""The outermost ring at which an optional label still visibly belongs to its point."""


def places(
    points: Sequence[Point],
    sizes: Sequence[tuple[float, float]],
    needed: Sequence[bool],
    within: Box,
    curves: Sequence[Sequence[Point]] = (),
    gap: float = 8.0,
) -> list[Point | None]:
    """Choose the centre of each point's label; all lengths are in one unit, such as pixels.

    ``sizes``: width and height of each label; ``within``: where they must lie; ``curves``: lines
    that they avoid; ``gap``: distance from a point to its label, half of which stays free around
    every point. Labels that are ``needed`` are placed first and always get a place: if there is no
    room, at the right of the point. Another one is left out (None) if no place near its point is
    good.
    """
    ink = np.array([each for curve in curves for each in _walk(curve, gap / 2)]).reshape(-1, 2)
    dots = np.array(points).reshape(-1, 2)
    taken = [(x - gap / 2, y - gap / 2, x + gap / 2, y + gap / 2) for x, y in points]
    chosen: list[Point | None] = [None] * len(points)
    for index in sorted(range(len(points)), key=lambda index: not needed[index]):
        (x, y), (width, height) = points[index], sizes[index]
        best = math.inf if needed[index] else NEAR + 1
        for ring, centre in _around(points[index], sizes[index], within, gap):
            if ring >= best:
                break
            box = _box(centre, sizes[index])
            if not _inside(box, within) or any(_overlap(box, other) for other in taken):
                continue
            away = _distances(box, dots)
            astray = (np.delete(away, index) < STRAY * away[index]).any()
            covers = (_distances(box, ink) == 0).any()
            hidden = _hidden((x, y), box, ink, taken[len(points) :], gap)
            cost = ring + CROSSING * (bool(astray) + bool(covers) + hidden)
            if cost < best:
                best, chosen[index] = cost, centre
        if needed[index] and chosen[index] is None:
            chosen[index] = x + gap + width / 2, y
        if (at := chosen[index]) is not None:
            taken.append(_box(at, (width, height)))
    return chosen


def _around(
    point: Point, size: tuple[float, float], within: Box, gap: float
) -> Iterator[tuple[int, Point]]:
    """Yield ring and centre of each place around a point, from the nearest on."""
    (x, y), (width, height) = point, size
    reach = math.hypot(within[2] - within[0], within[3] - within[1])
    for ring in range(math.ceil(2 * reach / gap)):
        distance = gap * (1 + ring / 2)
        for angle in map(math.radians, DIRECTIONS):
            across = x + math.cos(angle) * (distance + width / 2)
            yield ring, (across, y + math.sin(angle) * (distance + height / 2))


def _box(centre: Point, size: tuple[float, float]) -> Box:
    (x, y), (width, height) = centre, size
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _inside(box: Box, within: Box) -> bool:
    lower = box[0] >= within[0] and box[1] >= within[1]
    return lower and box[2] <= within[2] and box[3] <= within[3]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _hidden(point: Point, box: Box, ink: Dots, labels: Sequence[Box], gap: float) -> bool:
    """Say whether a curve or another label lies between a point and its label.

    Close to the point curves do not count, since the point may lie on one.
    """
    x, y = (min(max(at, box[axis]), box[axis + 2]) for axis, at in enumerate(point))
    sight = np.array(list(_walk([point, (x, y)], gap / 4)))
    if any((_distances(label, sight) == 0).any() for label in labels):
        return True
    beyond = sight[np.hypot(*(sight - point).T) > gap * 0.6]
    return any((np.hypot(*(ink - at).T) < gap / 3).any() for at in beyond)


def _distances(box: Box, dots: Dots) -> Dots:
    """Return how far points, (N, 2), are from a box; 0 within it."""
    low, high = np.array(box[:2]), np.array(box[2:])
    across, up = np.maximum(0, np.maximum(low - dots, dots - high)).T
    distances: Dots = np.hypot(across, up)
    return distances


def _walk(curve: Sequence[Point], step: float) -> Iterator[Point]:
    """Yield points along a broken line, at most ``step`` apart."""
    for (x0, y0), (x1, y1) in pairwise(curve):
        count = math.ceil(math.hypot(x1 - x0, y1 - y0) / step)
        for part in range(count + 1):
            share = part / max(1, count)
            yield x0 + share * (x1 - x0), y0 + share * (y1 - y0)
