"""Trees of directories as TIFF files and blocks of EXIF hold them, read and laid out as bytes.

A directory is a table of fields, each a tag, a kind, a count and that many values, and the offset
of the next directory (TIFF 6.0, section 2; BigTIFF has wider counts and offsets). Offsets count
from the start of the structure. Values stay the bytes that they are.
"""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from upscale.system import read_at

__all__ = [
    "EXIF",
    "GPS",
    "INTEROPERABILITY",
    "BehindTheEndError",
    "Directory",
    "Field",
    "Packing",
    "Source",
    "Space",
]

EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005  # fields that point to a directory
_CHILDREN = {0: (EXIF, GPS), EXIF: (INTEROPERABILITY,), GPS: (), INTEROPERABILITY: ()}

_LONG, _RATIONAL, _UNDEFINED, _FLOAT, _IFD, _LONG8, _IFD8 = 4, 5, 7, 11, 13, 16, 18
_NUMBER = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}
_NUMBER |= {16: 8, 17: 8, 18: 8, 129: 1}  # bytes in one number, by kind; 129 is Exif 3.0's UTF-8
_WHOLE = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # for struct
_SIZE = _NUMBER | {5: 8, 10: 8}  # bytes in one value: a rational is two numbers

# Places of strips, tiles, thumbnails and directories in the structure: meaningless elsewhere.
_PLACES = {0x111, 0x117, 0x120, 0x121, 0x144, 0x145, 0x14A, 0x201, 0x202, 0x207, 0x208, 0x209}
_PLACES |= {EXIF, GPS, INTEROPERABILITY}

_VALUES_LIMIT = 2**24  # bytes


@dataclass(frozen=True, eq=False)
class Field:
    """The values of one tag, in the byte order of their structure."""

    kind: int
    """TIFF's number for the type of value."""
    count: int
    data: bytes
    place: int = 0
    """The offset of the values; 0 where they stand in the table (4 bytes at most, BigTIFF 8)."""


@dataclass
class Directory:
    """One table and all below it."""

    fields: dict[int, Field] = field(default_factory=dict)
    """By tag."""
    children: dict[int, "Directory"] = field(default_factory=dict)
    """By the tag that points to them."""

    def swap(self) -> None:
        """Change the byte order of all numbers, here and below."""
        for tag, old in self.fields.items():
            head, size = 0, _NUMBER[old.kind]
            if old.kind == _UNDEFINED and old.data.startswith(b"UNICODE\0"):
                head, size = 8, 2  # UTF-16 in the order of the numbers (Exif 2.32, 4.6.5)
            data = bytearray(old.data)
            end = len(data) - (len(data) - head) % size
            for i in range(size):
                data[head + i : end : size] = old.data[head:end][size - 1 - i :: size]
            self.fields[tag] = replace(old, data=bytes(data))
        for child in self.children.values():
            child.swap()


@dataclass(frozen=True)
class Packing:
    """How a structure packs its numbers, as formats of `struct`."""

    order: str
    """ "<" or ">"."""
    count: str
    """Of the number of fields."""
    entry: str
    offset: str
    room: int
    """Bytes in an offset, and of the values that a table itself holds."""

    @classmethod
    def of(cls, order: str, big: bool = False) -> "Packing":
        """Return that of a byte order, for TIFF or BigTIFF."""
        if big:
            return cls(order, f"{order}Q", f"{order}HHQ8s", f"{order}Q", 8)
        return cls(order, f"{order}H", f"{order}HHI4s", f"{order}I", 4)

    def number(self, data: bytes) -> int:
        """Return the unsigned number that ``data`` holds."""
        return int.from_bytes(data, "little" if self.order == "<" else "big")


class BehindTheEndError(ValueError):
    """A structure, or what it points to, reaches beyond the end of its file."""


class Source:
    """A structure that is read by offset.

    Its methods raise ValueError for what is not a TIFF structure, lies beyond its end, points to
    itself or exceeds 65535 fields a directory, 16 MiB of values or the size of the whole.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        """Read the header; ``read`` returns the bytes of (offset, size) out of ``size`` in all."""
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
        """Read from memory."""
        return cls(lambda offset, size: data[offset : offset + size], len(data))

    @classmethod
    def of_file(cls, descriptor: int) -> "Source":
        """Read from a file without moving its position; OSError where that fails."""
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
        """Return the entries (tag, kind, count, values or offset) at ``at``, the next offset."""
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
        """Return the whole numbers of an entry of `table`; none where it holds another kind."""
        letter = _WHOLE.get(kind)
        if letter is None:
            return ()
        form = f"{self.packing.order}{count}{letter}"
        size = count * _NUMBER[kind]
        if size > self.packing.room:
            value = self.take(self.packing.number(value), size)
        return struct.unpack(form, value[:size])

    def values(self, kind: int, count: int, value: bytes) -> bytes:
        """Return the bytes of an entry of `table`; none where its kind is unknown."""
        return self._field(kind, count, value).data if kind in _SIZE else b""

    def fractions(self, kind: int, count: int, value: bytes) -> tuple[float, ...]:
        """Return the numbers of an entry of `table`, which may be rational or floating."""
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
        """Read the first directory, or its ``wanted`` fields only, and those below it.

        The first of several fields of one tag counts. Fields of an unknown kind, and so of unknown
        size, and those that hold places in the structure are left out.
        """
        return self._directory(self.first, 0, wanted)

    def _directory(self, at: int, tag: int, wanted: set[int] | None = None) -> Directory:
        found = Directory()
        for name, kind, count, value in self.table(at)[0]:
            if name in found.fields or name in found.children:
                continue
            if name in _CHILDREN[tag]:
                if kind not in (_LONG, _IFD, _LONG8, _IFD8) or count != 1:
                    raise ValueError(f"field {name:#x} does not point to a directory")
                place = self.packing.number(value[: _SIZE[kind]])
                child = self._directory(place, name)
                if child.fields or child.children:
                    found.children[name] = child
            elif wanted is None or name in wanted:
                known = kind in _SIZE and kind not in (_IFD, _IFD8)
                if known and name not in _PLACES:
                    found.fields[name] = self._field(kind, count, value)
        return found

    def _field(self, kind: int, count: int, value: bytes) -> Field:
        size = count * _SIZE[kind]
        if size <= self.packing.room:
            return Field(kind, count, value[:size])
        self._values_left -= size
        if self._values_left < 0:
            raise ValueError("more values than allowed")
        place = self.packing.number(value)
        return Field(kind, count, self.take(place, size), place)


class Space:
    """Bytes to be filled from an offset on; one field may keep its former place."""

    def __init__(self, start: int, fixed: Field | None = None) -> None:
        """Begin at the offset ``start``, which is before the place of ``fixed``."""
        self.data = bytearray()
        self._start = self._low = start
        self._fixed = fixed
        self._low_end = self._high = 2**64
        if fixed is not None:
            self._low_end, self._high = fixed.place, fixed.place + len(fixed.data)
            self._put(fixed.place, fixed.data)

    def _reserve(self, size: int) -> int:
        """Return an even offset of ``size`` free bytes, before or after the fixed field."""
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
        """Add a directory and all below it; return its offset.

        ``kept`` holds further packed entries by tag, which ``new`` overrides. ``after`` is the
        offset of the next directory.
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
