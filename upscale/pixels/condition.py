"""What a picture has been through, estimated from its pixels: JPEG, noise, blur, resizing.

Each finding is a classic measure, on the luma except for ringing:

- JPEG: the block grid and the quantisation steps (`jpeg_grid`);
- resizing: second differences that are periodic, with the same period across and down (Gallagher
  2005). Enlarged pictures have them, and so has a block grid that is no longer 8 pixels wide;
- noise: second differences in the flattest blocks (Immerkær 1996). These blocks must agree, and
  have no coarser detail, as texture would have;
- sharpness: the finest octave in proportion to the next one, where there is most detail;
- ringing in drawings: the share of faint differences among all differences between neighbours.

A large picture is sampled in tiles at fixed places. So time and memory are bounded, and the same
pixels always give the same answer.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from upscale.pixels.jpeg_grid import Floats, blocks_of, find_grid
from upscale.pixels.spool import Rows

__all__ = ["Condition", "Kind", "examine"]

Kind = Literal["photograph", "drawing", "text"]

_TILE = 192
_TILES = 3
"""Tiles along a side, if the side is longer than that many tiles."""
_SWING = 0.075
"""Least amplitude, in the logarithm of second differences, that counts as resizing.

A picture that was reduced well has less."""


@dataclass(frozen=True)
class Condition:
    """What `examine` found."""

    kind: Kind
    quality: int | None
    """Quality of the JPEG that the picture was, on libjpeg's scale of 1 to 100; None if it has no
    grid of 8 pixels."""
    offset: tuple[int, int]
    """Rows and columns before the first whole block; (0, 0) without a grid."""
    pitch: float | None
    """Period of the traces of resizing, in pixels; None if there are none."""
    noise: float
    """Standard deviation in levels of 0 to 255; 0 if it cannot be told from texture."""
    sharpness: float
    """About 1 for a picture as a camera or renderer makes it, 0.6 if it was enlarged to twice its
    size, 0.5 if it was blurred by a Gaussian of σ = 1.2 pixels."""
    ringing: float
    """Share of faint differences (1 to 8 levels) among all differences between neighbours in a
    row: 0 to 1. It tells something of drawings and text only."""
    damaged: bool
    """Whether a network for damaged pictures serves better than one for clean ones."""
    reason: str
    """The kind and the finding, such as ``photograph: JPEG blocks, about quality 70``."""


def examine(pixels: Rows) -> Condition:
    """Estimate the condition of ``pixels``: (H, W) or (H, W, C), uint8 or uint16, of one frame.

    C = 1 gray, 2 gray and opacity, 3 RGB, 4 RGB and opacity. Opacity is not looked at.
    """
    tiles = [_eight_bits(tile) for tile in _tiles(pixels)]
    lumas = [_luma(tile) for tile in tiles]
    kind, ringing = _kind(tiles, lumas)
    offset, quality = find_grid(lumas, [_clipped(tile) for tile in tiles])
    pitch = _pitch(lumas, 20 if kind == "photograph" else 100)
    noise = _noise(lumas)
    sharpness = _sharpness(lumas)
    damage = None
    if quality is not None and quality <= (85 if kind == "photograph" else 95):
        damage = f"JPEG blocks, about quality {round(quality, -1)}"
    elif pitch is not None:
        damage = "resized"
    elif noise >= 2:
        damage = f"noise of about {noise:.0f} levels"
    elif sharpness < 0.6:
        damage = "blurred or enlarged"
    elif kind != "photograph" and ringing > 0.4:
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


def _tiles(pixels: Rows) -> list[npt.NDArray[Any]]:
    """Cut tiles at multiples of 8, so that a block grid has the same place in each."""
    spans = []
    for length in pixels.shape[:2]:
        if length <= _TILE * _TILES:
            spans.append([slice(0, length)])
            continue
        starts = [(length - _TILE) * i // (_TILES - 1) // 8 * 8 for i in range(_TILES)]
        spans.append([slice(start, start + _TILE) for start in starts])
    return [pixels[rows][:, columns] for rows in spans[0] for columns in spans[1]]


def _eight_bits(tile: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return (H, W, 1 or 3), without opacity."""
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
    """Return (H, W): 1 where a channel is 0 or 255, which hides what JPEG did; 0 elsewhere."""
    channels = tile.shape[2]
    return np.asarray(cv2.inRange(tile, (1,) * channels, (254,) * channels) == 0, np.float32)


def _pitch(lumas: list[Floats], least: float) -> float | None:
    """Return the strongest period of the second differences, if rows and columns agree on it.

    ``least``: its power must be this many times the median power of all periods.
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
        # Multiples of 1/8 are the lines of a JPEG grid that was not resized.
        distance = np.abs(frequency - np.round(frequency * 8) / 8)
        power[(frequency < 0.1) | (distance < 2 / count)] = np.nan
        peak = int(np.nanargmax(power))
        swing = 4 * np.sqrt(power[peak] / len(lumas)) / count
        if power[peak] < least * np.nanmedian(power) or swing < _SWING:
            return None
        found.append((frequency[peak], count))
    (f, n), (g, m) = found
    if abs(f - g) > 1 / min(n, m):
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
    """Return the kind, and the share of faint differences among all."""
    counts = np.zeros(256)
    for tile in tiles:
        if tile.shape[1] == 1:
            continue
        largest = reduce(cv2.max, cv2.split(cv2.absdiff(tile[:, 1:], tile[:, :-1])))
        counts += np.bincount(largest.ravel(), minlength=256)
    share = counts / max(1, counts.sum())
    ringing = float(share[1:9].sum() / max(1e-9, share[1:].sum()))
    contrast = np.concatenate([blocks_of(y, (0, 0)).std(1) for y in lumas])
    detailed = contrast[contrast > 5.5]
    weak = float((detailed < 20).mean()) if len(detailed) else 0.0
    if share[0] < 0.65 and (share[0] < 0.2 or weak > 0.22):
        return "photograph", ringing
    return ("text" if share[48:].sum() > 0.06 else "drawing"), ringing
