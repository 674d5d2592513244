"""What a picture has been through, estimated from its pixels: JPEG, noise, blur, resizing.

Each finding is a classic measure on the luma:

- JPEG: the histograms of the DCT coefficients keep to multiples of the quantisation steps, at one
  of the 64 places of the block grid (Fan & de Queiroz 2003). Steps give the quality;
- resizing: second differences that repeat at one pitch, across and down (Gallagher 2005). An
  enlarged picture has them, and so has a block grid that is no longer 8 pixels wide;
- noise: second differences in the flattest blocks (Immerkær 1996), where these blocks agree and
  have no coarser detail, which texture would have;
- sharpness: how much the finest octave holds of the next one, where there is detail;
- ringing of drawings: how many of the pixels that differ from a neighbour differ faintly.

A large picture is sampled in tiles at fixed places: time and memory are bounded, and the same
pixels always give the same answer.
"""

from dataclasses import dataclass
from functools import cache, reduce
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Condition", "Kind", "examine"]

Kind = Literal["photo", "drawing", "text"]

Floats = npt.NDArray[np.float32]

_TILE = 192
_TILES = 3
"""Along each side that is longer than so many tiles."""
_BLOCKS = 3072
"""At most so many have their coefficients looked at."""
_BINS = 4
"""Of a histogram of coefficients, a level."""
_REACH = 256
"""Coefficients from here on are not counted."""
_STEPS = np.arange(2, 122, dtype=np.float32)
_SPREADS = (0.3, 1.0, 2.5)
"""Of coefficients about multiples of a step: rounded to 8 bits, saved again, clipped."""
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
"""At quality 50, by frequency down and across (ITU-T T.81, table K.1)."""
_SEARCHED = 4
"""So many of these frequencies find the place of the grid,"""
_SEARCHED_SIDE = 256
"""in so many rows and columns of a tile."""


@dataclass(frozen=True)
class Condition:
    """What `examine` found."""

    kind: Kind
    quality: int | None
    """Of the JPEG that the picture was, on libjpeg's scale; None without a grid of 8 pixels."""
    offset: tuple[int, int]
    """Rows and columns before the first whole block; (0, 0) without a grid."""
    pitch: float | None
    """Pixels from one repetition to the next in a picture that was resized; None otherwise."""
    noise: float
    """Standard deviation in levels of 255; 0 where it cannot be told from texture."""
    sharpness: float
    """About 1 as a camera or renderer makes it at 100 %, .6 enlarged twice, .5 blurred by 1.2."""
    ringing: float
    """Of the pixels of a drawing that differ from a neighbour, the share that differs faintly."""
    damaged: bool
    """Whether a network for damaged pictures serves better than one for clean ones."""
    reason: str
    """A few words, such as ``photo: JPEG blocks, about quality 70``."""


def examine(pixels: npt.NDArray[Any]) -> Condition:
    """Estimate the condition of ``pixels``: (H, W), or (H, W, C) with gray or RGB first.

    uint8 or uint16, of one frame. The opacity of 2 or 4 channels is not looked at.
    """
    tiles = [_eight_bits(tile) for tile in _tiles(pixels)]
    lumas = [_luma(tile) for tile in tiles]
    kind, ringing = _kind(tiles, lumas)
    offset, quality = _jpeg(lumas, [_clipped(tile) for tile in tiles])
    pitch = _pitch(lumas, 20 if kind == "photo" else 100)
    noise = _noise(lumas)
    sharpness = _sharpness(lumas)
    damage = None
    if quality is not None and quality <= (85 if kind == "photo" else 95):
        damage = f"JPEG blocks, about quality {round(quality, -1)}"
    elif pitch is not None:
        damage = "resized"
    elif noise >= 2:
        damage = f"noise of about {noise:.0f} levels"
    elif sharpness < 0.6:
        damage = "blurred or enlarged"
    elif kind != "photo" and ringing > 0.4:
        damage = "ringing"
    return Condition(
        kind,
        quality,
        offset,
        pitch,
        noise,
        sharpness,
        ringing,
        damage is not None,
        f"{kind}: {damage or 'clean'}",
    )


def _tiles(pixels: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Cut tiles at multiples of 8, so that a block grid has the same place in each."""
    spans = []
    for length in pixels.shape[:2]:
        if length <= _TILE * _TILES:
            spans.append([slice(0, length)])
            continue
        starts = [(length - _TILE) * i // (_TILES - 1) // 8 * 8 for i in range(_TILES)]
        spans.append([slice(start, start + _TILE) for start in starts])
    return [pixels[rows, columns] for rows in spans[0] for columns in spans[1]]


def _eight_bits(tile: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """(H, W, 1 or 3), without opacity."""
    colours = tile.reshape(*tile.shape[:2], -1)
    colours = colours[..., : 3 if colours.shape[2] >= 3 else 1]
    if colours.dtype == np.uint16:
        colours = (colours + np.uint32(128)) // 257
    return np.ascontiguousarray(colours, np.uint8)


def _luma(tile: npt.NDArray[np.uint8]) -> Floats:
    if tile.shape[2] == 1:
        return tile[..., 0].astype(np.float32)
    return np.asarray(cv2.cvtColor(tile.astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)


def _clipped(tile: npt.NDArray[np.uint8]) -> Floats:
    """1 where a channel is at an end of its range: what JPEG made of it is lost there."""
    channels = tile.shape[2]
    return np.asarray(cv2.inRange(tile, (1,) * channels, (254,) * channels) == 0, np.float32)


@cache
def _evidence() -> Floats:
    """Log likelihood ratio of each spread and step to no step at all, by bin of |coefficient|."""
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
    """Row u is the u-th function of the DCT of 8 samples."""
    n = np.arange(8)
    waves = np.cos(np.pi * (n + 0.5) * n[:, None] / 8) * np.where(n == 0, 0.125**0.5, 0.5)[:, None]
    return waves.astype(np.float32)


def _bins(coefficients: Floats) -> npt.NDArray[np.int64]:
    bins = np.abs(coefficients) * _BINS + 0.5
    return np.minimum(bins, _REACH * _BINS - 1).astype(np.int64)


def _jpeg(lumas: list[Floats], clipped: list[Floats]) -> tuple[tuple[int, int], int | None]:
    """The place of the block grid and the quality."""
    offset = _offset(lumas, clipped)
    blocks = np.concatenate([_blocks(y, offset) for y in lumas])
    lost = np.concatenate([_blocks(c, offset) for c in clipped]).sum(1)
    # Of the blocks that are not flat, those that lost least: of text on white, all lost some.
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
    """The place at which steps explain the coefficients best."""
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
    scores = (counts @ _evidence().T).max(1).reshape(_SEARCHED, 64).clip(0).sum(0)
    best = int(scores.argmax())
    return best // 8, best % 8


def _blocks(y: Floats, offset: tuple[int, int]) -> Floats:
    """(N, 64): the whole blocks of 8 × 8."""
    rest = y[offset[0] :, offset[1] :]
    h, w = (n // 8 for n in rest.shape)
    return rest[: h * 8, : w * 8].reshape(h, 8, w, 8).swapaxes(1, 2).reshape(-1, 64)


def _pitch(lumas: list[Floats], least: float) -> float | None:
    """The strongest period of the second differences, where rows and columns agree on it.

    ``least``: how far its power must lie above the median of all periods.
    """
    size = 2048
    frequency = np.arange(size // 2 + 1) / size
    found = []
    for axis in (0, 1):
        power = np.zeros(len(frequency))
        count = 0
        for y in lumas:
            count = y.shape[1 - axis] - 2
            if count < 62:
                return None
            bends = np.abs(np.diff(y, 2, axis=1 - axis)).clip(0, 8).mean(axis)
            curve = np.log(bends + 0.1)
            curve -= np.convolve(np.pad(curve, 4, "reflect"), np.ones(9) / 9, "valid")
            power += np.abs(np.fft.rfft((curve * np.hanning(count))[:size], size)) ** 2
        # The lines of a grid of 8 belong to a JPEG that was not resized.
        distance = np.abs(frequency - np.round(frequency * 8) / 8)
        power[(frequency < 0.1) | (distance < 2 / count)] = np.nan
        peak = int(np.nanargmax(power))
        found.append((power[peak] / np.nanmedian(power), frequency[peak], count))
    (down, f, n), (across, g, m) = found
    if min(down, across) < least or abs(f - g) > 1 / min(n, m):
        return None
    return float(2 / (f + g))


def _noise(lumas: list[Floats]) -> float:
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
    fine, coarse, clipped = [], [], []
    for y in lumas:
        h, w = (n // 8 for n in y.shape)
        if not h or not w:
            continue
        part = y[: h * 8, : w * 8]
        smooth = cv2.blur(part, (3, 3))
        maps = (
            cv2.filter2D(part, -1, kernel) ** 2,
            (smooth - cv2.blur(smooth, (5, 5))) ** 2,
            np.asarray((part < 4) | (part > 251), np.float32),
        )
        e, v, lost = (cv2.resize(m, (w, h), interpolation=cv2.INTER_AREA).ravel() for m in maps)
        fine.append(e)
        coarse.append(v)
        clipped.append(lost)
    if not fine:
        return 0.0
    e, v, lost = (np.concatenate(a) for a in (fine, coarse, clipped))
    inside = lost < 0.05
    if inside.mean() > 0.1:
        e, v = e[inside], v[inside]
    low, high = np.quantile(e, (0.05, 0.25))
    flat = e <= high
    if high > 2 * low or np.median(v[flat]) > 0.5 * np.median(e[flat]):
        return 0.0
    return float(np.sqrt(np.median(e[flat])))


def _sharpness(lumas: list[Floats]) -> float:
    fine: list[Floats] = []
    coarse: list[Floats] = []
    for y in lumas:
        once, twice = (cv2.GaussianBlur(y, (0, 0), sigma) for sigma in (0.7, 1.4))
        for maps, difference in ((fine, y - once), (coarse, once - twice)):
            maps.append(np.ravel(cv2.blur(difference**2, (9, 9))[::8, ::8]))
    f, c = np.concatenate(fine), np.concatenate(coarse)
    detailed = c >= np.quantile(c, 0.9)
    return float(np.sqrt(f[detailed].sum() / (c[detailed].sum() + 1e-3)))


def _kind(tiles: list[npt.NDArray[np.uint8]], lumas: list[Floats]) -> tuple[Kind, float]:
    """The kind, and the share of faint differences among all."""
    counts = np.zeros(256)
    for tile in tiles:
        if tile.shape[1] == 1:
            continue
        largest = reduce(cv2.max, cv2.split(cv2.absdiff(tile[:, 1:], tile[:, :-1])))
        counts += np.bincount(largest.ravel(), minlength=256)
    share = counts / max(1, counts.sum())
    ringing = float(share[1:9].sum() / max(1e-9, share[1:].sum()))
    contrast = np.concatenate([_blocks(y, (0, 0)).std(1) for y in lumas])
    detailed = contrast[contrast > 5.5]
    weak = float((detailed < 20).mean()) if len(detailed) else 0.0
    if share[0] < 0.65 and (share[0] < 0.2 or weak > 0.22):
        return "photo", ringing
    return ("text" if share[48:].sum() > 0.06 else "drawing"), ringing
