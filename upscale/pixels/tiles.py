"""One axis cut into tiles with context, and windows that sum to 1. Pure arithmetic, in LR pixels.

A grid of tiles is the product of two axes. Along one axis, two neighbours meet at ``b``::

    tile k      ──────core──────┤b├┄┄┄┄overlap┄┄┄┄┤
    tile k+1    ├┄┄┄┄overlap┄┄┄┄├b┤──────core──────
    window k    1111111111111111╲
    window k+1                  ╱1111111111111111
                              ├──┤ 2 · ramp

Each network pass sees the core and ``overlap`` pixels of context on both sides. The network's
padding spoils the outer part of the context, which is thrown away. Only a short ramp at the border
of two cores is blended. At the picture's own edges there is no context and no ramp.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["RAMP", "Span", "rising_window", "spans"]

RAMP = 4
"""Half the width of the blend, in LR pixels, at most."""


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in LR pixels.

    ``[start, stop)`` is the core; the cores cover the axis without overlap. ``[lr_start, lr_stop)``
    is what the network sees, clipped to the axis. ``ramp_before`` and ``ramp_after`` are half the
    widths of the blends with the neighbours, 0 at the picture's edges. The tile contributes to
    ``[start - ramp_before, stop + ramp_after)``.
    """

    start: int
    stop: int
    lr_start: int
    lr_stop: int
    ramp_before: int
    ramp_after: int


def spans(length: int, tile: int, overlap: int, align: int = 1) -> list[Span]:
    """Cut an axis of ``length`` pixels into cores of nearly equal size, at most ``tile`` pixels.

    ``tile`` 0 means one core. ``align`` is the network's own grid (its pixel-unshuffle factor):
    every span starts on a multiple of it, and ``tile`` and ``overlap`` are rounded up to one.
    Raises ValueError if ``length`` or ``align`` is below 1, or ``tile`` or ``overlap`` below 0.
    """
    if length < 1 or tile < 0 or overlap < 0 or align < 1:
        raise ValueError(
            f"spans(length={length}, tile={tile}, overlap={overlap}, align={align}): length and "
            "align must be 1 or more, tile and overlap 0 or more"
        )
    cells = -(-length // align)
    tile_cells = -(-tile // align) if tile else cells
    overlap = -(-overlap // align) * align
    count = -(-cells // tile_cells)
    bounds = [min(length, k * cells // count * align) for k in range(count + 1)]
    # The two ramps of one tile must not meet: 2 · ramp <= the smallest core. A ramp reaches into
    # the context by an eighth of it at most, so that the outer part never shows.
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
    """Return (length,) float32 values that rise from 0 to 1; with their mirror image they sum to 1.

    The upper half is (i + 1/2) / length. For w in [1/2, 1] the float32 difference 1 - w is exact
    (Sterbenz). So the lower half is 1 minus the mirrored upper half, and the sum of the two is 1
    without rounding. In the middle of an odd length stands 1/2.
    """
    upper = ((np.arange(length) + 0.5) / length).astype(np.float32)
    mirrored: npt.NDArray[np.float32] = np.float32(1) - upper[::-1]
    return np.where(np.arange(length) < length // 2, mirrored, upper)
