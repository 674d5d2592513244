"""A picture as the rest of the program knows it: pixels, metadata, frames. No decoder here."""

from dataclasses import dataclass, field

from upscale.pixels.spool import Pixels, Rows, StoredRows

__all__ = ["CodePoints", "Header", "Image", "Layout", "Metadata", "Pixels", "Rows", "Text"]

PQ, HLG = 16, 18
"""The two HDR transfer curves, by their numbers in ITU-T H.273, table 3."""


@dataclass(frozen=True)
class CodePoints:
    """The colours of RGB samples, by the code points of ITU-T H.273."""

    primaries: int
    """Colour primaries, by table 2."""
    transfer: int
    """Transfer characteristics, by table 3."""
    full_range: bool = True
    """False: black lies at 16 and white at 235 of 255."""
    mastering: bytes | None = None
    """The display that the picture was made on, as PNG's mDCV chunk holds it."""
    light: bytes | None = None
    """The picture's greatest and average light level, as PNG's cLLI chunk holds them."""

    @property
    def hdr(self) -> str:
        """``PQ`` or ``HLG`` if the transfer curve is one of these two; empty otherwise."""
        return {PQ: "PQ", HLG: "HLG"}.get(self.transfer, "")


@dataclass(frozen=True)
class Text:
    """A text in a picture's file: PNG has texts under keywords, JPEG and GIF have comments."""

    keyword: str
    """``Author``, ``Description`` and so on (PNG, 11.3.3.1); ``Comment`` if the format has none."""
    text: str
    language: str = ""
    """A tag such as ``de-CH``; empty if the file does not say."""


@dataclass(frozen=True)
class Metadata:
    """What belongs to a picture besides its pixels, as the bytes of the usual blocks."""

    icc: bytes | None = None
    exif: bytes | None = None
    """Begins with ``Exif\\0\\0``."""
    xmp: bytes | None = None
    iptc: bytes | None = None
    resolution: tuple[float, float] = (1.0, 1.0)
    """Pixels per millimetre, across and down."""
    code_points: CodePoints | None = None
    """Given if the file states its colours by code points and they are not sRGB's; ``icc`` then
    serves programs that know profiles only."""
    texts: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Header:
    """What is known of a picture before it is decoded."""

    width: int
    """Of one frame, upright, in pixels; so is the height."""
    height: int
    channels: int
    """As in `Image`."""
    depth: int
    """Bits per sample: 8 or 16."""
    frames: int
    """Frames or pages that are read."""


@dataclass(frozen=True)
class Image:
    """A decoded, upright picture."""

    pixels: Rows
    """(frames · H, W, C), uint8 or uint16, in the colours of the picture's own profile; C = 1 gray,
    2 gray and opacity, 3 RGB, 4 RGB and opacity."""
    metadata: Metadata = field(default_factory=Metadata)
    warnings: tuple[str, ...] = ()
    """What the user should know of the file, a sentence each."""
    frames: int = 1
    """Frames or pages; they lie one above the other."""
    delays: tuple[int, ...] = ()
    """Milliseconds that each frame of an animation is shown; empty if it is none."""
    loop: int = 0
    """How often an animation plays; 0: for ever."""

    @property
    def height(self) -> int:
        """Rows of one frame."""
        rows: int = self.pixels.shape[0]
        return rows // self.frames

    def frame(self, index: int) -> Rows:
        """Return the rows of one frame, counted from 0; no pixels are copied."""
        first = index * self.height
        if isinstance(self.pixels, StoredRows):
            return self.pixels.part(first, self.height)
        rows: Pixels = self.pixels[first : first + self.height]
        return rows


@dataclass(frozen=True)
class Layout:
    """The shape of a picture that is to be written."""

    width: int
    """Of one frame, in pixels; so is the height."""
    height: int
    channels: int
    """As in `Image`."""
    depth: int
    """Bits per sample: 8 or 16."""
    frames: int = 1
    delays: tuple[int, ...] = ()
    """As in `Image`; so is ``loop``."""
    loop: int = 0
