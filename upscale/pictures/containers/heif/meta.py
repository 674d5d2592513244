"""The ``meta`` box: the items of a file, and the properties of each (ISO/IEC 14496-12, 8.11)."""

import contextlib
import struct
from dataclasses import dataclass, field

from upscale.pictures.containers.boxes import Box, boxes, boxes_of_file
from upscale.system import read_at

__all__ = ["FULL", "Meta", "Place", "head_of", "read_meta"]

LONGEST_HEAD = 2**24
"""Bytes of a ``meta`` or ``moov`` box above which it is not read."""

FULL = 4
"""Bytes of version and flags, with which most boxes here begin."""


@dataclass(frozen=True)
class Place:
    """One property of an item: where its association stands, and what it is."""

    at: int
    """Place of the association in the ``meta`` box."""
    size: int
    """Bytes of the association: 1 or 2."""
    box: Box
    """The property."""


@dataclass
class Meta:
    """The contents of a ``meta`` box."""

    data: bytes
    """The contents themselves; places count from their beginning."""
    primary: int = 0
    """Number of the item that is shown."""
    kinds: dict[int, bytes] = field(default_factory=dict)
    """The four bytes of each item's type, by its number."""
    properties: dict[int, list[Place]] = field(default_factory=dict)
    """The properties of each item, by its number, in their order."""
    references: list[tuple[bytes, int, tuple[int, ...]]] = field(default_factory=list)
    """References between items: kind, the item that refers, and those that it refers to."""

    def of(self, item: int, *kinds: bytes) -> list[Place]:
        """Return an item's properties of some kinds, in their order."""
        return [each for each in self.properties.get(item, []) if each.box.kind in kinds]

    def made_of(self, item: int) -> set[int]:
        """Return an item, and all items that it is derived from."""
        found, left = set[int](), [item]
        while left:
            each = left.pop()
            if each not in found:
                found.add(each)
                left += [
                    target
                    for kind, source, to in self.references
                    if (kind, source) == (b"dimg", each)
                    for target in to
                ]
        return found

    def body(self, box: Box) -> bytes:
        """Return what a box holds."""
        return self.data[box.begin : box.end]


def head_of(file: int | bytes, kind: bytes) -> tuple[bytes, int]:
    """Return the contents of the first outer box of a kind, and where in the file they begin.

    ``file``: its descriptor, or its bytes. Returns empty contents and 0 if there is no such box
    within `LONGEST_HEAD`.
    """
    for box in boxes(file) if isinstance(file, bytes) else boxes_of_file(file):
        size = box.end - box.begin
        if box.kind == kind and size <= LONGEST_HEAD:
            if isinstance(file, bytes):
                return file[box.begin : box.end], box.begin
            return read_at(file, size, box.begin), box.begin
    return b"", 0


def read_meta(data: bytes) -> Meta:
    """Read the contents of a ``meta`` box; of a damaged one, what comes before the damage."""
    found = Meta(data)
    with contextlib.suppress(IndexError, struct.error):
        _fill(found, data)
    return found


def _fill(found: Meta, data: bytes) -> None:
    for box in boxes(data, FULL):
        version = data[box.begin] if box.end > box.begin else 0
        if box.kind == b"pitm":
            size = 4 if version else 2
            found.primary = int.from_bytes(data[box.begin + FULL :][:size], "big")
        elif box.kind == b"iinf":
            for each in boxes(data, box.begin + FULL + (4 if version else 2), box.end):
                size = {2: 2, 3: 4}.get(data[each.begin], 0)
                if each.kind == b"infe" and size:
                    at = each.begin + FULL + size + 2
                    item = int.from_bytes(data[each.begin + FULL :][:size], "big")
                    found.kinds[item] = data[at : at + 4]
        elif box.kind == b"iref":
            size = 4 if version else 2
            for each in boxes(data, box.begin + FULL, box.end):
                source, at = int.from_bytes(data[each.begin :][:size], "big"), each.begin + size
                (count,) = struct.unpack_from(">H", data, at)
                ends = [data[at + 2 + size * i :][:size] for i in range(count)]
                to = tuple(int.from_bytes(end, "big") for end in ends)
                found.references.append((each.kind, source, to))
        elif box.kind == b"iprp":
            inner = list(boxes(data, box.begin, box.end))
            holders = [each for each in inner if each.kind == b"ipco"]
            known = [box for each in holders for box in boxes(data, each.begin, each.end)]
            for each in inner:
                if each.kind == b"ipma":
                    _associate(found, each, known)


def _associate(meta: Meta, box: Box, known: list[Box]) -> None:
    """Read an ``ipma`` box, which says which properties each item has, into ``meta``."""
    data, at = meta.data, box.begin
    size = 4 if data[at] else 2
    wide = bool(data[at + 3] & 1)
    step = 2 if wide else 1
    (count,) = struct.unpack_from(">I", data, at + 4)
    at += 8
    for _ in range(min(count, len(data))):
        item, number = int.from_bytes(data[at : at + size], "big"), data[at + size]
        at += size + 1
        for _ in range(number):
            index = (data[at] & 0x7F) << 8 | data[at + 1] if wide else data[at] & 0x7F
            if 0 < index <= len(known):
                meta.properties.setdefault(item, []).append(Place(at, step, known[index - 1]))
            at += step
