"""Radiance HDR: OpenCV unpacks the pixels; header, order of rows and tones are dealt with here."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from upscale.pictures.containers.damage import AGAIN, cut, damaged, no_image, unsupported
from upscale.pictures.decoders.base import (
    Decoded,
    from_float,
    opencv_decode,
    read_all,
    rounding_warning,
)

__all__ = ["decode", "size"]

HEADER = 2**16
AXES = re.compile(rb"([-+])([XY]) (\d{1,9}) ([-+])([XY]) (\d{1,9})\n")

FILLING = b"\x01"
"""A byte that is valid wherever packed pixels break off: as a count, a value or an unpacked row."""


@dataclass(frozen=True)
class _Header:
    """``axes``: sign and letter of the slow axis, then of the fast one. ``end``: of the header."""

    axes: tuple[bytes, bytes]
    slow: int
    fast: int
    end: int
    encoding: bytes


def size(path: Path, descriptor: int) -> tuple[int, int]:
    """Return (width, height) from the header. Raises InputError."""
    header = _header(path, read_all(descriptor, HEADER))
    return (header.fast, header.slow) if header.axes[0][1:] == b"Y" else (header.slow, header.fast)


def decode(path: Path, descriptor: int) -> Decoded:
    """Decode linear light in [0, 1] to 16 bits with the sRGB curve. Raises InputError."""
    data = read_all(descriptor)
    header = _header(path, data[:HEADER])
    if header.encoding != b"32-bit_rle_rgbe":
        name = header.encoding.decode("latin-1")
        raise unsupported(path, f"Radiance HDR in {name} is not read; convert it to rgbe")
    if len(data) - header.end < _least(header):
        raise cut(path)
    start = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (header.slow, header.fast)
    samples = opencv_decode(start + data[header.end :])
    if samples is None:
        filling = FILLING * (4 * (header.slow + 2) * header.fast)
        whole = opencv_decode(start + data[header.end :] + filling) is None
        raise damaged(path) if whole else cut(path)
    first, second = header.axes
    if first in (b"+Y", b"-X"):
        samples = samples[::-1]
    if second in (b"+Y", b"-X"):
        samples = samples[:, ::-1]
    if first[1:] == b"X":
        samples = samples.transpose(1, 0, 2)
    pixels = from_float(path, samples, linear=True)
    return Decoded(np.ascontiguousarray(pixels), warnings=(rounding_warning(path),))


def _least(header: _Header) -> int:
    """Return how many bytes the pixels take at least.

    A row of 8 to 32767 pixels can be packed: into four bytes, and two more for each 127 values of a
    channel.
    """
    if not 8 <= header.fast <= 32767:
        return 4 * header.slow * header.fast
    return header.slow * min(4 * header.fast, 4 + 8 * -(-header.fast // 127))


def _header(path: Path, head: bytes) -> _Header:
    text, gap, rest = head.partition(b"\n\n")
    found = AXES.match(rest)
    if not gap or not found or found[2] == found[5]:
        raise no_image(path, f"is not a picture, or its Radiance header lacks a size; {AGAIN}")
    slow, fast = int(found[3]), int(found[6])
    if 0 in (slow, fast):
        raise no_image(path, "has no pixels")
    named = re.search(rb"^FORMAT=[ \t]*(\S+)", text, re.MULTILINE)
    encoding = named[1] if named else b"32-bit_rle_rgbe"
    axes = found[1] + found[2], found[4] + found[5]
    return _Header(axes, slow, fast, len(text) + 2 + found.end(), encoding)
