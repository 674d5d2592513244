"""A picture as the rest of the program knows it: pixels, metadata, frames. No decoder here."""

from dataclasses import dataclass, field

from upscale.pixels.spool import Pixels, Rows

__all__ = ["Header", "Image", "Layout", "Metadata", "Pixels", "Rows"]


@dataclass(frozen=True)
class Metadata:
    """What belongs to a picture beside its pixels, as bytes of the usual blocks.

    ``exif`` begins with ``Exif\\0\\0``; ``resolution``: pixels a millimetre, across and down.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    resolution: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Header:
    """What a file says of itself: size of a frame upright, in pixels, and what it is made of."""

    width: int
    height: int
    channels: int
    depth: int
    frames: int
    suffix: str


@dataclass(frozen=True)
class Image:
    """A decoded, upright picture.

    ``pixels``: (frames · H, W, C), uint8 or uint16, C = 1 gray, 2 gray and opacity, 3 RGB, 4 RGB
    and opacity, in the colours of its own profile. ``suffix``: of the format to write by default.
    ``delays``: milliseconds a frame, of an animation; ``loop``: how often it plays, 0 for ever.
    """

    pixels: Rows
    metadata: Metadata = field(default_factory=Metadata)
    suffix: str = ".png"
    warnings: tuple[str, ...] = ()
    frames: int = 1
    delays: tuple[int, ...] = ()
    loop: int = 0


@dataclass(frozen=True)
class Layout:
    """What is to be written: a frame's size in pixels, channels as in `Image`, ``depth`` 8 or 16
    bits a sample, and the timing of several frames.
    """

    width: int
    height: int
    channels: int
    depth: int
    frames: int = 1
    delays: tuple[int, ...] = ()
    loop: int = 0
