"""Pictures and blocks of metadata, saved through the encoder as the writer does."""

import os
import struct
from pathlib import Path

import numpy as np
import pyvips
from PIL import ExifTags, Image

from upscale.pictures.writing.encoder import encode
from upscale.pictures.writing.encoding import Encoding
from upscale.pictures.writing.fitting import fitting, losses
from upscale.pixels.image import Layout, Metadata, Pixels

KEY = "0123456789abcdef" * 2
SEGMENT = 65_533
"""Bytes in a JPEG segment beside its length (ISO/IEC 10918-1, B.1.1.4)."""


def exif_of(note: int = 0) -> bytes:
    """A block with a camera and a comment of ``note`` bytes."""
    tags = Image.Exif()
    tags[ExifTags.Base.Make] = "Mamiya"
    if note:
        tags.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = b"ASCII\0\0\0" + b"n" * note
    return tags.tobytes()


def xmp_of(length: int) -> bytes:
    head, tail = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>", b"</x:xmpmeta>"
    return head + b" " * (length - len(head) - len(tail)) + tail


def iptc_of(length: int) -> bytes:
    """Keywords of ``length`` bytes in all, their heads included."""
    found = b""
    while (left := length - len(found)) > 0:
        size = left - 5 if left < 1010 else 1000
        found += struct.pack(">BBBH", 0x1C, 2, 25, size) + b"k" * size
    return found


def save(
    path: Path,
    pixels: Pixels,
    metadata: Metadata = Metadata(),  # noqa: B008 - frozen
    encoding: Encoding = Encoding(),  # noqa: B008 - frozen
    key: str | None = KEY,
    frames: int = 1,
) -> list[str]:
    """Encode as the writer does; return the warnings."""
    rows, width, channels = pixels.shape
    depth = pixels.dtype.itemsize * 8
    layout = Layout(width, rows // frames, channels, depth, frames, (90,) * (frames - 1) + (40,))
    kept, warnings = fitting(path, path.suffix, layout, metadata, encoding, key)
    space = ("rgb16" if channels > 2 else "grey16") if depth == 16 else None
    space = space or ("srgb" if channels > 2 else "b-w")
    stream = pyvips.Image.new_from_array(pixels, interpretation=space)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        encode(stream, descriptor, path.suffix, layout, kept, encoding, key)
    finally:
        os.close(descriptor)
    return losses(path, path.suffix, layout, metadata, encoding) + warnings


def noise(height: int, width: int, channels: int, dtype: type = np.uint8) -> Pixels:
    top = np.iinfo(dtype).max
    found: Pixels = np.random.default_rng(0).integers(0, top, (height, width, channels), dtype)
    return found
