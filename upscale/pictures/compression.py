"""Was a picture saved with loss? Told by its file's content, without decoding it."""

import os
from pathlib import Path

from upscale.errors import InputError
from upscale.pictures.containers.tiff import Source
from upscale.pictures.decoders.base import open_file
from upscale.pictures.formats import sniff
from upscale.pictures.other_formats import kind_of

__all__ = ["is_lossy"]

LOSSY_KINDS = {"HEIC", "JPEG 2000", "JPEG XL"}

COMPRESSION = 259
WIDTHS = {3: 2, 4: 4, 16: 8}
"""A field of TIFF, and bytes of one value by kind: SHORT, LONG, LONG8."""

LOSSY_TIFF = {6, 7, 34712, 50001, 50002} | {34892, 52546} | {33003, 33005}
"""JPEG (old and new), JPEG 2000, WebP and JPEG XL by libtiff's tiff.h; lossy JPEG and JPEG XL of
DNG 1.4 and 1.7; Aperio's two of JPEG 2000, by OpenSlide's list.
"""

FRAME_HEADER = 16
MOST_CHUNKS = 2**16


def is_lossy(path: Path) -> bool:
    """Say whether ``path`` is of a format that loses some of a picture.

    JPEG, HEIC, AVIF, JPEG XL and JPEG 2000 are. The last three can be exact as well; that shows
    only deep in their data, so they are taken for lossy all the same, and so are they and WebP
    within TIFF. WebP is not where all of its pictures are ``VP8L``, TIFF where its first directory
    names another compression. All else is not, RAW included; nor is what cannot be read, or is no
    regular file: it is for the reader to say what is wrong.
    """
    try:
        descriptor, head = open_file(path)
    except InputError:
        return False
    try:
        return _loses(head, descriptor)
    except (OSError, ValueError):
        return False
    finally:
        os.close(descriptor)


def _loses(head: bytes, descriptor: int) -> bool:
    if kind := kind_of(head, descriptor):
        return kind in LOSSY_KINDS
    match sniff(head):
        case ".webp":
            return _webp_loses(descriptor)
        case ".tif":
            return _tiff_loses(descriptor)
        case suffix:
            return suffix in (".jpg", ".avif") or head[4:8] == b"ftyp"


def _webp_loses(descriptor: int) -> bool:
    """Look for a ``VP8 `` chunk (RFC 9649, section 2); those of a frame follow its header."""
    at = 12
    for _ in range(MOST_CHUNKS):
        header = os.pread(descriptor, 8, at)
        kind, size = header[:4], int.from_bytes(header[4:], "little")
        if len(header) < 8 or kind == b"VP8 ":
            return kind == b"VP8 "
        at += 8 + (FRAME_HEADER if kind == b"ANMF" else size + size % 2)
    return False


def _tiff_loses(descriptor: int) -> bool:
    """Look at the compression of the first directory; ValueError where there is none."""
    source = Source.of_file(descriptor)
    for tag, kind, _, value in source.table(source.first)[0]:
        if tag == COMPRESSION and kind in WIDTHS:
            return source.frame.number(value[: WIDTHS[kind]]) in LOSSY_TIFF
    return False
