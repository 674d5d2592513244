"""The boxes that files of JPEG 2000, JPEG XL, AVIF and HEIC are made of (ISO/IEC 14496-12, 4.2)."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from upscale.system import read_at

__all__ = ["Box", "boxes", "boxes_of_file", "ends_early"]

UUID = b"uuid"
LONGEST_HEADER = 32
"""Bytes of a header with a length of 64 bits and a ``uuid``."""


@dataclass(frozen=True)
class Box:
    """One box; its contents are data[begin:end]."""

    kind: bytes
    """Its four bytes, or the 16 of a ``uuid`` box."""
    begin: int
    end: int


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes of ``data[begin:end]``, one after the other; the last may reach beyond it."""
    end = len(data) if end is None else end
    return _boxes(lambda at, size: data[at : at + size], begin, end)


def boxes_of_file(descriptor: int) -> Iterator[Box]:
    """Yield the outer boxes of an open file, as `boxes` does."""
    size = os.fstat(descriptor).st_size
    return _boxes(lambda at, size: read_at(descriptor, size, at), 0, size)


def _boxes(read: Callable[[int, int], bytes], begin: int, end: int) -> Iterator[Box]:
    while begin < end:
        head = read(begin, min(LONGEST_HEADER, end - begin))
        length, header = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(head[8:16], "big"), 16
        if len(head) < header:  # the file ends within it
            yield Box(head[4:8], begin + header, begin + header)
            return
        if length == 0:
            length = end - begin
        if length < header:
            return
        kind = head[4:8]
        if kind == UUID:
            kind, header = head[header : header + 16], header + 16
        yield Box(kind, begin + header, begin + length)
        begin += length


def ends_early(data: bytes) -> bool:
    """Say whether the last box of a file reaches beyond its end."""
    return any(box.end > len(data) for box in boxes(data))
