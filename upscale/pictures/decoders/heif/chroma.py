"""The chroma of HEIC, interpolated if a file has one sample of it for two or four pixels.

libheif (1.23) repeats chroma samples, which is quick, and pillow-heif (1.8) has no option for that.
So a file is read once more, edited to say that its samples are R, G and B already (matrix 0 of
ITU-T H.273). They come as they are stored, Cr, Y and Cb, with each Cb and Cr still repeated. Values
between two of them are interpolated as libheif, libavif and ffmpeg do if asked to, from the centre
of the pixels that share a sample:

    Cb:      a       b            across: (3a + b) / 4, (a + 3b) / 4; and so down
    pixels: 0   1   2   3

The matrix is the one by which libheif gets its own result, so that only the chroma differs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from upscale.pictures.containers.heif import edits
from upscale.pictures.containers.heif.primary import Crop
from upscale.pictures.decoders.base import Pixels
from upscale.pixels.spool import upright

__all__ = ["interpolated"]

Floats = npt.NDArray[np.float32]

CR, Y, CB = range(3)
"""The channels in which libheif puts them when it takes them for R, G and B."""

RED_AND_BLUE = {
    "BT.601": (0.299, 0.114),
    "BT.709": (0.2126, 0.0722),
    "BT.2020": (0.2627, 0.0593),
    "SMPTE 240M": (0.212, 0.087),
    "FCC": (0.30, 0.11),
}
"""The weights of red and blue in Y (ITU-T H.273, table 4)."""

SAME = 4
"""Levels of 0 to 255 by which libheif's arithmetic is off at most, and a wrong matrix by more."""

COMPARED = 2**16
"""Pixels that are compared to find the matrix, about."""

BAND = 256
"""Rows converted at a time; it is even."""


@dataclass(frozen=True)
class _Matrix:
    """How Y, Cb and Cr of ``depth`` bits become R, G and B (H.273, 8.3)."""

    red: float
    blue: float
    full_range: bool
    depth: int

    def rgb(self, luma: Pixels, blue: Pixels, red: Pixels) -> Floats:
        """Return (…, 3) in the range of the samples, not rounded; each argument is (…)."""
        top, unit = np.float32(2**self.depth - 1), 2 ** (self.depth - 8)
        black, white, span = (
            (0, top, top) if self.full_range else (16 * unit, 219 * unit, 224 * unit)
        )
        grey = (luma.astype(np.float32) - black) * (top / white)
        half = 2 ** (self.depth - 1)
        b = grey + (blue.astype(np.float32) - half) * (2 * (1 - self.blue) * top / span)
        r = grey + (red.astype(np.float32) - half) * (2 * (1 - self.red) * top / span)
        g = (grey - self.red * r - self.blue * b) / (1 - self.red - self.blue)
        colours: Floats = np.clip(np.stack([r, g, b], axis=-1), 0, top)
        return colours


def interpolated(
    data: bytes,
    drawn: Pixels,
    depth: int,
    down: int,
    crop: Crop | None,
    orientation: int,
    read: Callable[[bytes], npt.NDArray[Any] | None],
) -> Pixels:
    """Return ``drawn`` with interpolated chroma: (H, W, 3 or 4) of ``depth`` bits.

    ``data``: the file; ``drawn``: what libheif decodes of it, upright; ``down``: rows that share a
    chroma sample, 1 or 2 (columns are always 2); ``crop`` and ``orientation``: what the boxes of
    the file say; ``read``: decodes a file, or returns None. ``drawn`` itself is returned if the
    stored samples cannot be read, or if no known matrix makes ``drawn`` of them.
    """
    edited = edits.as_stored(data)
    stored = None if edited is None else read(edited)
    if stored is None or stored.shape[2] < 3:
        return drawn
    whole = stored[..., :3]
    shown = whole[crop.top :, crop.left :][: crop.height, : crop.width] if crop else whole
    seen = upright(shown, orientation)
    if seen.shape[:2] != drawn.shape[:2] or not _is_repeated(whole, down):
        return drawn
    matrix = _matrix_of(seen, drawn[..., :3], depth)
    if matrix is None:
        return drawn
    made = np.empty_like(whole)
    for top in range(0, whole.shape[0], BAND):
        blue, red = (_spread(whole[..., plane], top, down) for plane in (CB, CR))
        made[top : top + BAND] = np.rint(matrix.rgb(whole[top : top + BAND, :, Y], blue, red))
    if crop:
        made = made[crop.top :, crop.left :][: crop.height, : crop.width]
    colours = upright(made, orientation)
    return np.concatenate([colours, drawn[..., 3:]], axis=2)


def _is_repeated(stored: Pixels, down: int) -> bool:
    """Say whether the pixels that share a chroma sample have the same one."""
    rows, columns = stored.shape[0] // down * down, stored.shape[1] // 2 * 2
    colour = stored[:rows, :columns, ::2]
    return np.array_equal(colour[::down, ::2], colour[down - 1 :: down, 1::2])


def _matrix_of(stored: Pixels, drawn: Pixels, depth: int) -> _Matrix | None:
    """Return the matrix by which libheif makes ``drawn`` of ``stored``; None: no known one does."""
    rows = slice(None, None, max(1, drawn.shape[0] * drawn.shape[1] // COMPARED))
    cr, luma, cb = np.moveaxis(stored[rows], -1, 0)
    best, least = None, float("inf")
    for red, blue in RED_AND_BLUE.values():
        for full_range in (True, False):
            matrix = _Matrix(red, blue, full_range, depth)
            off = np.abs(matrix.rgb(luma, cb, cr) - drawn[rows])
            if off.max() <= SAME * 2 ** (depth - 8) and off.mean() < least:
                best, least = matrix, float(off.mean())
    return best


def _spread(plane: Pixels, top: int, down: int) -> Floats:
    """Interpolate a band of a plane whose samples are repeated: (`BAND` or fewer, W)."""
    import cv2

    height, width = min(BAND, plane.shape[0] - top), plane.shape[1]
    around = down if top else 0  # one sample more above, and below, where there is one
    few = plane[top - around : top + BAND + down : down, ::2].astype(np.float32)
    size = (2 * few.shape[1], down * few.shape[0])
    spread = np.asarray(cv2.resize(few, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return spread[around : around + height, :width]
