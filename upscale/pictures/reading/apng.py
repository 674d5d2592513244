"""Animated PNG → its frames, one by one, and back (PNG, third edition, 11.3.6).

libvips 8.18 reads and writes the first frame alone. So each one is handed to it as a picture of its
own, in full depth; frames are drawn and joined here.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
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

__all__ = ["Assembler", "Timing", "frames", "is_animated", "timing"]

BAND = 64
"""Rows that are blended at once."""

SHARED = (b"IHDR", b"PLTE", b"tRNS")
"""The chunks that hold for all frames."""

MAX_PLAYS = 2**31 - 1
MAX_TERM = 65_535
"""Of the numerator and the denominator of a delay."""


def timing(path: Path, descriptor: int) -> Timing:
    """Return an animation's timing and shape, from its chunks and without decoding.

    A default image that is not part of the animation does not count. Raises InputError, named by
    ``path``: ``truncated``, ``decode-error``.
    """
    return scan(path, descriptor)[0]


def frames(path: Path, descriptor: int) -> Iterator[Pixels]:
    """Yield each frame as it is shown: (H, W, C), uint8 or uint16, as `timing` announces.

    In the colours of the file's profile, EXIF orientation not applied. Holds one canvas and one
    frame; who keeps them all looks first at how much `timing` announces. Raises InputError as
    `timing` does.
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


class Assembler:
    """Write an animation from pictures that are PNG files, one by one.

    All need the same size, depth, channels and palette. Each is a whole frame that replaces the
    one before. Metadata are those of the first. The caller owns the descriptor, and sees OSError
    where the disk is full; ValueError where the frames are not as announced.
    """

    def __init__(
        self,
        descriptor: int,
        count: int,
        delays: Sequence[int],
        loop: int,
        more: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """Take the frames' number, their delays in ms, and how often to play (0 = for ever).

        ``more``: chunks, kind and contents, for the head of the file.
        """
        if not 1 <= count == len(delays):
            raise ValueError(f"{count} frames with {len(delays)} delays")
        self._descriptor = descriptor
        self._delays = tuple(delays)
        self._loop = min(loop, MAX_PLAYS)
        self._heads: list[tuple[bytes, bytes]] = []
        self._more = tuple(more)
        self._added = 0
        self._sequence = 0

    def add(self, png: bytes) -> None:
        """Write the next frame: the bytes of a complete PNG file, no animation itself."""
        chunks = list(_parts(png))
        heads = [part for part in chunks if part[0] in SHARED]
        if self._added == len(self._delays) or (self._added and heads != self._heads):
            raise ValueError(f"frame {self._added + 1} is one too many, or of another shape")
        written = []
        if not self._added:
            self._heads = heads
            control = struct.pack(">II", len(self._delays), self._loop)
            others = [part for part in chunks[1:] if part[0] not in (b"IDAT", b"IEND")]
            written = [chunks[0], (b"acTL", control), *self._more, *others]
        size = heads[0][1][:8]
        numbers = (0, 0, *_seconds(self._delays[self._added]), 0, 0)
        written.append((b"fcTL", self._next() + size + struct.pack(">IIHHBB", *numbers)))
        for kind, data in chunks:
            if kind == b"IDAT":
                written.append((b"fdAT", self._next() + data) if self._added else (kind, data))
        start = b"" if self._added else SIGNATURE
        self._write(start + b"".join(chunk(*part) for part in written))
        self._added += 1

    def finish(self) -> None:
        """Write the end; all frames must have been added."""
        if self._added != len(self._delays):
            raise ValueError(f"{self._added} frames of {len(self._delays)}")
        self._write(chunk(b"IEND", b""))

    def _next(self) -> bytes:
        self._sequence += 1
        return struct.pack(">I", self._sequence - 1)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]


def _parts(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(SIGNATURE)
    while position < len(png):
        length, kind = struct.unpack_from(">I4s", png, position)
        yield kind, png[position + 8 : position + 8 + length]
        position += 12 + length


def _seconds(delay: int) -> tuple[int, int]:
    """Return ms as a fraction of seconds; above 65.535 s the nearest that 16 bits hold."""
    delay = min(delay, 1000 * MAX_TERM)
    seconds = Fraction(delay, 1000)
    if seconds.numerator > MAX_TERM:
        seconds = seconds.limit_denominator(1000 * MAX_TERM // delay)
    return seconds.numerator, seconds.denominator
