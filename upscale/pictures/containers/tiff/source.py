"""Trees of directories in TIFF files and blocks of EXIF, read by offset.

Offsets count from the start of the structure.
"""

import os
import struct
from collections.abc import Callable

from upscale.pictures.containers.tiff.directory import (
    EXIF,
    GPS,
    INTEROPERABILITY,
    KODAK,
    NUMBER,
    Directory,
    Field,
    Packing,
)
from upscale.system import read_at

__all__ = ["BehindTheEndError", "Source"]

_CHILDREN = {0: (EXIF, GPS, KODAK), EXIF: (INTEROPERABILITY, KODAK)}

_LONG, _RATIONAL, _FLOAT, _IFD, _LONG8, _IFD8 = 4, 5, 11, 13, 16, 18
_WHOLE = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # for struct
_SIZE = NUMBER | {5: 8, 10: 8}  # bytes in one value: a rational is two numbers

# Fields with places of strips, tiles, thumbnails and directories, which mean nothing elsewhere.
_PLACES = {0x111, 0x117, 0x120, 0x121, 0x144, 0x145, 0x14A, 0x201, 0x202, 0x207, 0x208, 0x209}
_PLACES |= {EXIF, GPS, INTEROPERABILITY, KODAK, 0x190, 0x888A, 0xC6F5, 0xFE00}

_VALUES_LIMIT = 2**24  # bytes


class BehindTheEndError(ValueError):
    """A structure, or what it points to, reaches beyond the end of its file."""


class Source:
    """A structure that is read by offset.

    Its methods raise ValueError for bytes that are not a TIFF structure, point beyond its end or to
    themselves, or hold more than 65535 fields in a directory, 16 MiB of values, or more values than
    the whole structure has bytes.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        """Read the header. ``read``: returns bytes by offset and size; ``size``: bytes in all."""
        self._read = read
        self._size = size
        self._values_left = min(size, _VALUES_LIMIT)
        self._seen: set[int] = set()
        order = {b"II": "<", b"MM": ">"}.get(self.take(0, 2))
        if order is None:
            raise ValueError("not a TIFF structure")
        version = self._unpack(f"{order}H", 2)
        if version not in (42, 43):
            raise ValueError(f"a TIFF structure of version {version}")
        self.packing = Packing.of(order, big=version == 43)
        self.first_pointer = 8 if version == 43 else 4  # where the first directory's offset stands
        self.first = self._unpack(self.packing.offset, self.first_pointer)

    @classmethod
    def of_bytes(cls, data: bytes) -> "Source":
        """Return the structure in ``data``."""
        return cls(lambda offset, size: data[offset : offset + size], len(data))

    @classmethod
    def of_file(cls, descriptor: int) -> "Source":
        """Return the structure in an open file, whose position stays. Raises OSError, too."""
        size = os.fstat(descriptor).st_size
        return cls(lambda offset, size: read_at(descriptor, size, offset), size)

    def take(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes at ``offset``."""
        if offset + size > self._size or len(data := self._read(offset, size)) < size:
            raise BehindTheEndError(f"{size} bytes at {offset} are beyond the end")
        return data

    def _unpack(self, format: str, offset: int) -> int:
        return int(struct.unpack(format, self.take(offset, struct.calcsize(format)))[0])

    def table(self, at: int) -> tuple[list[tuple[int, int, int, bytes]], int]:
        """Return the entries of the directory at ``at``, and the offset of the next directory.

        An entry is tag, type, count, and values or offset.
        """
        if at in self._seen:
            raise ValueError(f"two directories at {at}")
        self._seen.add(at)
        count = self._unpack(self.packing.count, at)
        if count >= 2**16:
            raise ValueError(f"a directory of {count} fields")
        at += struct.calcsize(self.packing.count)
        size = count * struct.calcsize(self.packing.entry)
        entries = list(struct.iter_unpack(self.packing.entry, self.take(at, size)))
        return entries, self._unpack(self.packing.offset, at + size)

    def numbers(self, kind: int, count: int, value: bytes) -> tuple[int, ...]:
        """Return the whole numbers of an entry of `table`; empty if it holds other values."""
        letter = _WHOLE.get(kind)
        if letter is None:
            return ()
        form = f"{self.packing.order}{count}{letter}"
        size = count * NUMBER[kind]
        if size > self.packing.room:
            value = self.take(self.packing.number(value), size)
        return struct.unpack(form, value[:size])

    def values(self, kind: int, count: int, value: bytes) -> bytes:
        """Return the bytes of an entry of `table`; empty if its type is unknown."""
        return self._field(kind, count, value).data if kind in _SIZE else b""

    def fractions(self, kind: int, count: int, value: bytes) -> tuple[float, ...]:
        """Return the numbers of an entry of `table`, be they whole, rational or floating-point."""
        letter = {_RATIONAL: "I", _FLOAT: "f"}.get(kind)
        if letter is None:
            return tuple(float(number) for number in self.numbers(kind, count, value))
        data = self.values(kind, count, value)
        found = struct.unpack(f"{self.packing.order}{len(data) // 4}{letter}", data)
        if kind == _FLOAT:
            return found
        return tuple(
            over / (under or 1) for over, under in zip(found[::2], found[1::2], strict=True)
        )

    def tree(self, wanted: set[int] | None = None) -> Directory:
        """Read the first directory and those below it; ``wanted``: only these fields of the first.

        Of several fields with one tag, the first counts. Fields of an unknown type, whose size is
        unknown, and fields that hold places in the structure are left out.
        """
        return self._directory(self.first, 0, wanted)

    def _directory(self, at: int, tag: int, wanted: set[int] | None = None) -> Directory:
        found = Directory()
        for name, kind, count, value in self.table(at)[0]:
            if name in found.fields or name in found.children:
                continue
            if name in _CHILDREN.get(tag, ()):
                try:
                    child = self._child(name, kind, count, value)
                except ValueError:
                    if name != KODAK:  # which no other program misses
                        raise
                    continue
                if child.fields or child.children:
                    found.children[name] = child
            elif wanted is None or name in wanted:
                known = kind in _SIZE and kind not in (_IFD, _IFD8)
                if known and name not in _PLACES:
                    found.fields[name] = self._field(kind, count, value)
        return found

    def _child(self, name: int, kind: int, count: int, value: bytes) -> Directory:
        if kind not in (_LONG, _IFD, _LONG8, _IFD8) or count != 1:
            raise ValueError(f"field {name:#x} does not point to a directory")
        return self._directory(self.packing.number(value[: _SIZE[kind]]), name)

    def _field(self, kind: int, count: int, value: bytes) -> Field:
        size = count * _SIZE[kind]
        if size <= self.packing.room:
            return Field(kind, count, value[:size])
        self._values_left -= size
        if self._values_left < 0:
            raise ValueError("more values than allowed")
        place = self.packing.number(value)
        return Field(kind, count, self.take(place, size), place)
