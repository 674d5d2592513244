"""One axis cut into spans with context, and windows that sum to 1. Pure arithmetic, in LR pixels.

A grid is the product of two axes. Along one axis, two neighbours that meet at ``b``::

    tile k      ──────core──────┤b├┄┄┄┄overlap┄┄┄┄┤
    tile k+1    ├┄┄┄┄overlap┄┄┄┄├b┤──────core──────
    window k    1111111111111111╲
    window k+1                  ╱1111111111111111
                              ├──┤ 2 · ramp

Each network pass sees the core and ``overlap`` pixels of context on both sides. The outer part of
the context is spoiled by the network's padding and thrown away; only a short ramp in the middle
of the overlap is blended. At the picture's own edges there is no context and no ramp.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["RAMP", "Span", "rising_window", "spans"]

RAMP = 4
"""Half the width of the blend, in LR pixels, where the overlap has room for it."""


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in LR pixels.

    ``[start, stop)`` is the core: cores partition the axis. ``[lr_start, lr_stop)`` is what the
    network sees, clipped to the axis. ``ramp_before`` and ``ramp_after`` are the half-widths of
    the blends with the neighbours; the tile contributes to
    ``[start - ramp_before, stop + ramp_after)``.
    """

    start: int
    stop: int
    lr_start: int
    lr_stop: int
    ramp_before: int
    ramp_after: int


def spans(length: int, tile: int, overlap: int, align: int = 1) -> list[Span]:
    """Cut an axis of ``length`` pixels into cores of at most ``tile`` pixels, nearly equal.

    ``tile`` 0 means one span. ``align`` is the network's own grid (its pixel-unshuffle factor):
    every span starts on a multiple of it, and ``tile`` and ``overlap`` are rounded up to one.
    """
    if length < 1 or tile < 0 or overlap < 0 or align < 1:
        raise ValueError(f"spans({length}, {tile}, {overlap}, {align})")
    cells = -(-length // align)
    tile_cells = -(-tile // align) if tile else cells
    overlap = -(-overlap // align) * align
    count = -(-cells // tile_cells)
    bounds = [min(length, k * cells // count * align) for k in range(count + 1)]
    # Two ramps of one tile may not meet: 2 · ramp <= the smallest core. A ramp takes the middle
    # middle of the context at most, so that the outer half of it never gets a say.
    shortest = min(stop - start for start, stop in itertools.pairwise(bounds))
    ramp = min(RAMP, overlap // 8, shortest // 2)
    return [
        Span(
            start=start,
            stop=stop,
            lr_start=max(0, start - overlap),
            lr_stop=min(length, stop + overlap),
            ramp_before=ramp if start > 0 else 0,
            ramp_after=ramp if stop < length else 0,
        )
        for start, stop in itertools.pairwise(bounds)
    ]


def rising_window(length: int) -> npt.NDArray[np.float32]:
    """``length`` float32 values rising from 0 to 1; with its own mirror image it sums to 1 exactly.

    The upper half is (i + 1/2) / length. For w in [1/2, 1] the float32 difference 1 - w is exact
    (Sterbenz), so the lower half is defined as 1 minus the mirrored upper half, and the sum of
    the two is 1 without rounding. In the middle of an odd length stands 1/2.
    """
    upper = ((np.arange(length) + 0.5) / length).astype(np.float32)
    mirrored: npt.NDArray[np.float32] = np.float32(1) - upper[::-1]
    return np.where(np.arange(length) < length // 2, mirrored, upper)
