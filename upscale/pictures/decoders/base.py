"""What a decoder other than libvips returns, and the few steps that several of them share."""

import io
import os
import stat
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import PIL.Image

from upscale.errors import InputError
from upscale.files import unreadable
from upscale.pictures.containers.damage import AGAIN, because, cut, unsupported
from upscale.pixels.image import CodePoints
from upscale.system import BINARY, read_at

__all__ = [
    "Decoded",
    "Pixels",
    "divided_by_opacity",
    "exif_blob",
    "from_float",
    "in_rgb",
    "open_file",
    "opencv_decode",
    "pillow_open",
    "read_all",
    "read_header",
    "reason_of",
    "rounding_warning",
    "widen",
    "without_empty_opacity",
]

Pixels = npt.NDArray[Any]
"""Of uint8 or uint16; the arrays of other libraries have no type that a type checker knows."""

EXIF = b"Exif\0\0"

Header = TypeVar("Header")


@dataclass(frozen=True)
class Decoded:
    """A picture as its file holds it, upright."""

    pixels: Pixels
    """(H, W, C), uint8 or uint16 over their whole range: C = 1 gray, 2 gray and opacity, 3 RGB,
    4 RGB and opacity (not multiplied into the colour).
    """
    icc: bytes | None = None
    """The profile of ``pixels``; None: sRGB."""
    exif: bytes | None = None
    """It begins with ``Exif`` and two zeros. Its orientation no longer counts."""
    xmp: bytes | None = None
    resolution: tuple[float, float] | None = None
    """Pixels per millimetre, across and down; None: not known."""
    ink: bool = False
    """Whether four channels are cyan, magenta, yellow and black, and a fifth one is opacity."""
    warnings: tuple[str, ...] = ()
    """What is lost of the file, a sentence each."""
    code_points: CodePoints | None = None
    """How the file states its colours without a profile."""


def open_file(path: Path) -> tuple[int, bytes]:
    """Open a regular file for reading; return its descriptor and its first 512 bytes.

    Raises InputError if it cannot be opened or read, is not a regular file, or is empty.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InputError(f"{path}: is not a regular file; skipped")
        descriptor = os.open(path, os.O_RDONLY | BINARY)
    except OSError as error:
        raise InputError(unreadable(path, error)) from error
    try:
        head = read_at(descriptor, 512, 0)
    except OSError as error:
        os.close(descriptor)
        raise InputError(unreadable(path, error)) from error
    if not head:
        os.close(descriptor)
        raise InputError(f"{path}: is empty; {AGAIN}", code="not-an-image")
    return descriptor, head


def read_all(descriptor: int, limit: int | None = None) -> bytes:
    """Return the bytes of an open file, at most ``limit``; its position stays."""
    left = os.fstat(descriptor).st_size
    left = left if limit is None else min(left, limit)
    parts: list[bytes] = []
    position = 0
    while left and (part := read_at(descriptor, min(left, 2**30), position)):
        parts.append(part)
        position += len(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_header(
    path: Path, descriptor: int, most: int, parse: Callable[[Path, bytes], Header | None]
) -> Header:
    """Return what ``parse`` finds in the first ``most`` bytes, or otherwise in the whole file.

    ``parse``: returns None if the bytes end too early. Raises InputError if the file does.
    """
    for limit in (most, None):
        found = parse(path, read_all(descriptor, limit))
        if found is not None:
            return found
    raise cut(path)


def widen(samples: npt.NDArray[Any], top: int, deep: bool | None = None) -> Pixels:
    """Map the integers 0 to ``top`` (at most 65535) to the whole range of 8 or 16 bits, rounded.

    ``deep``: to 16 bits; None: if ``top`` is more than 255. Returns the shape of ``samples``.
    """
    deep = top > 255 if deep is None else deep
    full, dtype = (65535, np.uint16) if deep else (255, np.uint8)
    if top == full:
        return np.ascontiguousarray(samples, dtype)
    table = (np.arange(top + 1, dtype=np.uint64) * full + top // 2) // top
    widened: Pixels = table.astype(dtype)[samples]
    return widened


def from_float(path: Path, samples: npt.NDArray[Any], linear: bool = False) -> Pixels:
    """Map floating-point samples from [0, 1] to 16 bits, rounded; same shape.

    ``linear``: the samples are linear light, and get the sRGB curve (IEC 61966-2-1). Raises
    InputError if a sample is outside [0, 1], infinite or NaN: then a person has to say where white
    lies.
    """
    low, high = float(samples.min()), float(samples.max())  # NaN if there is one
    if not (low >= 0 and high <= 1):
        finite = samples[np.isfinite(samples)]
        span = f"from {finite.min():g} to {finite.max():g}" if finite.size else "none finite"
        rest = f", {samples.size - finite.size} of them not finite" if finite.size else ""
        raise unsupported(
            path,
            f"has floating-point samples outside 0 to 1 ({span}{rest}); "
            "map its tones to that range first",
        )
    mapped = samples.astype(np.float32)
    if linear:
        curve = 1.055 * mapped ** (1 / 2.4) - 0.055
        mapped = np.where(mapped <= 0.0031308, mapped * 12.92, curve)
    return np.rint(mapped * 65535).astype(np.uint16)


def rounding_warning(path: Path) -> str:
    """Return the warning that belongs to `from_float`."""
    return f"{path}: floating-point samples are rounded to 16 bits"


def exif_blob(data: bytes) -> bytes | None:
    """Return EXIF as in `Decoded`, of ``data`` with or without its prefix; None if it is none."""
    tiff = data.removeprefix(EXIF)
    return EXIF + tiff if tiff.startswith((b"II*\0", b"MM\0*")) else None


def divided_by_opacity(pixels: Pixels) -> Pixels:
    """Undo the multiplication of the colours by the opacity, rounded: (H, W, 2 or 4)."""
    top = np.iinfo(pixels.dtype).max
    opacity = pixels[..., -1:]
    colours = pixels[..., :-1] * (top / np.maximum(opacity, 1).astype(np.float64))
    divided = np.rint(np.minimum(colours, top)).astype(pixels.dtype)
    return np.concatenate([divided, opacity], axis=2)


def without_empty_opacity(path: Path, pixels: Pixels) -> tuple[Pixels, tuple[str, ...]]:
    """Leave out an opacity that is 0 everywhere, since a program forgot to fill it.

    ``pixels``: (H, W, C) as in `Decoded`. Returns them, and a warning if something is left out.
    """
    if pixels.shape[2] in (1, 3) or pixels[..., -1].any():
        return pixels, ()
    colours = np.ascontiguousarray(pixels[..., :-1])
    return colours, (f"{path}: is wholly transparent; its opacity is left out",)


def reason_of(error: Exception) -> str:
    """Return Pillow's reason in brackets; empty if it only names an object of its own."""
    return "" if isinstance(error, PIL.UnidentifiedImageError) else because(str(error))


def pillow_open(data: bytes, plugin: str) -> PIL.Image.Image:
    """Open a file with the ``plugin`` of Pillow that its content asks for; raises as Pillow does.

    Pillow's limit is lifted, since our own is asked first, and its warnings are not shown.
    """
    PIL.Image.MAX_IMAGE_PIXELS = None
    with warnings.catch_warnings(action="ignore"):
        return PIL.Image.open(io.BytesIO(data), formats=[plugin])


def opencv_decode(data: bytes) -> npt.NDArray[Any] | None:
    """Decode with OpenCV to (H, W, C) in RGB order and the file's own depth; None if it cannot."""
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if found is None:
        return None
    return in_rgb(found)


def in_rgb(found: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Bring what OpenCV decodes, (H, W) or (H, W, C) in BGR order, to (H, W, C) in RGB order."""
    pixels = found.reshape(*found.shape[:2], -1)
    order = [2, 1, 0, 3][: pixels.shape[2]] if pixels.shape[2] > 2 else slice(None)
    return np.ascontiguousarray(pixels[..., order])
