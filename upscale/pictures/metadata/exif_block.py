"""Blocks of EXIF, which are small TIFF structures: opened, and laid out as bytes."""

import struct

from upscale.pictures.containers.tiff.directory import EXIF, Directory, Field, Packing
from upscale.pictures.containers.tiff.source import Source
from upscale.pictures.containers.tiff.space import Space

__all__ = ["MAKER_NOTE", "laid_out", "needs_its_place", "opened", "placed_note"]

MAKER_NOTE = 0x927C

# Beginnings of notes in which offsets count from the note itself (exiftool's MakerNotes.pm).
_SELF_CONTAINED = (
    b"Nikon\0\2", b"OLYMPUS\0", b"OM SYSTEM\0", b"FUJIFILM", b"PENTAX \0", b"Apple iOS\0",
)  # fmt: skip

_PREFIX = b"Exif\0\0"


def opened(blob: bytes) -> Source:
    """Return the structure in a block. Raises ValueError if there is none."""
    return Source.of_bytes(blob.removeprefix(_PREFIX).removeprefix(_PREFIX))


def laid_out(order: str, root: Directory, fixed: Field | None = None) -> bytes | None:
    """Return a block of ``root`` and all below it; None if it is empty.

    ``order``: the byte order of the numbers in ``root``, "<" or ">"; ``fixed``: a field that keeps
    its offset.
    """
    if not root.fields and not root.children:
        return None
    space = Space(8, fixed)
    first = space.add(Packing.of(order), root)
    mark = b"II" if order == "<" else b"MM"
    return _PREFIX + mark + struct.pack(f"{order}HI", 42, first) + bytes(space.data)


def placed_note(root: Directory) -> Field | None:
    """Return the maker's note if there is one whose offset can be kept; None otherwise."""
    note = root.children.get(EXIF, Directory()).fields.get(MAKER_NOTE)
    return note if note is not None and 8 <= note.place < 2**16 else None


def needs_its_place(note: Field) -> bool:
    """Say whether offsets in a maker's note count from the start of the block, not of the note."""
    return not note.data.startswith(_SELF_CONTAINED)
