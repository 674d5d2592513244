"""Texts beside a picture, and XMP of a GIF, as blocks of bytes that libvips does not write."""

import os
import zlib
from collections.abc import Iterable

from upscale.pictures.containers.jpeg.segments import APPLICATION, COMMENT, segments
from upscale.pictures.metadata.found.gif import TRAILER, XMP
from upscale.pictures.record import Saving
from upscale.pixels.image import Text
from upscale.system import read_at, write_at

__all__ = ["add_to_jpeg", "gif_comment", "gif_xmp", "holds", "insert", "png_chunk"]

PACKED_FROM = 1024
"""Bytes of a text from which on PNG wants it packed (11.3.3.1)."""

STEP = 2**24
"""Bytes that are moved at a time."""


def holds(chosen: Saving, text: Text) -> bool:
    """Say whether a format can hold a text."""
    if chosen.texts == "comment" and text.keyword == "Comment":
        return len(text.text.encode()) <= chosen.longest_comment
    return chosen.texts == "all"


def png_chunk(text: Text) -> tuple[bytes, bytes]:
    """Return kind and contents of the chunk (PNG, 11.3.3): the oldest kind that can say it."""
    keyword = text.keyword.encode("latin-1")[:79] + b"\0"
    plain = b"" if text.language else _latin(text.text)
    data = plain or text.text.encode()
    packed = len(data) > PACKED_FROM
    data = zlib.compress(data) if packed else data
    if plain:
        return (b"zTXt", keyword + b"\0" + data) if packed else (b"tEXt", keyword + data)
    language = text.language.encode("latin-1") + b"\0"
    return b"iTXt", keyword + bytes((packed, 0)) + language + b"\0" + data


def add_to_jpeg(descriptor: int, texts: Iterable[Text]) -> None:
    """Put comments behind the blocks of programs, of which EXIF wants to be the first."""
    known = segments(descriptor)
    at = max((each.end for each in known if each.marker in APPLICATION), default=2)
    blocks = b""
    for text in texts:
        data = text.text.encode()
        blocks += bytes((0xFF, COMMENT)) + (len(data) + 2).to_bytes(2, "big") + data
    insert(descriptor, at, blocks)


def gif_comment(text: str) -> bytes:
    """Return an extension (GIF89a, 24)."""
    data, parts = text.encode(), b""
    for at in range(0, len(data), 255):
        part = data[at : at + 255]
        parts += bytes((len(part),)) + part
    return b"\x21\xfe" + parts + b"\0"


def gif_xmp(packet: bytes) -> bytes:
    """Return an extension (XMP specification, part 3, 1.1.2)."""
    return b"\x21\xff" + XMP + packet + TRAILER + b"\0"


def insert(descriptor: int, at: int, data: bytes) -> None:
    """Put ``data`` into an open file at an offset; what stood there moves."""
    end = os.fstat(descriptor).st_size if data else at
    while end > at:
        begin = max(at, end - STEP)
        write_at(descriptor, read_at(descriptor, end - begin, begin), begin + len(data))
        end = begin
    write_at(descriptor, data, at)


def _latin(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return b""
