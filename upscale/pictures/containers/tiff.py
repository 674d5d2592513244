"""Trees of directories as TIFF files and blocks of EXIF hold them, read and laid out as bytes.

A directory is a table of fields, each a tag, a kind, a count and that many values, and the offset
of the next directory (TIFF 6.0, section 2; BigTIFF has wider counts and offsets). Offsets count
from the start of the structure. Values stay the bytes that they are.
"""

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

__all__ = [
    "EXIF",
    "GPS",
    "INTEROPERABILITY",
    "BehindTheEndError",
    "Directory",
    "Field",
    "Frame",
    "Source",
    "Space",
]

EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005  # fields that point to a directory
_CHILDREN = {0: (EXIF, GPS), EXIF: (INTEROPERABILITY,), GPS: (), INTEROPERABILITY: ()}

_LONG, _UNDEFINED, _IFD, _LONG8, _IFD8 = 4, 7, 13, 16, 18
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
    """The values of one tag, in the byte order of their structure.

    ``kind`` is TIFF's number for the type of value, ``place`` the offset where the values stood;
    0 for those in the table itself, which are at most 4 bytes (8 in BigTIFF).
    """

    kind: int
    count: int
    data: bytes
    place: int = 0


@dataclass
class Directory:
    """Fields by tag, and directories by the tag that points to them."""

    fields: dict[int, Field] = field(default_factory=dict)
    children: dict[int, "Directory"] = field(default_factory=dict)

    def swap(self) -> None:
        """Turn all numbers, here and below, into the other byte order."""
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
class Frame:
    """How a structure packs its numbers: `struct` formats, and bytes in an offset."""

    order: str
    count: str
    entry: str
    offset: str
    room: int

    @classmethod
    def of(cls, order: str, big: bool = False) -> "Frame":
        """Take the byte order, "<" or ">", and whether it is BigTIFF."""
        if big:
            return cls(order, f"{order}Q", f"{order}HHQ8s", f"{order}Q", 8)
        return cls(order, f"{order}H", f"{order}HHI4s", f"{order}I", 4)

    def number(self, data: bytes) -> int:
        """Return the unsigned number that ``data`` holds."""
        return int.from_bytes(data, "little" if self.order == "<" else "big")


class BehindTheEndError(ValueError):
    """A structure, or what it points to, reaches behind the end of its file."""


class Source:
    """A structure that is read by offset.

    Its methods raise ValueError for what is not a TIFF structure, stands behind its end, points to
    itself or is too much: 65535 fields a directory, 16 MiB of values or the size of the whole.
    """

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        """Take what reads (offset, size) in bytes, and the size of the whole; read the header."""
        self._read = read
        self._size = size
        self._values_left = min(size, _VALUES_LIMIT)
        self._seen: set[int] = set()
        order = {b"II": "<", b"MM": ">"}.get(self._take(0, 2))
        if order is None:
            raise ValueError("no TIFF structure")
        version = self._unpack(f"{order}H", 2)
        if version not in (42, 43):
            raise ValueError(f"a TIFF structure of version {version}")
        self.frame = Frame.of(order, big=version == 43)
        self.first_pointer = 8 if version == 43 else 4  # where the first directory's offset stands
        self.first = self._unpack(self.frame.offset, self.first_pointer)

    @classmethod
    def of_bytes(cls, data: bytes) -> "Source":
        """Read from memory."""
        return cls(lambda offset, size: data[offset : offset + size], len(data))

    @classmethod
    def of_file(cls, descriptor: int) -> "Source":
        """Read from a file without moving its position; OSError where that fails."""
        size = os.fstat(descriptor).st_size
        return cls(lambda offset, size: os.pread(descriptor, size, offset), size)

    def _take(self, offset: int, size: int) -> bytes:
        if offset + size > self._size or len(data := self._read(offset, size)) < size:
            raise BehindTheEndError(f"{size} bytes at {offset} are behind the end")
        return data

    def _unpack(self, format: str, offset: int) -> int:
        return int(struct.unpack(format, self._take(offset, struct.calcsize(format)))[0])

    def table(self, at: int) -> tuple[list[tuple[int, int, int, bytes]], int]:
        """Return the entries (tag, kind, count, values or offset) at ``at``, the next offset."""
        if at in self._seen:
            raise ValueError(f"two directories at {at}")
        self._seen.add(at)
        count = self._unpack(self.frame.count, at)
        if count >= 2**16:
            raise ValueError(f"a directory of {count} fields")
        at += struct.calcsize(self.frame.count)
        size = count * struct.calcsize(self.frame.entry)
        entries = list(struct.iter_unpack(self.frame.entry, self._take(at, size)))
        return entries, self._unpack(self.frame.offset, at + size)

    def numbers(self, kind: int, count: int, value: bytes) -> tuple[int, ...]:
        """Return the whole numbers of an entry of `table`; none where it holds another kind."""
        letter = _WHOLE.get(kind)
        if letter is None:
            return ()
        form = f"{self.frame.order}{count}{letter}"
        size = count * _NUMBER[kind]
        if size > self.frame.room:
            value = self._take(self.frame.number(value), size)
        return struct.unpack(form, value[:size])

    def tree(self, wanted: set[int] | None = None) -> Directory:
        """Read the first directory, or its ``wanted`` fields only, and those below it.

        The first of several fields of one tag counts; fields of unknown kind, whose size cannot be
        known, and those that only hold places in the structure are left out.
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
                place = self.frame.number(value[: _SIZE[kind]])
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
        if size <= self.frame.room:
            return Field(kind, count, value[:size])
        self._values_left -= size
        if self._values_left < 0:
            raise ValueError("more values than there is room for")
        place = self.frame.number(value)
        return Field(kind, count, self._take(place, size), place)


class Space:
    """Bytes from an offset on, to be filled; one field may keep the place that it had."""

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
        self, frame: Frame, new: Directory, kept: dict[int, bytes] | None = None, after: int = 0
    ) -> int:
        """Add a directory and all below it; return its offset.

        ``kept`` are further entries by tag, as packed; what is ``new`` comes before them. ``after``
        is the offset of the next directory.
        """
        entries = dict(kept or {})
        head = struct.pack(frame.count, len(entries | new.fields | new.children))
        size = len(entries | new.fields | new.children) * struct.calcsize(frame.entry)
        at = self._reserve(len(head) + size + frame.room)
        pointer = _LONG8 if frame.room == 8 else _LONG
        for tag, child in sorted(new.children.items()):
            place = struct.pack(frame.offset, self.add(frame, child))
            entries[tag] = struct.pack(frame.entry, tag, pointer, 1, place)
        for tag, value in sorted(new.fields.items()):
            inside = len(value.data) <= frame.room
            data = value.data if inside else struct.pack(frame.offset, self._add(value))
            entries[tag] = struct.pack(frame.entry, tag, value.kind, value.count, data)
        table = b"".join(entries[tag] for tag in sorted(entries))
        self._put(at, head + table + struct.pack(frame.offset, after))
        return at
