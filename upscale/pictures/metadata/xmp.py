"""XMP: without what would not be true of a picture that was made from the one that it describes."""

import re
from io import BytesIO
from xml.etree import ElementTree

from upscale.pictures.containers import companions
from upscale.pictures.containers.companions import COMPANIONS, MOTION

__all__ = ["for_output", "orientation", "says_more_than_it_holds"]

EXTENDED = "{http://ns.adobe.com/xmp/note/}HasExtendedXMP"
"""The property of XMP that goes on in further segments of a JPEG, since it has more than 64 KiB."""

EXTENDS = {companions.DEPTH, companions.SECOND, companions.SOUND}
"""Companions that are kept as text in those segments, and have warnings of their own."""

ABSENT = (*(name.encode() for name in COMPANIONS), b":Motion", b":Micro", b"HasExtendedXMP")
"""One of these occurs in XMP if there is something to remove from it."""

BODY = re.compile(rb"<(x:xmpmeta|rdf:RDF)\b.*</\1>", re.DOTALL)
ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>)\s*)([1-8])(?=\s*[\"'<])")


def orientation(xmp: bytes) -> int:
    """Return ``tiff:Orientation``, 1 to 8; 1 if there is none."""
    found = ORIENTATION.search(xmp)
    return int(found[2]) if found else 1


def says_more_than_it_holds(xmp: bytes) -> bool:
    """Say whether XMP goes on elsewhere in the file (extended XMP) with more than companions."""
    return b"HasExtendedXMP" in xmp and not companions.in_xmp(xmp) & EXTENDS


def for_output(xmp: bytes) -> bytes:
    """Return the XMP of an upright picture without companions.

    The orientation becomes 1; gain maps, the video of a motion photo and extended XMP are no longer
    named, and zeros around it are removed. All else is kept, byte for byte if none of these is
    named. Raises ValueError if there is no RDF, a zero byte, or XML that cannot be parsed.
    """
    upright = ORIENTATION.sub(rb"\g<1>1", xmp.strip(b"\0"))
    body = BODY.search(upright)
    if body is None:
        raise ValueError("holds no RDF")
    if b"\0" in upright:
        raise ValueError("holds a zero byte")  # which no XML may, and which would end it in a GIF
    if not any(name in upright for name in ABSENT):
        return upright
    try:
        for _, (prefix, name) in ElementTree.iterparse(BytesIO(body[0]), ["start-ns"]):
            if not re.fullmatch(r"ns\d+", prefix):  # which ElementTree keeps for itself
                ElementTree.register_namespace(prefix, name)
        root = ElementTree.fromstring(body[0])
    except ElementTree.ParseError as error:
        raise ValueError(f"is damaged ({error})") from error
    for element in root.iter():
        for name in [name for name in element.attrib if _is_absent(name)]:
            del element.attrib[name]
        for child in [child for child in element if _is_absent(child.tag)]:
            element.remove(child)
    text: bytes = ElementTree.tostring(root, "utf-8")
    return upright[: body.start()] + text + upright[body.end() :]


def _is_absent(name: str) -> bool:
    space = name[1:].partition("}")[0]
    return space.startswith(COMPANIONS) or name == EXTENDED or MOTION.match(name) is not None
