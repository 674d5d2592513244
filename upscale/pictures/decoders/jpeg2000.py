"""JPEG 2000, in JP2 or bare: OpenCV decodes more than 8 bits, Pillow the rest; boxes are read here.

Without a warning, Pillow 13.0 reads colours of more than 8 bits as 8, and leaves gray of 12 bits
unscaled. OpenCV 5.0 and OpenImageIO 3.2 refuse gray with opacity.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from upscale.pictures.containers.boxes import boxes, ends_early
from upscale.pictures.containers.damage import cut, damaged, no_image, unsupported
from upscale.pictures.decoders.base import (
    Decoded,
    Pixels,
    exif_blob,
    opencv_decode,
    pillow_open,
    read_all,
    read_header,
    reason_of,
    widen,
)

__all__ = ["decode", "size"]

BARE = b"\xff\x4f\xff\x51"
END = b"\xff\xd9"
HEADER = 2**20
"""Bytes within which the codestream usually begins; large profiles stand before it."""

EXIF_UUID = b"JpgTiffExif->JP2"
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")

SRGB, GRAY, SYCC = 16, 17, 18
SPACES = {12: "CMYK", 14: "CIELab", 20: "e-sRGB", 21: "ROMM RGB", 24: "e-YCC"}
"""Numbers of colour spaces (ISO/IEC 15444-1, I.5.3.3 and 15444-2, M.11.7.3)."""


@dataclass(frozen=True)
class _Codestream:
    """``depths``: bits of each component; ``even``: none of them is signed or subsampled."""

    width: int
    height: int
    depths: tuple[int, ...]
    even: bool


@dataclass
class _Boxes:
    space: int | None = None
    palette: bool = False
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    resolution: tuple[float, float] | None = None


def size(path: Path, descriptor: int) -> tuple[int, int]:
    """Return (width, height) from the header. Raises InputError."""
    found = read_header(path, descriptor, HEADER, _codestream)
    return found.width, found.height


def decode(path: Path, descriptor: int) -> Decoded:
    """Decode to 8 bits, or to 16 if a component has more than 8. Raises InputError."""
    data = read_all(descriptor)
    stream = _codestream(path, data)
    bare = data.startswith(BARE)
    if stream is None or (END not in data[-8:] if bare else ends_early(data)):
        raise cut(path)
    found = _Boxes() if bare else _read_boxes(data)
    if found.space is not None and found.space not in (SRGB, GRAY, SYCC):
        name = SPACES.get(found.space, f"colour space {found.space}")
        raise unsupported(path, f"JPEG 2000 in {name} is not read; convert it to RGB")
    deep = max(stream.depths) > 8
    pixels = _deep(path, data, stream, found) if deep else _shallow(path, data, stream)
    return Decoded(pixels, found.icc, found.exif, found.xmp, found.resolution)


def _deep(path: Path, data: bytes, stream: _Codestream, found: _Boxes) -> Pixels:
    depth = stream.depths[0]
    same = stream.even and stream.depths == (depth,) * len(stream.depths) and depth <= 16
    if not same or len(stream.depths) not in (1, 3, 4) or found.palette or found.space == SYCC:
        raise unsupported(
            path,
            f"JPEG 2000 of {len(stream.depths)} components and {max(stream.depths)} bits is read "
            "only as gray, RGB or RGB with opacity of equal depths; convert it to PNG or TIFF",
        )
    samples = opencv_decode(data)
    if samples is None or samples.dtype != np.uint16 or int(samples.max()) >= 2**depth:
        raise damaged(path)
    return widen(samples, 2**depth - 1)


def _shallow(path: Path, data: bytes, stream: _Codestream) -> Pixels:
    try:
        image = pillow_open(data, "JPEG2000")
        if image.size != (stream.width, stream.height):  # by a box, for which Pillow makes room
            raise damaged(path, f"is damaged (its boxes say {image.width} × {image.height} pixels)")
        image.load()
    except (OSError, SyntaxError, ValueError, OverflowError, struct.error) as error:
        raise damaged(path, f"is damaged{reason_of(error)}") from error
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise unsupported(path, f"JPEG 2000 in {image.mode} is not read; convert it to RGB")
    pixels: npt.NDArray[np.uint8] = np.array(image).reshape(image.height, image.width, -1)
    if len(stream.depths) == pixels.shape[2]:
        for channel, depth in enumerate(stream.depths):
            if depth < 8:  # Pillow has shifted it up
                pixels[..., channel] = widen(pixels[..., channel] >> 8 - depth, 2**depth - 1)
    return pixels


def _codestream(path: Path, data: bytes) -> _Codestream | None:
    """Read the SIZ marker (ISO/IEC 15444-1, A.5.1); None if ``data`` ends before it does."""
    at = 0
    if not data.startswith(BARE):
        at = next((box.begin for box in boxes(data) if box.kind == b"jp2c"), len(data))
    head = data[at : at + 42]
    if len(head) < 42:
        return None
    if not head.startswith(BARE):
        raise damaged(path, "has a damaged header")
    right, bottom, left, top = struct.unpack_from(">4I", head, 8)
    (number,) = struct.unpack_from(">H", head, 40)
    components = data[at + 42 : at + 42 + 3 * number]
    if len(components) < 3 * number:
        return None
    if right <= left or bottom <= top or not number:
        raise no_image(path, "has no pixels")
    depths = tuple((depth & 127) + 1 for depth in components[::3])
    signed = any(depth & 128 for depth in components[::3])
    even = not signed and set(components[1::3] + components[2::3]) == {1}
    return _Codestream(right - left, bottom - top, depths, even)


def _read_boxes(data: bytes) -> _Boxes:
    """Return what the boxes around the codestream say (ISO/IEC 15444-1, annex I)."""
    found = _Boxes()
    inner = [
        part
        for box in boxes(data)
        for part in (boxes(data, box.begin, box.end) if box.kind == b"jp2h" else (box,))
    ]
    for box in inner:
        body = data[box.begin : box.end]
        if box.kind == b"colr" and found.space is None and found.icc is None:
            if body[:1] == b"\1":
                found.space = int.from_bytes(body[3:7], "big")
            elif body[:1] in (b"\2", b"\3"):
                found.icc = body[3:]
        elif box.kind == b"pclr":
            found.palette = True
        elif box.kind == b"res ":
            found.resolution = _resolution(data, box.begin, box.end)
        elif box.kind == EXIF_UUID:
            found.exif = exif_blob(body)
        elif box.kind == XMP_UUID:
            found.xmp = body
    return found


def _resolution(data: bytes, begin: int, end: int) -> tuple[float, float] | None:
    """Return pixels per millimetre, across and down: those of the capture, or of the display."""
    found: dict[bytes, tuple[float, float]] = {}
    for box in boxes(data, begin, end):
        body: tuple[Any, ...] = struct.unpack(
            ">4H2b", data[box.begin : box.begin + 10].ljust(10, b"\0")
        )
        if body[1] and body[3]:
            down, across = body[0] / body[1] * 10.0 ** body[4], body[2] / body[3] * 10.0 ** body[5]
            if down and across:
                found[box.kind] = (across / 1000, down / 1000)
    return found.get(b"resc", found.get(b"resd"))
