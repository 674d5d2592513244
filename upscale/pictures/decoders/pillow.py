"""Formats that Pillow reads rightly, with 8 bits per sample."""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image

from upscale.errors import InputError
from upscale.pictures.containers.damage import because, cut, damaged, no_image, unsupported
from upscale.pictures.decoders.base import Decoded, pillow_open, read_all, without_empty_opacity

__all__ = ["Plugin"]

BROKEN = (OSError, SyntaxError, ValueError, OverflowError, IndexError, EOFError, struct.error)
"""What Pillow raises for damaged files."""

CUT = ("truncated", "not enough image data", "Incomplete header")
"""Words in its errors for files that end early; it has no type of error for them."""

ENDS = {"QOI": bytes(7) + b"\1"}
"""What a whole file ends with, by plugin, if Pillow does not check it."""

HEADER = 2**20
"""Bytes within which headers and palettes end."""

COLOURED = ("P", "PA", "RGBX")
"""Modes of Pillow that are expanded to RGB, with opacity if there is any."""


@dataclass(frozen=True)
class Plugin:
    """One of Pillow's plugins, by Pillow's ``name`` for it."""

    name: str

    def size(self, path: Path, descriptor: int) -> tuple[int, int]:
        """Return (width, height), upright, from the header. Raises InputError."""
        return self._open(path, read_all(descriptor, HEADER)).size

    def decode(self, path: Path, descriptor: int) -> Decoded:
        """Decode to 8 bits. Raises InputError."""
        data = read_all(descriptor)
        if not data.rstrip(b"\0").endswith(ENDS.get(self.name, b"")):
            raise cut(path)
        image = self._open(path, data)
        try:
            image.load()
        except BROKEN as error:
            raise _refused(path, error) from error
        if image.mode == "1":
            image = image.convert("L")
        if image.mode in COLOURED:
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        if image.mode not in ("L", "LA", "RGB", "RGBA"):
            raise unsupported(path, f"{self.name} in {image.mode} is not read; convert it to PNG")
        pixels = np.array(image).reshape(image.height, image.width, -1)
        pixels, warned = without_empty_opacity(path, pixels)
        return Decoded(pixels, warnings=warned)

    def _open(self, path: Path, data: bytes) -> PIL.Image.Image:
        try:
            image = pillow_open(data, self.name)
        except NotImplementedError as error:
            raise unsupported(
                path,
                f"this kind of {self.name} is not read{because(str(error))}; convert it to PNG",
            ) from error
        except BROKEN as error:
            raise _refused(path, error) from error
        if 0 in image.size:
            raise no_image(path, "has no pixels")
        return image


def _refused(path: Path, error: Exception) -> InputError:
    return cut(path) if any(words in str(error) for words in CUT) else damaged(path)
