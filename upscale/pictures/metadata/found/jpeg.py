"""Metadata in the segments of a JPEG (Exif 2.32, 4.7.2; ICC.1:2022, B.4)."""

from collections.abc import Sequence

from upscale.pictures.containers.jpeg.segments import (
    COMMENT,
    EXIF,
    ICC,
    PHOTOSHOP,
    XMP,
    Segment,
)
from upscale.pictures.metadata import iptc
from upscale.pictures.metadata.found.blocks import Blocks, Gathering, plain

__all__ = ["blocks"]

TIFF = (b"II*\0", b"MM\0*")
"""The beginnings of EXIF, by which it is told from a further segment of the same EXIF."""


def blocks(segments: Sequence[Segment]) -> Blocks:
    """Return the blocks in ``segments``; blocks that are longer than a segment are joined."""
    found = Gathering()
    described, resources, profile = list[bytes](), list[bytes](), list[bytes]()
    for segment in segments:
        if (content := segment.behind(EXIF)) is not None:
            content = content[1:]  # a second zero
            if described and not content.startswith(TIFF):
                described[-1] += content
            else:
                described.append(content)
        elif (content := segment.behind(XMP)) is not None:
            found.add("xmp", content)
        elif (content := segment.behind(PHOTOSHOP)) is not None:
            resources.append(content)
        elif (content := segment.behind(ICC)) is not None:
            profile.append(content)
        elif segment.marker == COMMENT:
            found.say("Comment", plain(segment.data))
    for block in described:
        found.add("exif", block)
    for block in iptc.all_of(b"".join(resources)):
        found.add("iptc", block)
    if profile:
        _add_profile(found, profile)
    return found.blocks()


def _add_profile(found: Gathering, parts: list[bytes]) -> None:
    """Join the parts, each with its number and their count; libjpeg, too, wants them complete."""
    count = len(parts)
    heads = [bytes((number, count)) for number in range(1, count + 1)] if count < 256 else []
    if sorted(part[:2] for part in parts) == heads:
        found.add("icc", b"".join(part[2:] for part in sorted(parts)))
    else:
        found.doubt("has a colour profile whose parts do not fit together, which is left out")
