"""The segments of a JPEG before its first scan (ISO/IEC 10918-1, annex B), and what they say."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from upscale.pictures.containers.tiff.source import Source
from upscale.system import read_at

__all__ = [
    "Frame",
    "Segment",
    "frame_of",
    "has_gain_map",
    "has_video",
    "lost_blocks",
    "pictures",
    "segments",
]

SCAN, APP1, APP2 = 0xDA, 0xE1, 0xE2
STARTS_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers that give the size (table B.1)."""

ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a length (table B.1)."""

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

GAIN_MAP = b"http://ns.adobe.com/hdr-gain-map/1.0/"
"""Namespace of Ultra HDR's fields in XMP."""

GAIN_MAP_ISO = b"urn:iso:std:iso:ts:21496:-1\0"

VIDEO = re.compile(rb":(?:MotionPhoto|MicroVideo)(?:\s*=\s*[\"']|>)\s*1")
"""What XMP says of a motion photo, whose video lies behind the picture."""


@dataclass(frozen=True)
class Segment:
    """One marker and what follows it."""

    marker: int
    """The byte behind 0xFF."""
    begin: int
    """Offset of the contents in the file, behind the length."""
    end: int


@dataclass(frozen=True)
class Frame:
    """What the frame header says (B.2.2)."""

    precision: int
    """Bits a sample."""
    height: int
    width: int


def segments(descriptor: int) -> Iterator[Segment]:
    """Yield the segments of an open file up to its first scan, or to where none begins."""
    at, size = 2, os.fstat(descriptor).st_size
    while at + 4 <= size:
        head = read_at(descriptor, 4, at)
        if head[0] != 0xFF:
            return
        if head[1] == 0xFF or head[1] in ALONE:  # a filling byte, or a marker without contents
            at += 1 if head[1] == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(head[2:], "big")
        yield Segment(head[1], at + 4, end)
        if head[1] == SCAN:
            return
        at = end


def frame_of(descriptor: int) -> Frame | None:
    """Return the frame header of an open file; None where there is none."""
    for segment in segments(descriptor):
        if segment.marker in STARTS_OF_FRAME:
            found = read_at(descriptor, 5, segment.begin)
            if len(found) == 5:
                sides = int.from_bytes(found[1:3], "big"), int.from_bytes(found[3:], "big")
                return Frame(found[0], *sides)
    return None


def pictures(descriptor: int) -> int:
    """Return how many pictures the file's index names, without smaller copies of the first."""
    for segment in segments(descriptor):
        if segment.marker == APP2 and _begins(descriptor, segment, INDEX):
            begin = segment.begin + len(INDEX)
            index = read_at(descriptor, segment.end - begin, begin)
            try:
                source = Source.of_bytes(index)
                entries = source.tree(wanted={ENTRIES}).fields[ENTRIES].data
            except (ValueError, KeyError):
                return 1
            kinds = [
                source.packing.number(entries[at : at + 4]) >> 16 & 0xFF
                for at in range(0, len(entries) - ENTRY + 1, ENTRY)
            ]
            return max(1, len(kinds) - kinds.count(THUMBNAIL))
    return 1


def lost_blocks(descriptor: int) -> list[str]:
    """Name the blocks of cameras that are read by nobody here, and so are lost."""
    found = []
    for segment in segments(descriptor):
        name = LOST.get(segment.marker)
        if name and not _begins(descriptor, segment, DUCKY):
            found.append(name)
    return found


def has_gain_map(descriptor: int) -> bool:
    """Say whether the file says that it holds a gain map: Ultra HDR, or ISO 21496-1."""
    for segment in segments(descriptor):
        if segment.marker == APP2 and _begins(descriptor, segment, GAIN_MAP_ISO):
            return True
        if segment.marker == APP1 and GAIN_MAP in _contents(descriptor, segment):
            return True
    return False


def has_video(descriptor: int) -> bool:
    """Say whether the file says that it is a motion photo."""
    return any(
        segment.marker == APP1 and VIDEO.search(_contents(descriptor, segment))
        for segment in segments(descriptor)
    )


def _contents(descriptor: int, segment: Segment) -> bytes:
    return read_at(descriptor, segment.end - segment.begin, segment.begin)


def _begins(descriptor: int, segment: Segment, what: bytes) -> bool:
    return read_at(descriptor, len(what), segment.begin) == what
