"""What the boxes of an AVIF or HEIC say of its primary picture: its colours and how it is turned.

(ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12, 6.5.)
"""

import contextlib
import itertools
import re
import struct
from dataclasses import dataclass, field

from upscale.pictures.containers.boxes import Box, boxes, boxes_of_file
from upscale.pixels.image import CodePoints
from upscale.system import read_at

__all__ = [
    "FULL",
    "Meta",
    "Primary",
    "frame_count",
    "patched",
    "primary",
    "primary_properties",
    "read_meta",
    "without_metadata",
]

LONGEST_HEAD = 2**24
"""Bytes of a ``meta`` or ``moov`` box above which none is looked into."""

FULL = 4
"""Bytes of version and flags, with which most boxes here begin."""

OPACITY = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
METADATA = re.compile(rb"(infe(?:\x02.{7}|\x03.{9}))(?:Exif|mime)", re.DOTALL)

TURNS = {
    (0, None): 1, (0, 0): 4, (0, 1): 2,
    (1, None): 8, (1, 0): 5, (1, 1): 7,
    (2, None): 3, (2, 0): 2, (2, 1): 4,
    (3, None): 6, (3, 0): 7, (3, 1): 5,
}  # fmt: skip
"""EXIF's orientation by quarter turns to the left, and the axis mirrored afterwards."""


@dataclass(frozen=True)
class Primary:
    """What is said of the primary picture."""

    code_points: CodePoints | None = None
    """None where nothing is said, or a profile says it."""
    orientation: int = 1
    """By its own boxes, 1 to 8 as EXIF counts."""
    loose: tuple[tuple[int, int], ...] = ()
    """Places in the file, each with the byte to write there, that make no reader turn anything;
    empty where the opacity is turned as the colours are."""


@dataclass(frozen=True)
class _Place:
    """One property of an item: where its association stands, and what it is."""

    at: int
    box: Box


@dataclass
class Meta:
    """The contents of a ``meta`` box."""

    data: bytes
    primary: int = 0
    properties: dict[int, list[_Place]] = field(default_factory=dict)
    """By item."""
    references: list[tuple[bytes, int, tuple[int, ...]]] = field(default_factory=list)
    """Kind, from, to."""

    def of(self, item: int, *kinds: bytes) -> list[_Place]:
        """Return an item's properties of some kinds, in their order."""
        return [each for each in self.properties.get(item, []) if each.box.kind in kinds]

    def body(self, box: Box) -> bytes:
        """Return what a box holds."""
        return self.data[box.begin : box.end]


def primary(file: int | bytes) -> Primary:
    """Read what a file, open or in memory, says of its primary picture; nothing where damaged."""
    try:
        for box in boxes(file) if isinstance(file, bytes) else boxes_of_file(file):
            if box.kind == b"meta" and box.end - box.begin <= LONGEST_HEAD:
                if isinstance(file, bytes):
                    data = file[box.begin : box.end]
                else:
                    data = read_at(file, box.end - box.begin, box.begin)
                return _look(read_meta(data), box.begin)
    except (IndexError, struct.error):
        pass
    return Primary()


def primary_properties(descriptor: int) -> list[tuple[bytes, bytes]]:
    """Return kind and contents of the primary picture's, in their order (ISO/IEC 23008-12, 9.3).

    Where the file holds no such list, or a damaged one, what could be read of it.
    """
    meta = read_meta(_head(descriptor, b"meta"))
    return [(each.box.kind, meta.body(each.box)) for each in meta.properties.get(meta.primary, [])]


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


def patched(data: bytes, said: Primary) -> bytes:
    """Return a file whose opacity is turned apart from its colours as one that turns nothing."""
    edited = bytearray(data)
    for place, byte in said.loose:
        edited[place] = byte
    return bytes(edited)


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
    return Primary(_code_points(meta, item), _orientation(turns), tuple(loose.items()))


def _is_opacity(meta: Meta, item: int) -> bool:
    return any(meta.body(place.box)[FULL:].startswith(OPACITY) for place in meta.of(item, b"auxC"))


def _turns(meta: Meta, item: int) -> list[tuple[bytes, int]]:
    """Return the turns and mirrors of an item in their order; a turn by nothing is none."""
    found = []
    for place in meta.of(item, b"irot", b"imir"):
        kind, number = place.box.kind, meta.data[place.box.begin] & 3
        if kind == b"imir" or number:
            found.append((kind, number if kind == b"irot" else number & 1))
    return found


def _orientation(turns: list[tuple[bytes, int]]) -> int:
    """Bring turns and mirrors to one turn, then one mirror."""
    angle, axis = 0, None
    for kind, number in turns:
        if kind == b"irot":
            # a mirror before a turn is the same mirror after the opposite turn
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
    """Read which properties each item has."""
    data, at = meta.data, box.begin
    size = 4 if data[at] else 2
    wide = bool(data[at + 3] & 1)
    (count,) = struct.unpack_from(">I", data, at + 4)
    at += 8
    for _ in range(min(count, len(data))):
        item, number = int.from_bytes(data[at : at + size], "big"), data[at + size]
        at += size + 1
        for _ in range(number):
            index = (data[at] & 0x7F) << 8 | data[at + 1] if wide else data[at] & 0x7F
            if 0 < index <= len(known):
                meta.properties.setdefault(item, []).append(_Place(at, known[index - 1]))
            at += 2 if wide else 1


def _head(descriptor: int, kind: bytes) -> bytes:
    for box in boxes_of_file(descriptor):
        if box.kind == kind and box.end - box.begin <= LONGEST_HEAD:
            return read_at(descriptor, box.end - box.begin, box.begin)
    return b""
