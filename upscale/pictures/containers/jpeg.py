"""The segments of a JPEG before its first scan (ISO/IEC 10918-1, annex B), and its frame."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from upscale.system import read_at

__all__ = [
    "Frame",
    "Segment",
    "frame_of",
    "segments",
]

SCAN = 0xDA
STARTS_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that give the size (table B.1)."""

ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a length (table B.1)."""


@dataclass(frozen=True)
class Segment:
    """One marker and what follows it."""

    marker: int
    """The byte behind 0xFF."""
    begin: int
    """Offset of the contents in the file, behind the length."""
    end: int


@dataclass(frozen=True)
class Frame:
    """What the frame header says (B.2.2)."""

    precision: int
    """Bits a sample."""
    height: int
    width: int


def segments(descriptor: int, begin: int = 0) -> Iterator[Segment]:
    """Yield the segments of an open file up to its first scan, or to where none begins.

    ``begin``: where in the file the JPEG begins.
    """
    at, size = begin + 2, os.fstat(descriptor).st_size
    while at + 4 <= size:
        head = read_at(descriptor, 4, at)
        if head[0] != 0xFF:
            return
        if head[1] == 0xFF or head[1] in ALONE:  # a filling byte, or a marker without contents
            at += 1 if head[1] == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(head[2:], "big")
        yield Segment(head[1], at + 4, end)
        if head[1] == SCAN:
            return
        at = end


def frame_of(descriptor: int) -> Frame | None:
    """Return the frame header of an open file; None where there is none."""
    for segment in segments(descriptor):
        if segment.marker in STARTS_OF_FRAME:
            found = read_at(descriptor, 5, segment.begin)
            if len(found) == 5:
                sides = int.from_bytes(found[1:3], "big"), int.from_bytes(found[3:], "big")
                return Frame(found[0], *sides)
    return None
