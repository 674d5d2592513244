"""What the boxes of an AVIF or HEIC say of its primary picture: colours, turns, crop, companions.

(ISO/IEC 23008-12, 6.5.)
"""

import itertools
import re
import struct
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from upscale.pictures.containers import companions
from upscale.pictures.containers.heif.meta import FULL, Meta, head_of, read_meta
from upscale.pixels.image import CodePoints

__all__ = ["Crop", "Primary", "frame_count", "primary", "primary_properties"]

TONE_MAPPED = b"tmap"
"""An item derived from a picture and its gain map (ISO 21496-1)."""

OPACITY = ("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", "urn:mpeg:hevc:2015:auxid:1")
"""Types of auxiliary pictures that are the opacity."""

TURNS = {
    (0, None): 1, (0, 0): 4, (0, 1): 2,
    (1, None): 8, (1, 0): 5, (1, 1): 7,
    (2, None): 3, (2, 0): 2, (2, 1): 4,
    (3, None): 6, (3, 0): 7, (3, 1): 5,
}  # fmt: skip
"""EXIF's orientation, by quarter turns anticlockwise and the axis of a mirror after them."""


@dataclass(frozen=True)
class Crop:
    """The part of a picture that is shown, in pixels before it is turned."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Primary:
    """What is said of the primary picture."""

    code_points: CodePoints | None = None
    """Its colours; None: the file does not state them, or does so by a profile."""
    orientation: int = 1
    """How it is to be turned, 1 to 8 as in EXIF, by its own boxes."""
    crop: Crop | None = None
    """What is shown of it; None: all."""
    companions: frozenset[str] = frozenset()
    """What lies beside it, by the names of `upscale.pictures.containers.companions`."""
    loose: tuple[tuple[int, int], ...] = ()
    """Places in the file, each with the byte to write there, by which no reader turns anything;
    empty if the opacity is turned as the colours are."""


def primary(file: int | bytes) -> Primary:
    """Return what a file says of its primary picture; of damaged boxes, nothing.

    ``file``: its descriptor, or its bytes.
    """
    data, start = head_of(file, b"meta")
    try:
        return _look(read_meta(data), start)
    except (IndexError, struct.error):
        return Primary()


def primary_properties(descriptor: int) -> list[tuple[bytes, bytes]]:
    """Return kind and contents of the primary picture's properties, in their order.

    (ISO/IEC 23008-12, 9.3.) Of a missing or damaged list, what could be read.
    """
    meta = read_meta(head_of(descriptor, b"meta")[0])
    return [(each.box.kind, meta.body(each.box)) for each in meta.properties.get(meta.primary, [])]


def frame_count(descriptor: int) -> int:
    """Return how many frames the longest track has; 1 if there is no track (14496-12, 8.7.3)."""
    moov, most = head_of(descriptor, b"moov")[0], 1
    for table in re.finditer(rb"stsz", moov):
        most = max(most, int.from_bytes(moov[table.end() + 8 : table.end() + 12], "big"))
    return most


def _look(meta: Meta, start: int) -> Primary:
    item = meta.primary
    turns = _turns(meta, item)
    apart = any(
        turns != _turns(meta, auxiliary)
        for kind, auxiliary, targets in meta.references
        if kind == b"auxl" and item in targets and _is_opacity(meta, auxiliary)
    )
    loose = dict[int, int]()
    if apart:
        for places in meta.properties.values():
            for place in places:
                if place.box.kind in (b"irot", b"imir"):
                    name = start + place.box.begin - 4
                    loose |= dict(zip(range(name, name + 4), b"free", strict=True))
                    loose[start + place.at] = meta.data[place.at] & 0x7F  # not essential
    return Primary(
        _code_points(meta, item),
        _orientation(turns),
        _crop(meta, item),
        _companions(meta),
        tuple(loose.items()),
    )


def _companions(meta: Meta) -> frozenset[str]:
    found = set[str]()
    for kind, source, to in meta.references:
        if meta.primary not in to:
            continue
        if kind == b"auxl" and not _is_opacity(meta, source):
            found |= {companions.of_auxiliary(name) for name in _types(meta, source)}
        elif kind == b"dimg" and meta.kinds.get(source) == TONE_MAPPED:
            found.add(companions.GAIN_MAP)
    return frozenset(found)


def _is_opacity(meta: Meta, item: int) -> bool:
    return any(name in OPACITY for name in _types(meta, item))


def _types(meta: Meta, item: int) -> list[str]:
    """Return the types of an auxiliary picture (ISO/IEC 23008-12, 6.5.8)."""
    bodies = [meta.body(place.box)[FULL:] for place in meta.of(item, b"auxC")]
    return [body.partition(b"\0")[0].decode("latin-1") for body in bodies]


def _turns(meta: Meta, item: int) -> list[tuple[bytes, int]]:
    """Return the turns and mirrors of an item in their order, without turns by 0."""
    found = []
    for place in meta.of(item, b"irot", b"imir"):
        kind, number = place.box.kind, meta.data[place.box.begin] & 3
        if kind == b"imir" or number:
            found.append((kind, number if kind == b"irot" else number & 1))
    return found


def _crop(meta: Meta, item: int) -> Crop | None:
    """Return the clean aperture (ISO/IEC 14496-12, 12.1.4), rounded as libheif does."""
    sizes, apertures = meta.of(item, b"ispe"), meta.of(item, b"clap")
    if not (sizes and apertures):
        return None
    sides = struct.unpack_from(">II", meta.data, sizes[0].box.begin + FULL)
    numbers = struct.unpack_from(">8i", meta.data, apertures[0].box.begin)
    if 0 in numbers[1::2]:
        return None
    width, height, across, down = (Fraction(*numbers[i : i + 2]) for i in range(0, 8, 2))
    left = across + Fraction(sides[0] - 1, 2) - (width - 1) / 2
    top = down + Fraction(sides[1] - 1, 2) - (height - 1) / 2
    return Crop(max(0, floor(left)), max(0, floor(top)), round(width), round(height))


def _orientation(turns: list[tuple[bytes, int]]) -> int:
    """Return the orientation that turns and mirrors, one after the other, amount to."""
    angle, axis = 0, None
    for kind, number in turns:
        if kind == b"irot":
            # a turn after a mirror is the opposite turn before it
            angle += number if axis is None else -number
        elif axis is None:
            axis = number
        else:  # both mirrors together are half a turn
            angle, axis = angle + 2 * (axis != number), None
    return TURNS[angle % 4, axis]


def _code_points(meta: Meta, item: int) -> CodePoints | None:
    made_of = (to for kind, source, to in meta.references if (kind, source) == (b"dimg", item))
    for each in (item, *itertools.chain.from_iterable(made_of)):
        colours = [meta.body(place.box) for place in meta.of(each, b"colr")]
        if any(colour[:4] in (b"prof", b"rICC") for colour in colours):
            return None
        for colour in colours:
            if colour[:4] == b"nclx":
                return CodePoints(*struct.unpack(">HH", colour[4:8]))
    return None
