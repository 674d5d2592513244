"""Says what a file is that no reader takes, in a sentence and a code of the report."""

import codecs
import os
import re
import struct
from pathlib import Path

from upscale.errors import InputError
from upscale.pictures.containers.damage import is_cut

__all__ = ["is_text", "unreadable", "unsupported"]

SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"II*\0", b"MM\0*", b"GIF8")

START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that give the size (ISO/IEC 10918-1, table B.1)."""


def unreadable(path: Path, head: bytes, descriptor: int, reason: str) -> InputError:
    """Name what begins with ``head``, or say that its header is damaged (``reason``)."""
    text = head.lstrip().lower()
    if text.startswith(b"version https://git-lfs"):
        return InputError(
            f"{path}: is a Git LFS pointer; fetch the picture with: git lfs pull",
            code="not-an-image",
        )
    if text.startswith((b"<!doctype html", b"<html")):
        return InputError(f"{path}: is a web page, no picture", code="not-an-image")
    if head.startswith(b"%PDF"):
        return unsupported(path, "PDF")
    if re.match(rb"(<\?xml.*)?<svg", text, re.DOTALL):
        return unsupported(path, "SVG")
    if head.startswith(SIGNATURES) or head[4:12] == b"ftypavif":
        if is_cut(descriptor):
            return InputError(f"{path}: ends early ({reason})", code="truncated")
        if 0 in _sides(head, descriptor):
            return InputError(f"{path}: has no pixels", code="not-an-image")
        return InputError(
            f"{path}: has a header that is damaged or of an unknown kind ({reason})",
            code="decode-error",
        )
    if is_text(head):
        return InputError(f"{path}: is a text, no picture", code="not-an-image")
    return InputError(f"{path}: is no picture of a known format", code="not-an-image")


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
