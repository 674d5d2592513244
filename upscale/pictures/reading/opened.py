"""A picture whose header is read, and the same of pictures that another library has decoded."""

from dataclasses import dataclass, replace
from pathlib import Path

import pyvips

from upscale.pictures.colours.signals import Signals, doubts
from upscale.pictures.containers.tiff.page import Page
from upscale.pictures.decoders.base import Decoded, Pixels
from upscale.pictures.reading.blocks import FINEST
from upscale.pictures.reading.colours import coloured, image_of
from upscale.pictures.record import Format
from upscale.pixels.image import CodePoints, Text

__all__ = ["Opened", "of_array", "redrawn"]

BLOCKS = ("icc-profile-data", "exif-data", "xmp-data")
"""libvips' names of what goes with a picture whatever its pixels."""


@dataclass(frozen=True)
class Opened:
    """A picture whose header is read: rows that are still to be decoded, and what is known."""

    path: Path
    image: pyvips.Image
    """The rows, not yet upright, with libvips' fields."""
    format: Format | None = None
    """None: another library has decoded it."""
    frames: int = 1
    """Frames or pages; they lie one above the other."""
    warnings: tuple[str, ...] = ()
    """What the user should know, a sentence each."""
    code_points: CodePoints | None = None
    """Given if the file states its colours by code points and they are not sRGB's."""
    pages: tuple[Page, ...] = ()
    """Pages of a TIFF that libvips does not decode rightly; then ``image`` has only their shape."""
    texts: tuple[Text, ...] = ()
    """Texts beside the picture."""


def of_array(path: Path, decoded: Decoded) -> Opened:
    """Return a picture that another library has decoded as if it had just been opened."""
    xres, yres = (min(each, FINEST) for each in decoded.resolution or (1.0, 1.0))
    image = image_of(decoded.pixels).copy(xres=xres, yres=yres)
    if decoded.ink:
        image = image.copy(interpretation="cmyk")
    for name, block in (
        ("icc-profile-data", decoded.icc),
        ("exif-data", decoded.exif),
        ("xmp-data", decoded.xmp),
    ):
        if block:
            image.set_type(pyvips.GValue.blob_type, name, block)
    said = Signals(decoded.code_points)
    warnings = decoded.warnings + doubts(path, said)
    points = said.beyond_srgb(image.bands < 3)
    return Opened(path, coloured(image, said), warnings=warnings, code_points=points)


def redrawn(opened: Opened, pixels: Pixels, delays: tuple[int, ...], loop: int) -> Opened:
    """Return what is opened with other ``pixels``: (frames · H, W, C), uint8 or uint16.

    ``delays``: milliseconds of each frame, empty for a still picture; ``loop``: as in `Image`.
    """
    image = image_of(pixels).copy(xres=opened.image.xres, yres=opened.image.yres)
    for name in BLOCKS:
        if opened.image.get_typeof(name):
            image.set_type(pyvips.GValue.blob_type, name, opened.image.get(name))
    image.set_type(pyvips.GValue.array_int_type, "delay", list(delays))
    image.set_type(pyvips.GValue.gint_type, "loop", loop)
    return replace(opened, image=image, frames=max(1, len(delays)))
