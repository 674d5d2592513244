"""Trees of directories laid out as the bytes of a TIFF structure."""

import struct

from upscale.pictures.containers.tiff.directory import Directory, Field, Packing

__all__ = ["Space"]

_LONG, _LONG8 = 4, 16


class Space:
    """Bytes that are filled from an offset on; one field may keep its former place."""

    def __init__(self, start: int, fixed: Field | None = None) -> None:
        """Begin at the offset ``start``; ``fixed``: a field behind it that keeps its place."""
        self.data = bytearray()
        self._start = self._low = start
        self._fixed = fixed
        self._low_end = self._high = 2**64
        if fixed is not None:
            self._low_end, self._high = fixed.place, fixed.place + len(fixed.data)
            self._put(fixed.place, fixed.data)

    def _reserve(self, size: int) -> int:
        """Return an even offset of ``size`` free bytes, before or behind the fixed field."""
        at = self._low + self._low % 2
        if at + size <= self._low_end:
            self._low = at + size
        else:
            at = self._high + self._high % 2
            self._high = at + size
        return at

    def _put(self, at: int, data: bytes) -> None:
        at -= self._start
        self.data.extend(bytes(max(0, at + len(data) - len(self.data))))
        self.data[at : at + len(data)] = data

    def _add(self, value: Field) -> int:
        if value is self._fixed:
            return value.place
        at = self._reserve(len(value.data))
        self._put(at, value.data)
        return at

    def add(
        self, packing: Packing, new: Directory, kept: dict[int, bytes] | None = None, after: int = 0
    ) -> int:
        """Add a directory and all below it, and return its offset.

        ``kept``: further packed entries by tag, which ``new`` overrides; ``after``: the offset of
        the next directory, or 0. Raises struct.error for an offset that the packing cannot hold.
        """
        entries = dict(kept or {})
        number = len(entries | new.fields | new.children)
        head, size = struct.pack(packing.count, number), number * struct.calcsize(packing.entry)
        at = self._reserve(len(head) + size + packing.room)
        pointer = _LONG8 if packing.room == 8 else _LONG
        for tag, child in sorted(new.children.items()):
            place = struct.pack(packing.offset, self.add(packing, child))
            entries[tag] = struct.pack(packing.entry, tag, pointer, 1, place)
        for tag, value in sorted(new.fields.items()):
            inside = len(value.data) <= packing.room
            data = value.data if inside else struct.pack(packing.offset, self._add(value))
            entries[tag] = struct.pack(packing.entry, tag, value.kind, value.count, data)
        table = b"".join(entries[tag] for tag in sorted(entries))
        self._put(at, head + table + struct.pack(packing.offset, after))
        return at
