"""The key to resume by: EXIF's identifier of the picture, in GIF a comment."""

import os
import re
import stat
from pathlib import Path

import pyvips

from upscale.errors import InputError
from upscale.pictures.decoders.base import read_all
from upscale.pictures.formats import format_of
from upscale.pictures.libvips import open_as
from upscale.pictures.metadata import exif, exif_in_tiff
from upscale.system import BINARY, read_at, write_at

__all__ = ["add_comment", "read_key"]

COMMENT = b"\x21\xfe"
KEY_NAME = b"upscale:"
KEY = re.compile(re.escape(COMMENT) + b"." + KEY_NAME + rb"([0-9a-f]{32})\0", re.DOTALL)


def add_comment(descriptor: int, key: str) -> None:
    """Put the key behind a GIF's global colours, as a comment (GIF89a, 18, 19 and 24)."""
    comment = KEY_NAME + key.encode()
    data = read_all(descriptor)
    at = _global_end(data)
    write_at(descriptor, COMMENT + bytes([len(comment)]) + comment + b"\0" + data[at:], at)


def _global_end(head: bytes) -> int:
    """Return where the first block of a GIF lies, after its header and global colours."""
    flags = head[10]
    return 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)


def read_key(path: Path) -> str | None:
    """Return the key that an output carries; None where it carries none or is not a picture."""
    try:
        flags = os.O_RDONLY | BINARY | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(path, flags)  # which does not wait for a pipe's other end
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        start = read_at(descriptor, 1024, 0)
        head = start[:4]
        if len(start) >= 13 and head == b"GIF8":
            comment = KEY.match(start, _global_end(start))
            return comment[1].decode() if comment else None
        if head[:2] in (b"II", b"MM"):
            return exif.identifier(exif_in_tiff.of_tiff(descriptor))
        known = format_of(start[:512], descriptor)
        if known is None or not known.loader:
            return None
        picture = open_as(known.loader, descriptor)
        found = picture.get("exif-data") if picture.get_typeof("exif-data") else None
        return exif.identifier(bytes(found)) if found else None
    except (pyvips.Error, OSError, ValueError, InputError):
        return None
    finally:
        os.close(descriptor)
