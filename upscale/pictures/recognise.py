"""What a file is, by its content: saved with loss or not, and why no reader takes it."""

import codecs
import os
import re
import struct
from pathlib import Path

from upscale.errors import InputError
from upscale.pictures.decoders.base import open_file
from upscale.pictures.formats import format_of

__all__ = ["is_lossy", "is_text", "unreadable", "unsupported"]

START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that give the size (ISO/IEC 10918-1, table B.1)."""


def is_lossy(path: Path) -> bool:
    """Say whether ``path`` was saved in a way that loses some of a picture.

    HEIC, AVIF, JPEG XL and JPEG 2000 can be exact as well; that shows only deep in their data, so
    they count as lossy. What cannot be read does not: the reader says what is wrong with it.
    """
    try:
        descriptor, head = open_file(path)
    except InputError:
        return False
    try:
        found = format_of(head, descriptor)
        return found is not None and found.lossy(descriptor)
    except (OSError, ValueError):
        return False
    finally:
        os.close(descriptor)


def unreadable(path: Path, head: bytes, descriptor: int, reason: str) -> InputError:
    """Name what begins with ``head``, or say that its header is damaged (``reason``)."""
    text = head.lstrip().lower()
    if text.startswith(b"version https://git-lfs"):
        return InputError(
            f"{path}: is a Git LFS pointer; fetch the picture with: git lfs pull",
            code="not-an-image",
        )
    if text.startswith((b"<!doctype html", b"<html")):
        return InputError(f"{path}: is a web page, not a picture", code="not-an-image")
    if head.startswith(b"%PDF"):
        return unsupported(path, "PDF")
    if re.match(rb"(<\?xml.*)?<svg", text, re.DOTALL):
        return unsupported(path, "SVG")
    if found := format_of(head, descriptor):
        if found.ends_early(descriptor):
            return InputError(f"{path}: ends early ({reason})", code="truncated")
        if 0 in _sides(head, descriptor):
            return InputError(f"{path}: has no pixels", code="not-an-image")
        return InputError(
            f"{path}: has a header that is damaged or of an unknown kind ({reason})",
            code="decode-error",
        )
    if is_text(head):
        return InputError(f"{path}: is a text, not a picture", code="not-an-image")
    return InputError(f"{path}: is not a picture of a known format", code="not-an-image")


def _sides(head: bytes, descriptor: int) -> tuple[int, ...]:
    """Return what a PNG or JPEG gives as its sides; nothing where that is not to be found."""
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return struct.unpack(">II", head[16:24])
    at = 2
    while head.startswith(b"\xff\xd8") and len(marker := os.pread(descriptor, 9, at)) == 9:
        if marker[0] != 0xFF:  # no segment begins here: the rest is not to be walked in twos
            break
        if marker[1] in START_OF_FRAME:
            return struct.unpack(">HH", marker[5:])
        at += 2 + int.from_bytes(marker[2:4], "big")
    return ()


def unsupported(path: Path, name: str) -> InputError:
    """Refuse a kind of picture that there is no reader for."""
    return InputError(
        f"{path}: {name} is not read here; convert it to PNG, TIFF or JPEG first",
        code="unsupported-format",
    )


def is_text(head: bytes) -> bool:
    """Say whether a file's first bytes are UTF-8 without control characters."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not any(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
