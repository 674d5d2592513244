"""What is wrong with a file: the four ways to refuse it, and whether its end is missing.

Decoders differ in what they say of a truncated file, and some say nothing.
"""

import os
from pathlib import Path

from upscale.errors import InputError
from upscale.pictures.containers.boxes import boxes_of_file
from upscale.pictures.containers.tiff.source import BehindTheEndError, Source
from upscale.system import read_at

__all__ = [
    "AGAIN",
    "because",
    "boxes_end_early",
    "cut",
    "damaged",
    "jpeg_ends_early",
    "no_image",
    "png_ends_early",
    "riff_ends_early",
    "tiff_ends_early",
    "unsupported",
]

OFFSETS = {273: 279, 324: 325}
"""TIFF's StripOffsets and TileOffsets, each with the tag of the byte counts."""

MAX_PAGES = 2**16
MAX_CHUNKS = 2**20
TAIL = 64
"""Bytes at the end of a file in which its last marker stands."""

AGAIN = "copy or download it again"
"""What to do with a file that did not arrive whole."""


def because(reason: str) -> str:
    """Return a decoder's ``reason`` in brackets; empty if it gives none."""
    return f" ({reason})" if reason else ""


def cut(path: Path, reason: str = "") -> InputError:
    """Return the error for a truncated file; ``reason``: what a decoder said."""
    return InputError(f"{path}: ends early{because(reason)}; {AGAIN}", code="truncated")


def damaged(path: Path, what: str = "is damaged") -> InputError:
    """Return the error for contents that do not follow their format."""
    return InputError(f"{path}: {what}; {AGAIN}", code="decode-error")


def no_image(path: Path, what: str) -> InputError:
    """Return the error for a file that holds no picture."""
    return InputError(f"{path}: {what}", code="not-an-image")


def unsupported(path: Path, what: str) -> InputError:
    """Return the error for a sound file of a kind that is not read."""
    return InputError(f"{path}: {what}", code="unsupported-format")


def png_ends_early(descriptor: int) -> bool:
    """Say whether a PNG ends before its IEND chunk, with the checksum of that, does."""
    size, at = os.fstat(descriptor).st_size, 8
    for _ in range(MAX_CHUNKS):
        head = read_at(descriptor, 8, at)
        at += 12 + int.from_bytes(head[:4], "big")
        if at > size or len(head) < 8:
            return True
        if head[4:] == b"IEND":
            return False
    return False


def jpeg_ends_early(descriptor: int) -> bool:
    """Say whether a JPEG has no EOI marker at its end."""
    return b"\xff\xd9" not in _tail(descriptor)


def riff_ends_early(descriptor: int) -> bool:
    """Say whether a WebP is shorter than its header says."""
    length = int.from_bytes(read_at(descriptor, 4, 4), "little")
    return length + 8 > os.fstat(descriptor).st_size


def boxes_end_early(descriptor: int) -> bool:
    """Say whether the last box of an AVIF reaches beyond the file's end."""
    size = os.fstat(descriptor).st_size
    return any(box.end > size for box in boxes_of_file(descriptor))


def tiff_ends_early(descriptor: int) -> bool:
    """Say whether a directory, strip or tile of a TIFF lies beyond its end (6.0, section 2)."""
    size, pages = os.fstat(descriptor).st_size, 0
    try:
        source = Source.of_file(descriptor)
        at = source.first
        while at and pages < MAX_PAGES:
            entries, at = source.table(at)
            pages += 1
            places = {
                tag: source.numbers(kind, count, value)
                for tag, kind, count, value in entries
                if tag in OFFSETS or tag in OFFSETS.values()
            }
            for tag, counts in OFFSETS.items():
                pairs = zip(places.get(tag, ()), places.get(counts, ()), strict=False)
                if any(offset + length > size for offset, length in pairs):
                    return True
    except BehindTheEndError:
        return True
    except ValueError:
        return False
    return False


def _tail(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return read_at(descriptor, TAIL, max(0, size - TAIL))
