"""What libvips is built without: which format a file is, how large, and its pixels.

Each format is a module with ``size`` and ``decode``. Those that need a package beside the core's
import it when they are asked, and name the extra that brings it where it is missing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from upscale.pictures.decoders import (
    bmp,
    camera_raw,
    heic,
    jpeg2000,
    jpeg_xl,
    netpbm,
    radiance,
)
from upscale.pictures.decoders.base import Decoded, from_float

__all__ = ["Decoded", "decode", "from_float", "kind_of", "size_of"]


@dataclass(frozen=True)
class _Reader:
    """``size``: (path, descriptor) → (width, height); ``decode``: (path, descriptor) → Decoded."""

    size: Callable[[Path, int], tuple[int, int]]
    decode: Callable[[Path, int], Decoded]


READERS = {
    "BMP": _Reader(bmp.size, bmp.decode),
    "PNM": _Reader(netpbm.size, netpbm.decode),
    "HDR": _Reader(radiance.size, radiance.decode),
    "JPEG 2000": _Reader(jpeg2000.size, jpeg2000.decode),
    "JPEG XL": _Reader(jpeg_xl.size, jpeg_xl.decode),
    "HEIC": _Reader(heic.size, heic.decode),
    "RAW": _Reader(camera_raw.size, camera_raw.decode),
}

BEGINNINGS = (
    (re.compile(rb"BM.{12}[\x0c-\x7c]\0\0\0", re.DOTALL), "BMP"),
    (re.compile(rb"P[1-7Ff]\s|P[1-6]#"), "PNM"),
    (re.compile(rb"#\?(RADIANCE|RGBE)\s"), "HDR"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "JPEG 2000"),
    (re.compile(re.escape(jpeg_xl.CONTAINER) + rb"|\xff\x0a"), "JPEG XL"),
)
AVIF = {b"avif", b"avis"}


def kind_of(head: bytes, descriptor: int) -> str | None:
    """Name the format of a file that begins with ``head`` (512 bytes); None: libvips' affair.

    ``descriptor``: of the same file, for the RAW formats that look like TIFF at first.
    """
    for beginning, kind in BEGINNINGS:
        if beginning.match(head):
            return kind
    if head[4:8] == b"ftyp":
        end = min(int.from_bytes(head[:4], "big"), len(head))
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
        if (
            heic.BRANDS & brands
            and head[8:12] not in AVIF
            and not (AVIF & brands and not (heic.BRANDS - {b"mif1", b"msf1"}) & brands)
        ):
            return "HEIC"
    return "RAW" if camera_raw.is_raw(head, descriptor) else None


def size_of(path: Path, kind: str, descriptor: int) -> tuple[int, int]:
    """Return (width, height) from the header, before anything is decoded.

    ``kind``: from `kind_of`. Raises InputError: ``unsupported-format`` where an extra is not
    installed, ``truncated``, ``decode-error`` or ``not-an-image`` for a header that is not right.
    """
    return READERS[kind].size(path, descriptor)


def decode(path: Path, kind: str, descriptor: int) -> Decoded:
    """Decode a file whose size has been found bearable; raises as `size_of`."""
    return READERS[kind].decode(path, descriptor)
