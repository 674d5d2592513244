"""Does a picture's file lack its end? Decoders differ in what they say, and some say nothing."""

import os
import struct
from collections.abc import Callable

__all__ = ["is_cut"]

TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
OFFSETS = {273: 279, 324: 325}
"""StripOffsets and TileOffsets, each with the tag of the byte counts."""

MAX_ENTRIES = 2**24
MAX_PAGES = 2**16


def is_cut(descriptor: int) -> bool:
    """Say whether a PNG, JPEG, WebP, TIFF or AVIF file ends before its contents do."""
    size = os.fstat(descriptor).st_size
    head = os.pread(descriptor, 16, 0)
    tail = os.pread(descriptor, 64, max(0, size - 64))
    if head.startswith(b"\x89PNG"):
        return b"IEND" not in tail
    if head.startswith(b"\xff\xd8"):
        return b"\xff\xd9" not in tail
    if head.startswith(b"RIFF"):
        return int.from_bytes(head[4:8], "little") + 8 > size
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _tiff_is_cut(descriptor, size, head)
    if head[4:8] == b"ftyp":
        return _boxes_end(descriptor, size) > size
    return False


def _boxes_end(descriptor: int, size: int) -> int:
    """Return where the last box of an ISO base media file ends (ISO/IEC 14496-12, 4.2)."""
    position = 0
    while position < size:
        header = os.pread(descriptor, 16, position)
        if len(header) < 8:
            return size + 1
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:  # 0: to the end of the file
            return size
        position += length
    return position


def _tiff_is_cut(descriptor: int, size: int, head: bytes) -> bool:
    """Compare every strip and tile of all pages with the file's size (TIFF 6.0, section 2)."""
    order = "<" if head[:2] == b"II" else ">"
    big = 43 in head[2:4]

    def unpack(kind: str, position: int, number: int = 1) -> tuple[int, ...]:
        form = f"{order}{number}{kind}"
        return struct.unpack(form, os.pread(descriptor, struct.calcsize(form), position))

    try:
        (directory,) = unpack("Q" if big else "L", 8 if big else 4)
        seen: set[int] = set()
        while directory and directory not in seen and len(seen) < MAX_PAGES:
            seen.add(directory)
            values, directory = _page(unpack, directory, big)
            for tag, counts in OFFSETS.items():
                pairs = zip(values.get(tag, ()), values.get(counts, ()), strict=False)
                if any(offset + count > size for offset, count in pairs):
                    return True
    except (struct.error, OverflowError):  # the tables themselves lie behind the end
        return True
    return False


def _page(
    unpack: Callable[..., tuple[int, ...]], directory: int, big: bool
) -> tuple[dict[int, tuple[int, ...]], int]:
    """Return where a page's strips or tiles lie, by tag, and the next page's directory."""
    offset_type, count_type = ("Q", "Q") if big else ("L", "H")
    entry_size, value_size, first = (20, 8, directory + 8) if big else (12, 4, directory + 2)
    (entries,) = unpack(count_type, directory)
    values: dict[int, tuple[int, ...]] = {}
    for index in range(min(entries, MAX_ENTRIES)):
        position = first + index * entry_size
        tag, kind = unpack("H", position, 2)
        if tag not in OFFSETS and tag not in OFFSETS.values():
            continue
        (number,) = unpack(offset_type, position + 4)
        if number > MAX_ENTRIES:
            raise struct.error("more strips than a file can hold")
        position += entry_size - value_size
        if number * TIFF_SIZES.get(kind, 1) > value_size:
            (position,) = unpack(offset_type, position)
        letter = {1: "B", 2: "H", 4: "L", 8: "Q"}[TIFF_SIZES.get(kind, 1)]
        values[tag] = unpack(letter, position, number)
    return values, unpack(offset_type, first + entries * entry_size)[0]
