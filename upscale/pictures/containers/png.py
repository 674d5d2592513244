"""An animated PNG's chunks, checked, and what they say (PNG, third edition, 5.3 and 11.3.6)."""

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
"""The chunks that hold for all frames, with the least and most bytes."""

COLOURS = {0: 1, 2: 3, 3: 3, 4: 1, 6: 3}
"""Channels of each colour type, without opacity."""

BACKGROUND, PREVIOUS = 1, 2
"""What becomes of a frame before the next one: cleared, or what was there before."""

OVER = 1
"""To blend a frame with what is there, and not to replace it."""

MAX_CHUNKS = 2**20
MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True)
class Timing:
    """An animation by its chunks: ``delays`` in ms; ``loop``: times it plays, 0 = for ever.

    ``channels`` (1 gray, 2 gray and opacity, 3 RGB, 4 RGB and opacity) and ``depth`` (8 or 16)
    are those of every frame.
    """

    count: int
    delays: tuple[int, ...]
    loop: int
    width: int
    height: int
    channels: int
    depth: int


class Frame(NamedTuple):
    """What a fcTL chunk says, and where its data are: kind, position and length of chunks."""

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
    """Say whether this is a PNG that announces, or holds, a number of frames other than one.

    So a damaged animation counts as one, for `scan` to refuse; what has no acTL and no fcTL chunk
    before its first data is a still picture.
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
    """Check the order and numbers of all chunks, and each checksum that is not of frames' data."""
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
    """Compare what the chunks say of each other."""
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
    """Yield kind, position and length of what each chunk holds, up to the last one's."""
    size = os.fstat(descriptor).st_size
    if read_at(descriptor, 8, 0) != SIGNATURE:
        raise damaged_in(path, "no PNG")
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
    """Return what a chunk holds, its checksum compared."""
    kind, position, length = place
    found = read_at(descriptor, length + 4, position)
    if len(found) < length + 4:
        raise cut(path)
    if chunk(kind, found[:-4])[-4:] != found[-4:]:
        raise damaged_in(path, f"checksum at byte {position:,}")
    return found[:-4]


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk of a PNG file (PNG, third edition, 5.3)."""
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", checksum)))


def damaged_in(path: Path, what: str) -> InputError:
    """Return the error that names the damaged part of a file."""
    return damaged(path, f"is damaged ({what})")
