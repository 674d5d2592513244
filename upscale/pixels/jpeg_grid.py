"""The block grid that JPEG leaves in a picture, and its quality.

The grid may begin at 64 places. At the right one, the DCT coefficients of the blocks lie close to
multiples of the quantisation steps (Fan & de Queiroz 2003). The steps give the quality.
"""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "blocks_of", "find_grid"]

Floats = npt.NDArray[np.float32]

_BLOCKS = 2048
"""Of more blocks than this, only a regular sample is looked at: fewer than twice as many."""
_BINS = 4
"""Bins of a histogram of coefficients, per level."""
_REACH = 256
"""Levels from which on a coefficient is not counted."""
_STEPS = np.arange(2, 122, dtype=np.float32)
"""Quantisation steps that are tried."""
_SPREADS = (0.3, 1.0, 2.5)
"""Standard deviations of coefficients about the multiples of a step: if the picture was rounded to
8 bits, saved again, or clipped."""
_LUMA_STEPS = {
    (0, 1): 11,
    (1, 0): 12,
    (1, 1): 12,
    (0, 2): 10,
    (2, 0): 14,
    (1, 2): 14,
    (2, 1): 13,
    (2, 2): 16,
    (0, 3): 16,
    (3, 0): 14,
    (1, 3): 19,
    (3, 1): 17,
}
"""Quantisation steps at quality 50, by frequency down and across (ITU-T T.81, table K.1)."""
_SEARCHED = 4
"""The first frequencies of this table, by which the place of the grid is found."""
_SEARCHED_SIDE = 192
"""Rows and columns of a tile in which it is sought, at most."""


@cache
def _evidence() -> Floats:
    """Return (spreads · steps, bins): log likelihood ratios of a step to none, by |coefficient|."""
    x = np.arange(_REACH * _BINS, dtype=np.float32) / _BINS
    multiple = np.round(x / _STEPS[:, None])
    ratios = []
    for spread in _SPREADS:
        peak = np.exp(-(((x - multiple * _STEPS[:, None]) / spread) ** 2) / 2)
        gain = _STEPS[:, None] / (spread * np.sqrt(2 * np.pi))
        ratios.append(np.log(0.02 + 0.98 * peak * np.where(multiple > 0, gain, 1)))
    return np.concatenate(ratios).astype(np.float32)


@cache
def _cosines() -> Floats:
    """Return (8, 8): row u is the u-th basis function of the DCT of 8 samples."""
    n = np.arange(8)
    waves = np.cos(np.pi * (n + 0.5) * n[:, None] / 8) * np.where(n == 0, 0.125**0.5, 0.5)[:, None]
    return waves.astype(np.float32)


def _bins(coefficients: Floats) -> npt.NDArray[np.int64]:
    bins = np.abs(coefficients) * _BINS + 0.5
    return np.minimum(bins, _REACH * _BINS - 1).astype(np.int64)


def find_grid(lumas: list[Floats], clipped: list[Floats]) -> tuple[tuple[int, int], int | None]:
    """Return the rows and columns before the first whole block, and the quality of the JPEG.

    ``lumas``: parts of a picture, (H, W) each, 0 to 255, which begin at multiples of 8 pixels;
    ``clipped``: for each part, (H, W), 1 where a channel is 0 or 255, which hides what JPEG did,
    and 0 elsewhere. The quality is on libjpeg's scale. Without a grid: (0, 0) and None.
    """
    offset = _offset(lumas, clipped)
    blocks = np.concatenate([blocks_of(y, offset) for y in lumas])
    lost = np.concatenate([blocks_of(c, offset) for c in clipped]).sum(1)
    # Of the blocks that are not flat, those without clipped pixels; text on white has none.
    detailed = np.flatnonzero(np.ptp(blocks, 1) > 4) if len(blocks) else np.zeros(0, np.intp)
    whole = detailed[lost[detailed] == 0]
    chosen = whole if len(whole) >= 32 else detailed
    blocks = blocks[chosen[:: max(1, len(chosen) // _BLOCKS)]]
    waves = _cosines()
    scales = []
    for (u, v), base in _LUMA_STEPS.items():
        bins = _bins(blocks @ np.outer(waves[u], waves[v]).ravel())
        histogram = np.bincount(bins, minlength=_REACH * _BINS).astype(np.float32)
        histogram[-1] = 0
        scores = _evidence() @ histogram
        best = int(scores.argmax())
        step = float(_STEPS[best % len(_STEPS)])
        if scores[best] > 12 and histogram[int(step / 2 * _BINS) + 1 :].sum() >= 6:
            scales.append(step / base)
    if len(scales) < 2:
        return (0, 0), None
    scale = float(np.median(scales))
    return offset, round(100 - 50 * scale if scale <= 1 else 50 / scale)


def _offset(lumas: list[Floats], clipped: list[Floats]) -> tuple[int, int]:
    """Return the rows and columns before the first whole block of the likeliest grid."""
    size = _REACH * _BINS
    histograms = np.zeros((_SEARCHED, 64 * size), np.float32)
    waves = _cosines()
    for y, lost in zip(lumas[::4], clipped[::4], strict=True):
        h, w = (min(n, _SEARCHED_SIDE) // 8 * 8 - 8 for n in y.shape)
        if h <= 0 or w <= 0:
            continue
        spoilt = cv2.dilate(lost[: h + 8, : w + 8], np.ones((8, 8)), anchor=(0, 0))[:h, :w] > 0
        if spoilt.mean() > 0.95:
            spoilt[:] = False
        place = (np.arange(h)[:, None] % 8 * 8 + np.arange(w) % 8) * size
        for i, (u, v) in enumerate(list(_LUMA_STEPS)[:_SEARCHED]):
            sliding = cv2.sepFilter2D(y[: h + 8, : w + 8], -1, waves[v], waves[u], anchor=(0, 0))
            found = (_bins(np.asarray(sliding[:h, :w], np.float32)) + place)[~spoilt]
            histograms[i] += np.bincount(found, minlength=64 * size)
    counts = histograms.reshape(-1, size)
    counts[:, -1] = 0
    evidence = _evidence()[: 2 * len(_STEPS)]
    scores = (counts @ evidence.T).max(1).reshape(_SEARCHED, 64).clip(0).sum(0)
    best = int(scores.argmax())
    return best // 8, best % 8


def blocks_of(y: Floats, offset: tuple[int, int]) -> Floats:
    """Return (N, 64): the whole blocks of 8 × 8 pixels of ``y``, from ``offset`` (down, across)."""
    rest = y[offset[0] :, offset[1] :]
    h, w = (n // 8 for n in rest.shape)
    return rest[: h * 8, : w * 8].reshape(h, 8, w, 8).swapaxes(1, 2).reshape(-1, 64)
