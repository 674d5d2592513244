"""What the head of an AVIF or HEIC says: its primary picture's properties, and its frames."""

import re
from collections.abc import Iterator
from itertools import islice

from upscale.pictures.containers.boxes import Box, boxes, boxes_of_file
from upscale.system import read_at

__all__ = ["frame_count", "primary_properties", "without_metadata"]

LONGEST_HEAD = 2**24
"""Bytes of a ``meta`` or ``moov`` box above which none is looked into."""

FULL = 4
"""Bytes of version and flags, with which the contents of many boxes begin."""

METADATA = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))(?:Exif|mime)", re.DOTALL)


def primary_properties(descriptor: int) -> list[tuple[bytes, bytes]]:
    """Return kind and contents of the primary picture's, in their order (ISO/IEC 23008-12, 9.3).

    Where the file holds no such list, or a damaged one, what could be read of it.
    """
    meta = _head(descriptor, b"meta")[FULL:]
    inside = {box.kind: box for box in boxes(meta)}
    if not {b"pitm", b"iprp"} <= inside.keys():
        return []
    primary = _contents(meta, inside[b"pitm"])
    item = int.from_bytes(primary[FULL : FULL + (4 if primary[:1] > b"\0" else 2)], "big")
    properties = _contents(meta, inside[b"iprp"])
    listed: list[tuple[bytes, bytes]] = []
    numbers: list[int] = []
    for box in boxes(properties):
        if box.kind == b"ipco":
            contents = _contents(properties, box)
            listed = [(each.kind, _contents(contents, each)) for each in boxes(contents)]
        elif box.kind == b"ipma":
            numbers += _associated(_contents(properties, box), item)
    return [listed[number - 1] for number in numbers if 0 < number <= len(listed)]


def frame_count(descriptor: int) -> int:
    """Return how many frames the longest track has; 1 where there is none (14496-12, 8.7.3)."""
    moov, most = _head(descriptor, b"moov"), 1
    for table in re.finditer(rb"stsz", moov):
        most = max(most, int.from_bytes(moov[table.end() + 8 : table.end() + 12], "big"))
    return most


def without_metadata(data: bytes) -> bytes:
    """Return a file whose EXIF and XMP are of a kind that no reader knows; offsets stay.

    OpenCV 5.0 looks at the first 500 bytes alone to recognise an AVIF, and takes none whose EXIF
    lies behind them.
    """
    for box in boxes(data):
        if box.kind == b"meta":
            head = METADATA.sub(rb"\1skip", data[box.begin : box.end])
            return data[: box.begin] + head + data[box.begin + len(head) :]
    return data


def _head(descriptor: int, kind: bytes) -> bytes:
    for box in boxes_of_file(descriptor):
        if box.kind == kind and box.end - box.begin <= LONGEST_HEAD:
            return read_at(descriptor, box.end - box.begin, box.begin)
    return b""


def _contents(data: bytes, box: Box) -> bytes:
    return data[box.begin : box.end]


def _associated(table: bytes, item: int) -> Iterator[int]:
    """Yield the numbers of the properties that ``ipma`` gives to ``item``."""
    values = iter(table)

    def number(size: int) -> int:
        return int.from_bytes(bytes(islice(values, size)), "big")

    version, flags = number(1), number(3)
    wide = 2 if flags & 1 else 1
    for _ in range(min(number(4), len(table))):
        found = number(4 if version else 2)
        associated = [number(wide) for _ in range(number(1))]
        if found == item:
            yield from (each & (0x7FFF if wide == 2 else 0x7F) for each in associated)
