"""The key to resume by: EXIF's identifier of the picture, in GIF a comment."""

import os
import re
import stat
from pathlib import Path

import pyvips

from upscale.errors import InputError
from upscale.pictures.formats import format_of
from upscale.pictures.libvips import open_as
from upscale.pictures.metadata import exif, exif_in_tiff
from upscale.pictures.metadata.found.gif import KEY_NAME
from upscale.pictures.writing.texts import gif_comment, insert
from upscale.system import BINARY, read_at

__all__ = ["add_to_gif", "read_key"]

COMMENT = b"\x21\xfe"
KEY = re.compile(re.escape(COMMENT) + b"." + KEY_NAME + rb"([0-9a-f]{32})\0", re.DOTALL)


def add_to_gif(descriptor: int, key: str | None, more: bytes) -> None:
    """Put the key behind a GIF's global colours, as a comment, and ``more`` extensions after it."""
    comment = gif_comment(KEY_NAME.decode() + key) if key else b""
    insert(descriptor, _global_end(read_at(descriptor, 13, 0)), comment + more)


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
