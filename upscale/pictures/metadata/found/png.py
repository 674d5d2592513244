"""Metadata in the chunks of a PNG, before its pixels and behind them (PNG, 5.6 and 11.3).

libvips looks only before the pixels; exiftool, for one, writes XMP behind them.
"""

import zlib
from dataclasses import replace
from pathlib import Path

from upscale.errors import InputError
from upscale.pictures.containers.png import body, chunks
from upscale.pictures.metadata.found.blocks import Blocks, Gathering
from upscale.pictures.metadata.found.raw_profile import PREFIX
from upscale.pictures.metadata.found.raw_profile import blocks as blocks_of_texts

__all__ = ["blocks"]

XMP = b"XML:com.adobe.xmp"
NAMES = {
    b"eXIf": "EXIF",
    b"iCCP": "colour profile",
    b"tEXt": "text",
    b"zTXt": "text",
    b"iTXt": "text",
}
"""The chunks that hold blocks, and what messages call each."""

LARGEST = 16 * 2**20
"""Bytes of a block, compressed or not, above which it is left out."""


def blocks(descriptor: int) -> Blocks:
    """Return the blocks of an open file; those in chunks count before ImageMagick's texts."""
    found, texts = Gathering(), dict[str, str]()
    closed = False  # whether a profile comes too late: it stands before palette and pixels
    try:
        for place in chunks(Path(), descriptor):
            kind, _, length = place
            closed |= kind in (b"PLTE", b"IDAT")
            if kind not in NAMES:
                continue
            try:
                data = body(Path(), descriptor, place) if length <= LARGEST else None
            except InputError:
                data = None
            if kind == b"eXIf" and data is not None:
                found.add("exif", data)
            elif kind == b"iCCP" and closed:
                found.doubt("has a colour profile behind its pixels, which is left out")
            elif data is not None and (block := _text(kind, data)) is not None:
                keyword, text, language = block
                if kind == b"iCCP":
                    found.add("icc", text)
                elif keyword == XMP:
                    found.add("xmp", text)
                elif keyword.startswith(PREFIX.encode()):
                    texts.setdefault(keyword.decode("latin-1"), text.decode("latin-1"))
                else:
                    known = text.decode("utf-8" if kind == b"iTXt" else "latin-1", "replace")
                    found.say(keyword.decode("latin-1"), known, language.decode("latin-1"))
            else:
                found.doubt(f"has a damaged {NAMES[kind]}, which is left out")
    except InputError:
        pass
    own, hidden = found.blocks(), blocks_of_texts(texts)
    return replace(
        own,
        exif=own.exif or hidden.exif,
        xmp=own.xmp or hidden.xmp,
        iptc=hidden.iptc,
        icc=own.icc or hidden.icc,
    )


def _text(kind: bytes, data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return keyword, text and language of a chunk; None if it is damaged or too large."""
    keyword, _, text = data.partition(b"\0")
    language = b""
    packed = kind in (b"zTXt", b"iCCP") or (kind == b"iTXt" and text[:1] == b"\1")
    if kind == b"iTXt":  # two bytes, a language, and the keyword in that language
        parts = text[2:].split(b"\0", 2)
        if len(parts) < 3:
            return None
        language, _, text = parts
    elif packed:
        text = text[1:]
    if not packed:
        return keyword, text, language
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(text, LARGEST)
    except zlib.error:
        return None
    return (keyword, text, language) if unpacker.eof else None
