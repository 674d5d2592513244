"""Animated PNG → its frames, one by one (PNG, third edition, 11.3.6).

libvips 8.18 reads only the first frame. So each frame is handed to it as a picture of its own, in
full depth, and drawn here.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyvips

from upscale.pictures.containers.png import (
    BACKGROUND,
    OVER,
    PREVIOUS,
    SIGNATURE,
    Frame,
    Timing,
    body,
    chunk,
    damaged_in,
    is_animated,
    scan,
    stored_channels,
)
from upscale.pixels.spool import Pixels

__all__ = ["Timing", "frames", "is_animated", "timing"]

BAND = 64
"""Rows that are blended at once."""


def timing(path: Path, descriptor: int) -> Timing:
    """Return an animation's timing and shape, from its chunks and without decoding.

    A default image that is not part of the animation does not count. Raises InputError
    (``truncated`` or ``decode-error``), with ``path`` in the message.
    """
    return scan(path, descriptor)[0]


def frames(path: Path, descriptor: int) -> Iterator[Pixels]:
    """Yield each frame as it is shown: (H, W, C), uint8 or uint16, as `timing` announces.

    The colours are those of the file's profile, and the orientation of EXIF is not applied. Memory
    holds one canvas and one frame; a caller that keeps all frames should first look at the size
    that `timing` announces. Raises InputError as `timing` does.
    """
    shape, heads, controls = scan(path, descriptor)
    stored = stored_channels(heads)
    dtype = np.dtype(np.uint16 if shape.depth == 16 else np.uint8)
    canvas: Pixels = np.zeros((shape.height, shape.width, shape.channels), dtype)
    for number, frame in enumerate(controls, 1):
        still = _still(path, descriptor, heads, frame)
        try:
            source = pyvips.Source.new_from_memory(still)
            picture = pyvips.Image.pngload_source(source, access="sequential", fail_on="error")
            pixels = picture.numpy().reshape(picture.height, picture.width, picture.bands)
        except pyvips.Error as error:
            raise damaged_in(path, f"frame {number}") from error
        if pixels.shape != (frame.height, frame.width, stored) or pixels.dtype != dtype:
            raise damaged_in(path, f"frame {number}")
        if stored < shape.channels:
            pixels = np.insert(pixels, stored, 2**shape.depth - 1, axis=2)
        region = canvas[frame.top :, frame.left :][: frame.height, : frame.width]
        before = region.copy() if frame.dispose == PREVIOUS else 0
        _draw(region, pixels, frame.blend)
        yield canvas.copy()
        if frame.dispose in (BACKGROUND, PREVIOUS):
            region[:] = before


def _still(path: Path, descriptor: int, heads: dict[bytes, bytes], frame: Frame) -> bytes:
    """Return a frame as a PNG of its own."""
    header = struct.pack(">II", frame.width, frame.height) + heads[b"IHDR"][8:]
    parts = [SIGNATURE, chunk(b"IHDR", header)]
    parts += [chunk(kind, heads[kind]) for kind in (b"PLTE", b"tRNS") if kind in heads]
    for place in frame.data:
        data = body(path, descriptor, place)
        parts.append(chunk(b"IDAT", data if place[0] == b"IDAT" else data[4:]))
    return b"".join((*parts, chunk(b"IEND", b"")))


def _draw(region: Pixels, pixels: Pixels, blend: int) -> None:
    """Draw ``pixels`` into ``region``: both (H, W, C), colours not multiplied by their opacity.

    Over (Porter and Duff 1984), a above and b below being opacities: opacity c = a + b·(1 − a),
    colour (a·above + b·(1 − a)·below) / c, rounded to the nearest.
    """
    if blend != OVER or pixels.shape[2] % 2:
        region[:] = pixels
        return
    full = int(np.iinfo(pixels.dtype).max)
    for top in range(0, len(region), BAND):
        above = pixels[top : top + BAND].astype(np.int64)
        below = region[top : top + BAND].astype(np.int64)
        front = above[..., -1:] * full
        both = front + below[..., -1:] * (full - above[..., -1:])
        drawn = (above * front + below * (both - front) + both // 2) // np.maximum(both, 1)
        drawn[..., -1:] = (both + full // 2) // full
        region[top : top + BAND] = np.where(both > 0, drawn, below)
