"""A directory of a TIFF structure: its fields, those below it, and how its numbers are packed.

A directory is a table of fields and the offset of the next directory (TIFF 6.0, section 2; BigTIFF
has wider counts and offsets). A field is a tag, a type, a count and that many values. Values are
kept as bytes.
"""

from dataclasses import dataclass, field, replace

__all__ = ["EXIF", "GPS", "INTEROPERABILITY", "KODAK", "NUMBER", "Directory", "Field", "Packing"]

EXIF, GPS, INTEROPERABILITY, KODAK = 0x8769, 0x8825, 0xA005, 0x8290
"""Fields that point to a directory; the last is Kodak's own (exiftool's Exif.pm)."""

NUMBER = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}
NUMBER |= {16: 8, 17: 8, 18: 8, 129: 1}
"""Bytes in one number, by type; 129 is Exif 3.0's UTF-8. A rational is two numbers."""

_UNDEFINED = 7


@dataclass(frozen=True, eq=False)
class Field:
    """The values of one tag, in the byte order of their structure."""

    kind: int
    """TIFF's number for the type of the values."""
    count: int
    """Number of values."""
    data: bytes
    """The values."""
    place: int = 0
    """Their offset; 0 if they stand in the table itself (4 bytes at most, in BigTIFF 8)."""


@dataclass
class Directory:
    """One table and all tables below it."""

    fields: dict[int, Field] = field(default_factory=dict)
    """Its fields, by tag."""
    children: dict[int, "Directory"] = field(default_factory=dict)
    """The directories below it, by the tag of the field that points to each."""

    def swap(self) -> None:
        """Reverse the byte order of all numbers, here and below."""
        for tag, old in self.fields.items():
            head, size = 0, NUMBER[old.kind]
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
    """How a structure packs its numbers, by format strings of `struct`."""

    order: str
    """The byte order: "<" or ">"."""
    count: str
    """The number of fields of a directory."""
    entry: str
    """A field: tag, type, count, and values or offset."""
    offset: str
    """An offset."""
    room: int
    """Bytes of an offset, which are also the most that a table itself holds of a field's values."""

    @classmethod
    def of(cls, order: str, big: bool = False) -> "Packing":
        """Return the packing of a byte order; ``big``: that of BigTIFF."""
        if big:
            return cls(order, f"{order}Q", f"{order}HHQ8s", f"{order}Q", 8)
        return cls(order, f"{order}H", f"{order}HHI4s", f"{order}I", 4)

    def number(self, data: bytes) -> int:
        """Return the unsigned number that ``data`` holds."""
        return int.from_bytes(data, "little" if self.order == "<" else "big")
