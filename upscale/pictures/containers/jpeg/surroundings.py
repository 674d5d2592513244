"""What lies beside the picture in a JPEG file and does not reach the output."""

import re
from collections.abc import Sequence

from upscale.pictures.containers import companions, samsung
from upscale.pictures.containers.companions import Surroundings
from upscale.pictures.containers.jpeg.segments import (
    APP0,
    APP1,
    APPLICATION,
    EXIF,
    GAIN_MAP_ISO,
    ICC,
    INDEX,
    PHOTOSHOP,
    XMP,
    Segment,
    segments,
)
from upscale.pictures.containers.tiff.source import Source

__all__ = ["surroundings"]

KNOWN = (
    *(EXIF, XMP, ICC, PHOTOSHOP, INDEX, GAIN_MAP_ISO),
    (APP1, b"http://ns.adobe.com/xmp/extension/\0"),  # XMP itself says that it has these
    *((APP0, b"JFIF\0"), (APP0, b"JFXX\0"), (APP0, b"AVI1")),
    *((0xEE, b"Adobe"), (0xEC, b"Ducky"), (0xED, b"Adobe_CM")),  # how the old file was saved
)
"""Segments that are read, or whose loss takes nothing from the picture: marker and name."""

NAME = re.compile(rb"[ -~]{2,30}")
"""What a segment of another program begins with."""

ENTRIES = 0xB002
ENTRY = 16
"""The index's field with an entry for each picture, and bytes of an entry (CIPA DC-007, 5.2)."""

THUMBNAIL = 1
"""The class of pictures that are a smaller copy of the first one (table 4)."""


def surroundings(descriptor: int, own: Sequence[Segment]) -> Surroundings:
    """Return what a file's ``own`` segments, the pictures of its index and its trailer name."""
    names = _said(own)
    others = [_said(segments(descriptor, at)) for at in _index(own)]
    unknown = 0 if names else sum(not said for said in others)
    behind, settings = samsung.behind(descriptor)
    lost = (*_lost(own), *settings)
    return Surroundings(frozenset(names.union(behind, *others)), 1 + unknown, lost)


def _lost(picture: Sequence[Segment]) -> list[str]:
    """Return the names of segments that nothing here reads, such as settings of old cameras."""
    found: dict[str, None] = {}
    for segment in picture:
        if segment.marker in APPLICATION and all(segment.behind(each) is None for each in KNOWN):
            name = NAME.match(segment.data)
            words = f" ({name[0].decode()})" if name else ""
            found[f"APP{segment.marker - APP0}{words}"] = None
    return list(found)


def _said(picture: Sequence[Segment]) -> set[str]:
    """Return the companions that a picture's segments name, itself being one perhaps."""
    found = set[str]()
    for segment in picture:
        if segment.behind(GAIN_MAP_ISO) is not None:
            found.add(companions.GAIN_MAP)
        elif segment.marker == APP1:
            found |= companions.in_xmp(segment.data)
    return found


def _index(picture: Sequence[Segment]) -> list[int]:
    """Return where the further pictures of the file begin, except smaller copies of the first."""
    for segment in picture:
        if (index := segment.behind(INDEX)) is not None:
            begin = segment.end - len(index)
            try:
                source = Source.of_bytes(index)
                entries = source.tree(wanted={ENTRIES}).fields[ENTRIES].data
            except (ValueError, KeyError):
                return []
            numbers = [
                [source.packing.number(entries[at + field : at + field + 4]) for field in (0, 8)]
                for at in range(ENTRY, len(entries) - ENTRY + 1, ENTRY)
            ]
            return [begin + at for kind, at in numbers if kind >> 16 & 0xFF != THUMBNAIL]
    return []
