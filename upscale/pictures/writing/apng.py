"""Pictures that are PNG files → an animated PNG (PNG, third edition, 11.3.6).

libvips 8.18 writes the first frame alone. So it makes each one as a picture of its own; they are
joined here.
"""

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction

from upscale.files import write_all
from upscale.pictures.containers.png import SIGNATURE, chunk

__all__ = ["Assembler"]

SHARED = (b"IHDR", b"PLTE", b"tRNS")
"""The chunks that hold for all frames."""

MAX_PLAYS = 2**31 - 1

MAX_TERM = 65_535
"""Of the numerator and the denominator of a delay."""


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
        write_all(self._descriptor, start + b"".join(chunk(*part) for part in written))
        self._added += 1

    def finish(self) -> None:
        """Write the end; all frames must have been added."""
        if self._added != len(self._delays):
            raise ValueError(f"{self._added} frames of {len(self._delays)}")
        write_all(self._descriptor, chunk(b"IEND", b""))

    def _next(self) -> bytes:
        self._sequence += 1
        return struct.pack(">I", self._sequence - 1)


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
