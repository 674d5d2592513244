"""Metadata that stand behind a PNG's pixels, where libvips does not look (PNG, 5.6 and 11.3.3).

exiftool, for one, writes XMP there.
"""

import zlib
from pathlib import Path

from upscale.errors import InputError
from upscale.pictures.containers.png import body, chunks
from upscale.pictures.metadata.raw_profile import PREFIX, Blocks, blocks

__all__ = ["late_blocks"]

XMP = b"XML:com.adobe.xmp"
EXIF = b"Exif\0\0"
LARGEST = 16 * 2**20
"""Bytes of a block, packed or not, above which it is passed over."""


def late_blocks(descriptor: int) -> Blocks:
    """Return the blocks behind the pixels of an open file; what is damaged is passed over."""
    exif, xmp, texts = b"", b"", dict[str, str]()
    behind = False
    try:
        for kind, position, length in chunks(Path(), descriptor):
            behind |= kind == b"IDAT"
            if not behind or kind not in (b"eXIf", b"tEXt", b"zTXt", b"iTXt") or length > LARGEST:
                continue
            data = body(Path(), descriptor, (kind, position, length))
            if kind == b"eXIf":
                exif = exif or EXIF + data.removeprefix(EXIF)
                continue
            keyword, text = _text(kind, data)
            if keyword == XMP:
                xmp = xmp or text
            elif keyword.startswith(PREFIX.encode()):
                texts.setdefault(keyword.decode("latin-1"), text.decode("latin-1"))
    except InputError:
        pass
    hidden = blocks(texts)
    return Blocks(exif or hidden.exif, xmp or hidden.xmp, hidden.iptc, hidden.icc)


def _text(kind: bytes, data: bytes) -> tuple[bytes, bytes]:
    """Return keyword and text of a chunk; no text where it is damaged or too large."""
    keyword, _, text = data.partition(b"\0")
    packed = kind == b"zTXt" or (kind == b"iTXt" and text[:1] == b"\1")
    if kind == b"iTXt":  # two bytes, a language and the keyword in it
        text = text[2:].split(b"\0", 2)[-1]
    elif kind == b"zTXt":
        text = text[1:]
    if packed:
        unpacker = zlib.decompressobj()
        try:
            text = unpacker.decompress(text, LARGEST)
        except zlib.error:
            return keyword, b""
        if not unpacker.eof:
            return keyword, b""
    return keyword, text
