"""JPEG XL: OpenImageIO (libjxl) decodes, upright; the header and the boxes are read here.

Of the packages that bind libjxl, only OpenImageIO gives both 16 bits and the profile.
"""

import contextlib
import struct
import tempfile
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from upscale.errors import InputError
from upscale.pictures.containers import companions
from upscale.pictures.containers.boxes import boxes, ends_early
from upscale.pictures.containers.companions import Surroundings
from upscale.pictures.containers.damage import cut, damaged, unsupported
from upscale.pictures.decoders.base import (
    Decoded,
    exif_blob,
    from_float,
    read_all,
    read_header,
    rounding_warning,
)

__all__ = ["BARE", "CONTAINER", "decode", "size"]

BARE = b"\xff\x0a"
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
HEADER = 2**16
"""Bytes within which the header usually ends."""

GAIN_MAP = b"jhgm"
"""The box of a gain map (ISO 21496-1)."""

RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
SIDE = ((1, 9), (1, 13), (1, 18), (1, 30))
PREVIEW_SIDE = ((1, 6), (65, 8), (321, 10), (1345, 12))
PREVIEW_EIGHTHS = ((16, 0), (32, 0), (1, 5), (33, 9))
"""(offset, bits) of each selector of a U32 (ISO/IEC 18181-1, annexes B and D)."""

LEAST = 128
"""Bytes that OpenImageIO needs to recognise a file; zeros behind its end do no harm."""


class _Bits:
    """Numbers in the header of a codestream, least significant bit first; zeros behind its end."""

    def __init__(self, data: bytes) -> None:
        self._left = int.from_bytes(data, "little")

    def take(self, number: int) -> int:
        value = self._left & (1 << number) - 1
        self._left >>= number
        return value

    def choose(self, choices: tuple[tuple[int, int], ...]) -> int:
        offset, number = choices[self.take(2)]
        return offset + self.take(number)

    def size(self) -> tuple[int, int]:
        """Return (width, height) of a SizeHeader."""
        small = self.take(1)
        height = (self.take(5) + 1) * 8 if small else self.choose(SIDE)
        if ratio := self.take(3):
            across, down = RATIOS[ratio - 1]
            return height * across // down, height
        return (self.take(5) + 1) * 8 if small else self.choose(SIDE), height

    def skip_preview(self) -> None:
        choices = PREVIEW_EIGHTHS if self.take(1) else PREVIEW_SIDE
        self.choose(choices)
        if not self.take(3):
            self.choose(choices)


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    animated: bool


def size(path: Path, descriptor: int) -> tuple[int, int]:
    """Return (width, height), upright, from the header. Raises InputError."""
    header = read_header(path, descriptor, HEADER, _header)
    return header.width, header.height


def decode(path: Path, descriptor: int) -> Decoded:
    """Decode to 8 bits, or to 16 if there are more. Raises InputError."""
    reader = import_module("OpenImageIO")
    data = read_all(descriptor)
    header = _header(path, data)
    if header is None or (data.startswith(CONTAINER) and ends_early(data)):
        raise cut(path)
    if header.animated:
        raise unsupported(path, "is an animated JPEG XL; convert it to WebP, GIF or APNG")
    with contextlib.ExitStack() as held:
        try:
            copy = Path(held.enter_context(tempfile.TemporaryDirectory()), "picture.jxl")
            copy.write_bytes(data.ljust(LEAST, b"\0"))
        except OSError as error:
            raise InputError(
                f"{path}: needs a temporary file, which cannot be written ({error.strerror}); make "
                "room for it, or set TMPDIR to another folder"
            ) from error
        image = reader.ImageInput.open(str(copy))
        if image is None:
            raise damaged(path, f"is damaged or ends early ({reader.geterror()})")
        try:
            layout = image.spec()
            samples: npt.NDArray[Any] | None = image.read_image(layout.format)
            reason = image.geterror()
        finally:
            image.close()
    if samples is None or samples.shape[:2] != (header.height, header.width):
        raise damaged(path, f"is damaged ({reason})")
    channels = samples.shape[2]
    if channels > 4 or (channels == 4 and layout.alpha_channel != 3):
        raise unsupported(path, f"JPEG XL of {channels} channels is not read; convert it to RGB")
    profile = layout.getattribute("ICCProfile")
    icc = np.asarray(profile, np.uint8).tobytes() if profile is not None else None
    exif, xmp, warnings = _metadata(path, data)
    if samples.dtype.kind == "f":
        samples, warnings = from_float(path, samples), (*warnings, rounding_warning(path))
    return Decoded(np.ascontiguousarray(samples), icc, exif, xmp, warnings=warnings)


def _header(path: Path, data: bytes) -> _Header | None:
    """Read SizeHeader and the start of ImageMetadata; None if ``data`` ends before them."""
    at = 0
    if data.startswith(CONTAINER):
        starts = {b"jxlc": 0, b"jxlp": 4}  # parts begin with their number
        found = (box.begin + starts[box.kind] for box in boxes(data) if box.kind in starts)
        at = next(found, len(data))
    head = data[at : at + 64]
    if len(head) < 4:
        return None
    if not head.startswith(BARE):
        raise damaged(path, "has a damaged header")
    bits = _Bits(head[2:])
    width, height = bits.size()
    animated = False
    if not bits.take(1) and bits.take(1):  # not all_default, and with extra_fields
        if bits.take(3) >= 4:
            width, height = height, width
        if bits.take(1):
            bits.size()
        if bits.take(1):
            bits.skip_preview()
        animated = bool(bits.take(1))
    return _Header(width, height, animated)


def _metadata(path: Path, data: bytes) -> tuple[bytes | None, bytes | None, tuple[str, ...]]:
    """Return EXIF, XMP and warnings, from the boxes of ISO/IEC 18181-2."""
    found: dict[bytes, bytes] = {}
    warnings: tuple[str, ...] = ()
    for box in boxes(data) if data.startswith(CONTAINER) else ():
        kind, body = box.kind, data[box.begin : box.end]
        if kind == b"brob" and body.startswith(GAIN_MAP):
            kind = GAIN_MAP
        elif kind == b"brob" and body[:4] in (b"Exif", b"xml "):
            brotli = import_module("brotli")
            try:
                kind, body = body[:4], brotli.decompress(body[4:])
            except brotli.error:
                warnings = (f"{path}: its compressed metadata is damaged and is left out",)
                continue
        found.setdefault(kind, body)
    if GAIN_MAP in found:
        warnings += Surroundings(frozenset({companions.GAIN_MAP})).warnings(path)
    exif = found.get(b"Exif", b"")
    if len(exif) >= 4:
        exif = exif[4 + struct.unpack(">I", exif[:4])[0] :]
    return exif_blob(exif), found.get(b"xml ") or None, warnings
