"""What lies around the picture in a JPEG file, and does not reach the output."""

from collections.abc import Sequence

from upscale.pictures.containers import companions, samsung
from upscale.pictures.containers.companions import Surroundings
from upscale.pictures.containers.jpeg import Segment, segments
from upscale.pictures.containers.tiff.source import Source
from upscale.system import read_at

__all__ = ["surroundings"]

APP1, APP2 = 0xE1, 0xE2

INDEX = b"MPF\0"
ENTRIES = 0xB002
ENTRY = 16
"""The index of several pictures in one file, its field of one entry a picture, and an entry's bytes
(CIPA DC-007, 5.2)."""

THUMBNAIL = 1
"""The class of pictures that are the first one again, smaller (table 4)."""

LOST = {0xE3: "APP3 (Kodak's Meta)", 0xEC: "APP12 (PictureInfo)"}
"""Segments with settings of old cameras, by their markers."""

DUCKY = b"Ducky"
"""Photoshop's in APP12: how the old file was saved."""

GAIN_MAP_ISO = b"urn:iso:std:iso:ts:21496:-1\0"


def surroundings(descriptor: int) -> Surroundings:
    """Look into the segments of an open file, at each picture of its index, and behind the end."""
    own = list(segments(descriptor))
    names = _said(descriptor, own)
    others = [_said(descriptor, list(segments(descriptor, at))) for at in _index(descriptor, own)]
    unknown = 0 if names else sum(not said for said in others)
    lost = [
        LOST[each.marker]
        for each in own
        if each.marker in LOST and not _begins(descriptor, each, DUCKY)
    ]
    behind, settings = samsung.behind(descriptor)
    lost += settings
    return Surroundings(frozenset(names.union(behind, *others)), 1 + unknown, tuple(lost))


def _said(descriptor: int, picture: Sequence[Segment]) -> set[str]:
    """Return what a picture's segments say of itself, or of what lies beside it."""
    found = set[str]()
    for segment in picture:
        if segment.marker == APP2 and _begins(descriptor, segment, GAIN_MAP_ISO):
            found.add(companions.GAIN_MAP)
        elif segment.marker == APP1:
            packet = read_at(descriptor, segment.end - segment.begin, segment.begin)
            found |= companions.in_xmp(packet)
    return found


def _index(descriptor: int, picture: Sequence[Segment]) -> list[int]:
    """Return where the further pictures begin, without smaller copies of the first."""
    for segment in picture:
        if segment.marker == APP2 and _begins(descriptor, segment, INDEX):
            begin = segment.begin + len(INDEX)
            try:
                source = Source.of_bytes(read_at(descriptor, segment.end - begin, begin))
                entries = source.tree(wanted={ENTRIES}).fields[ENTRIES].data
            except (ValueError, KeyError):
                return []
            numbers = [
                [source.packing.number(entries[at + field : at + field + 4]) for field in (0, 8)]
                for at in range(ENTRY, len(entries) - ENTRY + 1, ENTRY)
            ]
            return [begin + at for kind, at in numbers if kind >> 16 & 0xFF != THUMBNAIL]
    return []


def _begins(descriptor: int, segment: Segment, what: bytes) -> bool:
    return read_at(descriptor, len(what), segment.begin) == what
