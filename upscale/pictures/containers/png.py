"""The chunks of an animated PNG, and what they say (PNG, third edition, 5.3 and 11.3.6)."""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from upscale.errors import InputError
from upscale.pictures.containers.damage import cut, damaged
from upscale.system import read_at

__all__ = [
    "BACKGROUND",
    "OVER",
    "PREVIOUS",
    "SIGNATURE",
    "Frame",
    "Timing",
    "body",
    "chunk",
    "chunks",
    "damaged_in",
    "is_animated",
    "scan",
    "stored_channels",
]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADS = {b"IHDR": (13, 13), b"acTL": (8, 8), b"PLTE": (3, 768), b"tRNS": (1, 256)}
"""The chunks that apply to all frames, with their least and most bytes."""

COLOURS = {0: 1, 2: 3, 3: 3, 4: 1, 6: 3}
"""Channels of each colour type, without opacity."""

BACKGROUND, PREVIOUS = 1, 2
"""How a frame is disposed of before the next one: its area is cleared, or restored to what was
there before."""

OVER = 1
"""The blending of a frame with what is there, which otherwise it replaces."""

MAX_CHUNKS = 2**20
MAX_NUMBER = 2**31 - 1
"""The greatest number that a PNG may hold."""


@dataclass(frozen=True)
class Timing:
    """What the frames of an animation have in common, and how long each is shown."""

    count: int
    """Number of frames."""
    delays: tuple[int, ...]
    """Milliseconds that each frame is shown; empty for a GIF of one frame."""
    loop: int
    """How often it plays; 0: for ever."""
    width: int
    """Of the canvas, in pixels; so is the height."""
    height: int
    channels: int
    """1 gray, 2 gray and opacity, 3 RGB, 4 RGB and opacity."""
    depth: int
    """Bits per sample: 8 or 16."""


class Frame(NamedTuple):
    """What an fcTL chunk says of a frame, and where its data are.

    All lengths are in pixels, ``delay`` in milliseconds. ``data``: kind, position and length of
    each chunk.
    """

    width: int
    height: int
    left: int
    top: int
    delay: int
    dispose: int
    blend: int
    data: list[tuple[bytes, int, int]]

    def covers(self, other: "Frame") -> bool:
        """Say whether all of ``other`` lies within this frame's rectangle."""
        right, bottom = self.left + self.width, self.top + self.height
        across = self.left <= other.left and other.left + other.width <= right
        return across and self.top <= other.top and other.top + other.height <= bottom


def is_animated(descriptor: int) -> bool:
    """Say whether a PNG announces, or holds, another number of frames than one.

    So a damaged animation counts as an animation, and `scan` refuses it. A PNG without an acTL or
    fcTL chunk before its first data is a still picture.
    """
    announced, controls = False, 0
    try:
        for kind, position, _ in chunks(Path(), descriptor):
            if kind == b"IDAT" and not announced:
                return controls > 0
            if kind == b"acTL" and read_at(descriptor, 4, position) != b"\0\0\0\1":
                return True
            announced |= kind == b"acTL"
            controls += kind == b"fcTL"
    except InputError:
        pass
    return announced and controls > 1


def scan(path: Path, descriptor: int) -> tuple[Timing, dict[bytes, bytes], list[Frame]]:
    """Check the order and the numbers of all chunks, and the checksums of all but frames' data.

    Returns the animation's timing and shape, the contents of those `HEADS` that are there, and the
    frames. Raises InputError.
    """
    heads: dict[bytes, bytes] = {}
    found: list[Frame] = []
    sequence, before, started = 0, b"", False
    for place in chunks(path, descriptor):
        kind, position, length = place
        if (kind == b"IHDR") == bool(before):
            raise damaged_in(path, "header")
        if kind in (b"fcTL", b"fdAT"):
            if length < 4 or read_at(descriptor, 4, position) != struct.pack(">I", sequence):
                raise damaged_in(path, f"order of frames, at {sequence}")
            sequence += 1
        if kind == b"fcTL":
            if length != 26 or (found and not found[-1].data):
                raise damaged_in(path, f"frame {len(found) + 1}")
            control = body(path, descriptor, place)
            _, *box, numerator, denominator, dispose, blend = struct.unpack(">5I2H2B", control)
            delay = round(Fraction(1000 * numerator, denominator or 100))
            if not found and dispose == PREVIOUS:
                dispose = BACKGROUND
            width, height, left, top = box
            found.append(Frame(width, height, left, top, delay, dispose, blend, []))
        elif kind in (b"IDAT", b"fdAT"):
            data = found[-1].data if found else []
            torn = started and before != kind if kind == b"IDAT" else not (started and found)
            if torn or (data and data[0][0] != kind):
                raise damaged_in(path, "order of data")
            data.append(place)
            started = True
        elif kind in HEADS and not started:
            least, most = HEADS[kind]
            if kind in heads or not least <= length <= most:
                raise damaged_in(path, kind.decode())
            heads[kind] = body(path, descriptor, place)
        before = kind
    return _checked(path, heads, found), heads, found


def _checked(path: Path, heads: dict[bytes, bytes], found: list[Frame]) -> Timing:
    """Compare what the chunks say of each other, and return the timing and shape."""
    width, height, depth, colour = struct.unpack(">IIBB", heads[b"IHDR"][:10])
    announced, loop = struct.unpack(">II", heads.get(b"acTL", bytes(8)))
    if colour not in COLOURS or max(width, height, announced, loop) > MAX_NUMBER:
        raise damaged_in(path, "header")
    if announced != len(found) or not found or not found[-1].data:
        raise damaged_in(path, f"{announced:,} frames announced, {len(found):,} found")
    canvas = Frame(width, height, 0, 0, 0, 0, 0, [])
    for number, frame in enumerate(found, 1):
        whole = frame[:4] == canvas[:4] or frame.data[0][0] == b"fdAT"
        known = frame.dispose <= PREVIOUS and frame.blend <= OVER
        if not (frame.width and frame.height and whole and known and canvas.covers(frame)):
            raise damaged_in(path, f"frame {number}")
    clears = not found[0].covers(canvas) or any(
        frame.dispose == BACKGROUND and not (after.covers(frame) and after.dispose != PREVIOUS)
        for frame, after in pairwise(found)
    )
    channels = COLOURS[colour] + 1 if clears else stored_channels(heads)
    delays = tuple(frame.delay for frame in found)
    return Timing(len(found), delays, loop, width, height, channels, 16 if depth == 16 else 8)


def stored_channels(heads: dict[bytes, bytes]) -> int:
    """Return the channels that each frame is stored with, as in `Timing`."""
    colour = heads[b"IHDR"][9]
    return COLOURS[colour] + (colour in (4, 6) or b"tRNS" in heads)


def chunks(path: Path, descriptor: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, and position and length of the contents, of each chunk up to IEND.

    Raises InputError if a chunk is damaged or ends early; ``path`` is for the message.
    """
    size = os.fstat(descriptor).st_size
    if read_at(descriptor, 8, 0) != SIGNATURE:
        raise damaged_in(path, "signature")
    position = 8
    for _ in range(MAX_CHUNKS):
        head = read_at(descriptor, 8, position)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) == 8 and (length > MAX_NUMBER or not kind.isalpha()):
            raise damaged_in(path, f"chunk at byte {position:,}")
        if position + 12 + length > size:
            raise cut(path)
        yield kind, position + 8, length
        if kind == b"IEND":
            return
        position += 12 + length
    raise damaged_in(path, f"more than {MAX_CHUNKS:,} chunks")


def body(path: Path, descriptor: int, place: tuple[bytes, int, int]) -> bytes:
    """Return the contents of a chunk of `chunks`. Raises InputError for a wrong checksum."""
    kind, position, length = place
    found = read_at(descriptor, length + 4, position)
    if len(found) < length + 4:
        raise cut(path)
    if chunk(kind, found[:-4])[-4:] != found[-4:]:
        raise damaged_in(path, f"checksum at byte {position:,}")
    return found[:-4]


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return the bytes of a chunk, with length and checksum (PNG, third edition, 5.3)."""
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", checksum)))


def damaged_in(path: Path, what: str) -> InputError:
    """Return the error for a damaged file that names the damaged part."""
    return damaged(path, f"is damaged ({what})")
