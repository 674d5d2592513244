"""The segments of a JPEG before its first scan (ISO/IEC 10918-1, annex B), and its frame."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from upscale.system import read_at

__all__ = [
    "APP0",
    "APP1",
    "APP2",
    "APPLICATION",
    "COMMENT",
    "EXIF",
    "GAIN_MAP_ISO",
    "ICC",
    "INDEX",
    "PHOTOSHOP",
    "XMP",
    "Frame",
    "Segment",
    "frame_of",
    "segments",
]

SCAN, APP0, APP1, APP2 = 0xDA, 0xE0, 0xE1, 0xE2
COMMENT = 0xFE
JPEG_LS = 0xF7
STARTS_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {JPEG_LS}
"""Markers that give the size (table B.1; ISO/IEC 14495-1, C.1.1)."""

HIERARCHICAL = (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF)
UNREAD = {JPEG_LS: "JPEG-LS"} | dict.fromkeys(HIERARCHICAL, "hierarchical JPEG")
"""Kinds of JPEG that no reader here takes, by their marker."""

ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a length (table B.1)."""

APPLICATION = range(APP0, APP0 + 16)
"""Markers whose contents begin with the name of the program that they belong to (B.2.4.6)."""

EXIF = (APP1, b"Exif\0")
XMP = (APP1, b"http://ns.adobe.com/xap/1.0/\0")
ICC = (APP2, b"ICC_PROFILE\0")
PHOTOSHOP = (0xED, b"Photoshop 3.0\0")
INDEX = (APP2, b"MPF\0")
"""The index of several pictures in one file (CIPA DC-007, 5.2)."""

GAIN_MAP_ISO = (APP2, b"urn:iso:std:iso:ts:21496:-1\0")


@dataclass(frozen=True)
class Segment:
    """One marker and what follows it."""

    marker: int
    """The byte behind 0xFF."""
    begin: int
    """Offset of the contents in the file, behind the length."""
    end: int
    """Offset of what follows the segment."""
    data: bytes = b""
    """The contents, if this is a frame header, a program's block or a comment; otherwise empty."""

    def behind(self, known: tuple[int, bytes]) -> bytes | None:
        """Return what follows the name of a known segment; None if this is another one.

        ``known``: marker and name.
        """
        marker, name = known
        if self.marker != marker or not self.data.startswith(name):
            return None
        return self.data[len(name) :]


@dataclass(frozen=True)
class Frame:
    """What a frame header says (B.2.2)."""

    precision: int
    """Bits per sample."""
    height: int
    width: int
    unread: str = ""
    """The name of its kind if no reader here takes it; empty otherwise."""


def segments(descriptor: int, begin: int = 0) -> tuple[Segment, ...]:
    """Return the segments of an open file, up to its first scan or to where no segment begins.

    ``begin``: where in the file the JPEG begins.
    """
    found = list[Segment]()
    at, size = begin + 2, os.fstat(descriptor).st_size
    while at + 4 <= size:
        head = read_at(descriptor, 4, at)
        if head[0] != 0xFF:
            break
        if head[1] == 0xFF or head[1] in ALONE:  # a fill byte, or a marker without contents
            at += 1 if head[1] == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(head[2:], "big")
        wanted = head[1] in (*APPLICATION, *STARTS_OF_FRAME, COMMENT)
        data = read_at(descriptor, end - at - 4, at + 4) if wanted and end > at + 4 else b""
        found.append(Segment(head[1], at + 4, end, data))
        if head[1] == SCAN:
            break
        at = end
    return tuple(found)


def frame_of(parts: Sequence[Segment]) -> Frame | None:
    """Return the first frame header among ``parts``; None if there is none."""
    for part in parts:
        if part.marker in STARTS_OF_FRAME and len(part.data) >= 5:
            sides = int.from_bytes(part.data[1:3], "big"), int.from_bytes(part.data[3:5], "big")
            return Frame(part.data[0], *sides, UNREAD.get(part.marker, ""))
    return None
