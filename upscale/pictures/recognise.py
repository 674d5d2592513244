"""What a file is, by its content: whether it was saved with loss, and why no reader takes it."""

import codecs
import os
import struct
from pathlib import Path

from upscale.errors import InputError
from upscale.pictures.containers.damage import because, cut, damaged, no_image, unsupported
from upscale.pictures.containers.jpeg import segments as jpeg
from upscale.pictures.decoders.base import open_file
from upscale.pictures.formats import format_of
from upscale.pictures.unread import kind_unread

__all__ = ["TEXT", "is_text", "lossy_format", "no_reader", "unreadable"]

TEXT = "is a text, not a picture"


def lossy_format(path: Path) -> str | None:
    """Return the name of ``path``'s format if it was saved with loss; None otherwise.

    HEIC, AVIF, JPEG XL and JPEG 2000 can be lossless as well. That shows only deep in their data,
    so they count as lossy. A file that cannot be read gives None: the reader says what is wrong.
    """
    try:
        descriptor, head = open_file(path)
    except InputError:
        return None
    try:
        found = format_of(head, descriptor)
        return found.name if found is not None and found.lossy(descriptor) else None
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)


def unreadable(path: Path, head: bytes, descriptor: int, reason: str) -> InputError:
    """Return the error for a file that no reader takes: what it is, or that it is damaged.

    ``head``: its first 512 bytes; ``reason``: what a decoder said, or empty.
    """
    text = head.lstrip().lower()
    if text.startswith(b"version https://git-lfs"):
        return no_image(path, "is a Git LFS pointer; fetch the picture with: git lfs pull")
    if text.startswith((b"<!doctype html", b"<html")):
        return no_image(path, "is a web page, not a picture; download the picture itself")
    if found := format_of(head, descriptor):
        if found.ends_early(descriptor):
            return cut(path, reason)
        if 0 in _sides(head, descriptor):
            return no_image(path, "has no pixels")
        return damaged(path, f"has a header that is damaged or of an unknown kind{because(reason)}")
    if (kind := kind_unread(head)) is not None:
        return no_reader(path, kind)
    if is_text(head):
        return no_image(path, TEXT)
    return no_image(
        path, "is not a picture of a known format; convert it to PNG, TIFF or JPEG first"
    )


def _sides(head: bytes, descriptor: int) -> tuple[int, ...]:
    """Return the width and height that a PNG or JPEG states; empty for any other file."""
    if head.startswith(b"\x89PNG") and len(head) >= 24:
        return struct.unpack(">II", head[16:24])
    frame = jpeg.frame_of(jpeg.segments(descriptor)) if head.startswith(b"\xff\xd8") else None
    return (frame.width, frame.height) if frame else ()


def no_reader(path: Path, name: str) -> InputError:
    """Return the error for a picture of a format that is not read."""
    return unsupported(path, f"{name} is not read here; convert it to PNG, TIFF or JPEG first")


def is_text(head: bytes) -> bool:
    """Say whether a file's first bytes are UTF-8 without control characters."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not any(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
