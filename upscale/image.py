"""File → `Image`, and what each format holds. With `upscale.image_writer` all that knows formats.

libvips decodes, by content and never by name; a file that is damaged is refused, not shown in part.
"""

import codecs
import os
import re
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips

from upscale.damage import is_cut
from upscale.errors import InputError, OutputError

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "Format",
    "Image",
    "Metadata",
    "Pixels",
    "check_format",
    "read",
    "suffix_of",
    "vips_reason",
]

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

MAX_PIXELS = 2**28
"""Pixels of an input above which it is taken for a decompression bomb (16384 × 16384)."""

MAX_SIDE = 1_000_000
"""Pixels a side above which an input is refused, whatever its other side is."""

READABLE = {"jpeg", "png", "webp", "tiff", "heif", "gif", "ppm", "jp2k", "jxl"}
VECTOR = {"svg", "pdf"}
OTHERS = (
    (rb"%PDF", "PDF"),
    (rb"BM.{4}\0{4}", "BMP"),
    (rb"P[1-6]\s", "PPM"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000"),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "JPEG XL"),
    (rb"FUJIFILMCCD-RAW|II\x1a\0\0\0HEAPCCDR|IIRO|IIU\0", "RAW"),
)
"""How files begin that this build of libvips has no reader for."""

HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"mif1", b"msf1"}

SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"II*\0", b"MM\0*", b"GIF8")

KEPT = ("icc-profile-data", "exif-", "xmp-data", "iptc-data", "resolution-unit")
DROPPED = ("exif-ifd1-", "exif-ifd0-Orientation")


@dataclass(frozen=True)
class Format:
    """What a file format can hold and how it is saved."""

    side_limit: int
    opacity: bool
    depth: int
    options: dict[str, Any]


FORMATS: dict[str, Format] = {
    ".png": Format(2**31 - 1, True, 16, {"compression": 6}),
    ".jpg": Format(65_500, False, 8, {"Q": 95, "subsample_mode": "off", "optimize_coding": True}),
    ".webp": Format(16_383, True, 8, {"Q": 92, "effort": 4}),
    ".tif": Format(2**31 - 1, True, 16, {"compression": "deflate", "predictor": "horizontal"}),
    ".avif": Format(65_536, True, 8, {"compression": "av1", "Q": 80, "effort": 4}),
}
ALIASES = {".jpeg": ".jpg", ".jpe": ".jpg", ".tiff": ".tif"}


@dataclass(frozen=True)
class Metadata:
    """What belongs to a picture beside its pixels, as libvips names it: (name, type, value)."""

    fields: tuple[tuple[str, int, Any], ...] = ()
    resolution: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Image:
    """A decoded, upright picture.

    ``pixels``: (H, W, C), uint8 or uint16, C = 1 gray, 2 gray and opacity, 3 RGB, 4 RGB and
    opacity, in the colours of its own profile. ``suffix``: of the format that it was stored in.
    """

    pixels: Pixels
    metadata: Metadata = field(default_factory=Metadata)
    suffix: str = ".png"
    warnings: tuple[str, ...] = ()


def read(path: Path, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode the picture in ``path``, by its content and not by its name.

    Raises InputError with one of the report's codes: ``io-error``, ``not-an-image``,
    ``too-large`` (from the header, before decoding), ``truncated``, ``decode-error``,
    ``unsupported-format``.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InputError(f"{path}: is no regular file; skipped")
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return _decode(path, descriptor, max_pixels)
    finally:
        os.close(descriptor)


def _decode(path: Path, descriptor: int, max_pixels: int) -> Image:
    head = os.pread(descriptor, 512, 0)
    if not head:
        raise InputError(f"{path}: is empty", code="not-an-image")
    try:
        source = pyvips.Source.new_from_descriptor(descriptor)
        image = pyvips.Image.new_from_source(source, "", access="sequential", fail_on="error")
    except pyvips.Error as error:
        raise _unreadable(path, head, descriptor, error) from error
    loader = str(image.get("vips-loader")).removesuffix("load_source").removesuffix("load")
    if loader not in READABLE:
        if loader not in VECTOR and _is_text(head):  # libvips takes a table of numbers for one
            raise InputError(f"{path}: is a text, no picture", code="not-an-image")
        raise _unsupported(path, loader.upper())
    if image.width * image.height > max_pixels or max(image.width, image.height) > MAX_SIDE:
        raise InputError(
            f"{path}: {image.width} × {image.height} is more than {max_pixels:,} pixels, or "
            f"{MAX_SIDE:,} a side; raise --max-pixels if you trust the file",
            code="too-large",
        )
    warnings = []
    if image.get_typeof("n-pages") and image.get("n-pages") > 1:
        warnings.append(f"{path}: has {image.get('n-pages')} pages or frames; only the first")
    elif loader == "png" and b"acTL" in head:
        warnings.append(f"{path}: is animated; only the first frame")
    colours = image.bands - (1 if image.interpretation == "cmyk" else 0)
    if image.format not in ("uchar", "ushort") or colours > 4:
        raise InputError(
            f"{path}: {image.bands} bands of {image.format} samples are not supported; "
            "convert it to 8 or 16 bits, gray or RGB",
            code="unsupported-format",
        )
    if loader == "tiff" and is_cut(descriptor):  # which libvips would fill with black
        raise InputError(f"{path}: ends early", code="truncated")
    try:
        upright = _to_rgb(image.copy_memory().autorot())
        pixels: Pixels = np.ascontiguousarray(upright.numpy()).reshape(
            upright.height, upright.width, upright.bands
        )
    except pyvips.Error as error:
        kind = "truncated" if is_cut(descriptor) else "decode-error"
        what = "ends early" if kind == "truncated" else "is damaged"
        raise InputError(f"{path}: {what} ({vips_reason(error)})", code=kind) from error
    return Image(pixels, _metadata(upright), _suffix(loader), tuple(warnings))


def _to_rgb(image: pyvips.Image) -> pyvips.Image:
    """Bring CMYK, Lab and other spaces to sRGB; gray and RGB stay in their own profile."""
    if image.interpretation in ("b-w", "srgb", "grey16", "rgb16", "multiband", "rgb"):
        return image
    if image.interpretation == "cmyk":
        depth = 16 if image.format == "ushort" else 8
        return image.icc_transform("srgb", embedded=True, input_profile="cmyk", depth=depth)
    return image.colourspace("srgb")


def _metadata(image: pyvips.Image) -> Metadata:
    kept = [
        (name, image.get_typeof(name), image.get(name))
        for name in image.get_fields()
        if name.startswith(KEPT) and not name.startswith(DROPPED)
    ]
    return Metadata(tuple(kept), (image.xres, image.yres))


def _suffix(loader: str) -> str:
    """Return the format to write by default for what was read."""
    known = {"jpeg": ".jpg", "webp": ".webp", "tiff": ".tif", "heif": ".avif"}
    return known.get(loader, ".png")


def _unreadable(path: Path, head: bytes, descriptor: int, error: pyvips.Error) -> InputError:
    """Say what a file is that libvips finds no reader for, or whose header it cannot parse."""
    text = head.lstrip().lower()
    if text.startswith(b"version https://git-lfs"):
        return InputError(
            f"{path}: is a Git LFS pointer; fetch the picture with: git lfs pull",
            code="not-an-image",
        )
    if text.startswith((b"<!doctype html", b"<html")):
        return InputError(f"{path}: is a web page, no picture", code="not-an-image")
    if name := next((name for start, name in OTHERS if re.match(start, head, re.DOTALL)), None):
        return _unsupported(path, name)
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return _unsupported(path, "HEIC")
    if head.startswith(SIGNATURES) or head[4:12] == b"ftypavif":
        if is_cut(descriptor):
            return InputError(f"{path}: ends early ({vips_reason(error)})", code="truncated")
        if head.startswith(b"\x89PNG") and 0 in struct.unpack(">II", head[16:24].ljust(8, b"x")):
            return InputError(f"{path}: has no pixels", code="not-an-image")
        reason = vips_reason(error)
        return InputError(f"{path}: has a damaged header ({reason})", code="decode-error")
    if _is_text(head):
        return InputError(f"{path}: is a text, no picture", code="not-an-image")
    return InputError(f"{path}: is no picture of a known format", code="not-an-image")


def _unsupported(path: Path, name: str) -> InputError:
    return InputError(
        f"{path}: {name} is not read by this build of libvips; convert it to PNG, TIFF or JPEG "
        "first",
        code="unsupported-format",
    )


def _is_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not any(byte < 32 and byte not in b"\t\n\r\f" for byte in head)


def vips_reason(error: pyvips.Error) -> str:
    """Return the first line of what libvips says went wrong."""
    lines = [line.strip() for line in str(error.detail).splitlines() if line.strip()]
    return lines[0] if lines else error.message


def suffix_of(path: Path) -> str:
    """Return a name's suffix as `FORMATS` spells it: ``.jpg`` for ``A.JPEG``."""
    suffix = path.suffix.lower()
    return ALIASES.get(suffix, suffix)


def check_format(path: Path, width: int, height: int) -> Format:
    """Return ``path``'s format; OutputError where it is unknown or cannot hold the size."""
    suffix = suffix_of(path)
    if suffix not in FORMATS:
        raise OutputError(
            f"{path}: cannot write {suffix or 'a file without a suffix'}; "
            f"write one of {', '.join(FORMATS)}",
            code="unsupported-format",
        )
    limit = FORMATS[suffix].side_limit
    if max(width, height) > limit:
        raise OutputError(
            f"{path}: {width} × {height} is more than the {limit:,} pixels a side that "
            f"{suffix} holds; write .png or .tif",
            code="too-large-for-format",
        )
    return FORMATS[suffix]
