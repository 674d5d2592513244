"""EXIF: what is said about a picture, carried over to the new picture.

A block of EXIF is a small TIFF structure behind ``Exif`` and two zero bytes (Exif 2.32, 4.5). Its
values are carried over as bytes, in their byte order. Pillow's texts and numbers would lose
characters outside ASCII and change the types of fields.
"""

import struct
from fractions import Fraction

from upscale.pictures.containers.tiff.directory import (
    EXIF,
    INTEROPERABILITY,
    Directory,
    Field,
)
from upscale.pictures.metadata.exif_block import (
    MAKER_NOTE,
    laid_out,
    needs_its_place,
    opened,
    placed_note,
)

__all__ = [
    "NOT_IN_TIFF",
    "as_srgb",
    "for_output",
    "identifier",
    "is_adobe_rgb",
    "note_moves",
    "orientation",
    "required",
    "upright",
]

_ORIENTATION = 0x112
_IMAGE_SIZE = (0x100, 0x101)  # width and height, in the first directory
_PIXEL_SIZE = (0xA002, 0xA003)  # the same in the Exif directory
_POSITIONING, _COMPONENTS, _FLASHPIX = 0x213, 0x9101, 0xA000
NOT_IN_TIFF = {_COMPONENTS, *_PIXEL_SIZE}
"""Fields of the Exif directory that only compressed pictures have (Exif 2.32, tables 16, 17)."""

_RESOLUTION, _UNIT, _INCH = (0x11A, 0x11B), 0x128, 2
_EXIF_VERSION, _UNIQUE_ID = 0x9000, 0xA420
_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 2, 3, 4, 5, 7
_COLOUR_SPACE, _INTEROPERABILITY_INDEX = 0xA001, 1

_JPEG_LIMIT = 2**16 - 3  # bytes of EXIF in a JPEG file


def for_output(
    blob: bytes | None,
    width: int,
    height: int,
    identifier: str | None,
    resolution: tuple[float, float] | None = None,
) -> bytes | None:
    """Return the EXIF of a new picture that was made from the one that ``blob`` describes.

    The new picture is upright and has ``width`` × ``height`` pixels; fields that say so are
    corrected if there are any. ``identifier`` (ASCII) becomes its ImageUniqueID; None: unchanged.
    ``resolution``: pixels per millimetre, across and down, which are written if there is any EXIF;
    None: unchanged. The thumbnail is left out. All else is kept. So is the offset of a maker's
    note, since offsets inside it count from the same start, unless the block then is too long for a
    JPEG. Returns None if there is nothing to say. Raises ValueError if ``blob`` is corrupt.
    """
    root, order = Directory(), "<"
    if blob is not None:
        source = opened(blob)
        root, order = source.tree(), source.packing.order
    if identifier is not None:
        text = identifier.encode("ascii") + b"\0"
        new = Directory({_EXIF_VERSION: Field(_UNDEFINED, 4, b"0232")})
        root.children.setdefault(EXIF, new).fields[_UNIQUE_ID] = Field(_ASCII, len(text), text)
    exif = root.children.get(EXIF, Directory())
    if _ORIENTATION in root.fields:
        root.fields[_ORIENTATION] = Field(_SHORT, 1, struct.pack(f"{order}H", 1))
    for directory, tags in ((root, _IMAGE_SIZE), (exif, _PIXEL_SIZE)):
        for tag, size in zip(tags, (width, height), strict=True):
            if tag in directory.fields:
                directory.fields[tag] = Field(_LONG, 1, struct.pack(f"{order}I", size))
    if resolution is not None and (root.fields or root.children):
        for tag, number in zip(_RESOLUTION, resolution, strict=True):
            inches = Fraction(number * 25.4)
            ratio = inches.limit_denominator(min(1000, 2**32 // (int(inches) + 1)))
            values = struct.pack(f"{order}II", ratio.numerator, ratio.denominator)
            root.fields[tag] = Field(_RATIONAL, 1, values)
        root.fields[_UNIT] = Field(_SHORT, 1, struct.pack(f"{order}H", _INCH))
        exif = root.children.setdefault(EXIF, exif)
        root.fields.setdefault(_POSITIONING, Field(_SHORT, 1, struct.pack(f"{order}H", 1)))
        needed = required(order) | _of_compressed(order, width, height)
        for tag, field in needed.items():
            exif.fields.setdefault(tag, field)
    loose = laid_out(order, root)
    note = placed_note(root)
    if loose is None or note is None:
        return loose
    fixed = laid_out(order, root, note)
    return loose if fixed is None or len(loose) <= _JPEG_LIMIT < len(fixed) else fixed


def required(order: str) -> dict[int, Field]:
    """Return the required fields of an Exif directory, which leave the colours open."""
    return {
        _EXIF_VERSION: Field(_UNDEFINED, 4, b"0232"),
        _FLASHPIX: Field(_UNDEFINED, 4, b"0100"),
        _COLOUR_SPACE: Field(_SHORT, 1, struct.pack(f"{order}H", 0xFFFF)),
    }


def _of_compressed(order: str, width: int, height: int) -> dict[int, Field]:
    """Return the further required fields if the picture is not a TIFF (`NOT_IN_TIFF`)."""
    sides = [Field(_LONG, 1, struct.pack(f"{order}I", side)) for side in (width, height)]
    return {
        _COMPONENTS: Field(_UNDEFINED, 4, b"\1\2\3\0"),
        **dict(zip(_PIXEL_SIZE, sides, strict=True)),
    }


def note_moves(blob: bytes | None, new: bytes | None) -> bool:
    """Say whether a maker's note of ``blob`` has another offset in ``new`` that breaks its own.

    ``new``: the new EXIF; None: the directories of a TIFF will hold it. Raises ValueError if one is
    corrupt.
    """
    if blob is None:
        return False
    before = _note(blob)
    if before is None or not needs_its_place(before):
        return False
    after = _note(new) if new else None
    return after is None or after.place != before.place


def _note(blob: bytes) -> Field | None:
    exif = opened(blob).tree(wanted=set()).children.get(EXIF, Directory())
    return exif.fields.get(MAKER_NOTE)


def identifier(blob: bytes | None) -> str | None:
    """Return the ImageUniqueID in ``blob``; None if there is none, or if it is corrupt."""
    try:
        exif = opened(blob or b"").tree(wanted=set()).children[EXIF]
        text = exif.fields[_UNIQUE_ID].data.partition(b"\0")[0]
    except (ValueError, KeyError):
        return None
    return text.decode("ascii", "replace") or None


def is_adobe_rgb(blob: bytes) -> bool:
    """Say whether ``blob`` names Adobe RGB, the optional colours of a camera's file (DCF 2.0)."""
    try:
        exif = opened(blob).tree(wanted=set()).children[EXIF]
        index = exif.children[INTEROPERABILITY].fields[_INTEROPERABILITY_INDEX].data
        return index.startswith(b"R03") and exif.fields[_COLOUR_SPACE].data == b"\xff\xff"
    except (ValueError, KeyError):
        return False


def upright(blob: bytes) -> bytes:
    """Return the EXIF with orientation 1 if it has any. Raises ValueError if it is corrupt."""
    source = opened(blob)
    root, order = source.tree(), source.packing.order
    if _ORIENTATION not in root.fields:
        return blob
    root.fields[_ORIENTATION] = Field(_SHORT, 1, struct.pack(f"{order}H", 1))
    return laid_out(order, root, placed_note(root)) or blob


def as_srgb(blob: bytes) -> bytes:
    """Return the EXIF with sRGB in its fields for colours, if it has any; corrupt EXIF stays."""
    try:
        source = opened(blob)
        root, order = source.tree(), source.packing.order
    except ValueError:
        return blob
    exif = root.children.get(EXIF, Directory())
    index = exif.children.get(INTEROPERABILITY, Directory())
    srgb = Field(_SHORT, 1, struct.pack(f"{order}H", 1))
    named = index.fields.get(_INTEROPERABILITY_INDEX)
    said = exif.fields.get(_COLOUR_SPACE)
    if (said is None or said.data == srgb.data) and (named is None or named.data[:3] != b"R03"):
        return blob
    if said is not None:
        exif.fields[_COLOUR_SPACE] = srgb
    if named is not None:
        index.fields[_INTEROPERABILITY_INDEX] = Field(_ASCII, 4, b"R98\0")
    return laid_out(order, root, placed_note(root)) or blob


def orientation(blob: bytes) -> int | None:
    """Return the orientation in ``blob``, 1 to 8; None if there is none, or if it is corrupt."""
    try:
        source = opened(blob)
        found = source.tree(wanted={_ORIENTATION}).fields[_ORIENTATION]
        number = source.packing.number(found.data[:2])
    except (ValueError, KeyError):
        return None
    return number if found.kind == _SHORT and 1 <= number <= 8 else None
