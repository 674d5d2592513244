"""Metadata that ImageMagick keeps as texts in a PNG, such as ``Raw profile type exif``.

A text has a line with the kind, a line with the number of bytes, and lines of hexadecimal digits.
"""

import re

from upscale.pictures.metadata import iptc
from upscale.pictures.metadata.found.blocks import EXIF, Blocks, Gathering, Kind

__all__ = ["PREFIX", "blocks"]

PREFIX = "Raw profile type "
TEXT = re.compile(rb"\s*\S+\s+(\d+)\s+([0-9a-fA-F\s]*)")
XMP = b"http://ns.adobe.com/xap/1.0/\0"


def blocks(texts: dict[str, str]) -> Blocks:
    """Return the blocks in the texts of a PNG, by keyword; other and damaged texts are ignored."""
    found = Gathering()
    for keyword, text in texts.items():
        data = _decoded(text) if keyword.startswith(PREFIX) else None
        if data:
            kind = keyword.removeprefix(PREFIX).lower()
            for name, block in _parted(kind, data).items():
                found.add(name, block)
    return found.blocks()


def _decoded(text: str) -> bytes | None:
    match = TEXT.fullmatch(text.encode("latin-1", "replace"))
    if match is None:
        return None
    digits = b"".join(match[2].split())
    if len(digits) != 2 * int(match[1]):
        return None
    return bytes.fromhex(digits.decode())


def _parted(kind: str, data: bytes) -> dict[Kind, bytes]:
    if kind in ("exif", "app1"):
        if data.startswith(XMP):
            return {"xmp": data.removeprefix(XMP)}
        tiff = data.removeprefix(EXIF)
        return {"exif": EXIF + tiff} if tiff.startswith((b"II*\0", b"MM\0*")) else {}
    if kind == "xmp":
        return {"xmp": data.removeprefix(XMP)}
    if kind in ("iptc", "8bim"):
        datasets = iptc.bare(data)
        return {"iptc": datasets} if datasets else {}
    return {"icc": data} if kind in ("icc", "icm") else {}
