"""The boxes that JPEG 2000, JPEG XL and HEIC files are made of (ISO/IEC 14496-12, 4.2)."""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Box", "boxes", "ends_early"]

UUID = b"uuid"


@dataclass(frozen=True)
class Box:
    """``kind``: four bytes, or the 16 of a ``uuid`` box; its contents are data[begin:end]."""

    kind: bytes
    begin: int
    end: int


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes one after the other; the last may reach beyond the end of ``data``."""
    end = len(data) if end is None else end
    while begin + 8 <= end:
        length = int.from_bytes(data[begin : begin + 4], "big")
        kind, header = data[begin + 4 : begin + 8], 8
        if length == 1:
            length, header = int.from_bytes(data[begin + 8 : begin + 16], "big"), 16
        if length == 0:
            length = end - begin
        if length < header:
            return
        if kind == UUID:
            kind, header = data[begin + header : begin + header + 16], header + 16
        yield Box(kind, begin + header, begin + length)
        begin += length


def ends_early(data: bytes) -> bool:
    """Say whether the last box in a file lacks its end."""
    return any(box.end > len(data) for box in boxes(data))
