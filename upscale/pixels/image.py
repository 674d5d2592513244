"""A picture as the rest of the program knows it: pixels, metadata, frames. No decoder here."""

from dataclasses import dataclass, field

from upscale.pixels.spool import Pixels, Rows, StoredRows

__all__ = ["CodePoints", "Header", "Image", "Layout", "Metadata", "Pixels", "Rows", "Text"]

PQ, HLG = 16, 18
"""Numbers of the two HDR curves (ITU-T H.273, table 3)."""


@dataclass(frozen=True)
class CodePoints:
    """What samples mean, by the numbers of ITU-T H.273; those of RGB, so without a matrix."""

    primaries: int
    """Of table 2."""
    transfer: int
    """Of table 3."""
    full_range: bool = True
    """False: black lies at 16 and white at 235 of 255."""
    mastering: bytes | None = None
    """The display that the picture was made on, as PNG's mDCV chunk holds it."""
    light: bytes | None = None
    """The picture's greatest and average light, as PNG's cLLI chunk holds them."""

    @property
    def hdr(self) -> str:
        """The name of the curve if it reaches beyond the white of paper; else empty."""
        return {PQ: "PQ", HLG: "HLG"}.get(self.transfer, "")


@dataclass(frozen=True)
class Text:
    """A text beside a picture, as PNG has many, JPEG and GIF a comment."""

    keyword: str
    """``Author``, ``Description`` and so on (PNG, 11.3.3.1); ``Comment`` where there is none."""
    text: str
    language: str = ""
    """Where the file says it, by a tag such as ``de-CH``."""


@dataclass(frozen=True)
class Metadata:
    """What belongs to a picture beside its pixels, as bytes of the usual blocks."""

    icc: bytes | None = None
    exif: bytes | None = None
    """Begins with ``Exif\\0\\0``."""
    xmp: bytes | None = None
    iptc: bytes | None = None
    resolution: tuple[float, float] = (1.0, 1.0)
    """Pixels a millimetre, across and down."""
    code_points: CodePoints | None = None
    """Where the file says its colours so; ``icc`` then shows them to who knows profiles only."""
    texts: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    width: int
    """Of one frame, upright, in pixels; so is the height."""
    height: int
    channels: int
    depth: int
    """Bits a sample: 8 or 16."""
    frames: int


@dataclass(frozen=True)
class Image:
    """A decoded, upright picture."""

    pixels: Rows
    """(frames · H, W, C), uint8 or uint16, in the colours of the picture's own profile; C = 1 gray,
    2 gray and opacity, 3 RGB, 4 RGB and opacity."""
    metadata: Metadata = field(default_factory=Metadata)
    warnings: tuple[str, ...] = ()
    frames: int = 1
    delays: tuple[int, ...] = ()
    """Milliseconds a frame, of an animation."""
    loop: int = 0
    """How often it plays; 0 for ever."""

    @property
    def height(self) -> int:
        """Rows of one frame."""
        rows: int = self.pixels.shape[0]
        return rows // self.frames

    def frame(self, index: int) -> Rows:
        """Return the rows of one frame; no pixels are copied."""
        first = index * self.height
        if isinstance(self.pixels, StoredRows):
            return self.pixels.part(first, self.height)
        rows: Pixels = self.pixels[first : first + self.height]
        return rows


@dataclass(frozen=True)
class Layout:
    """The shape of what is to be written."""

    width: int
    """Of one frame, in pixels; so is the height."""
    height: int
    channels: int
    """As in `Image`."""
    depth: int
    """Bits a sample: 8 or 16."""
    frames: int = 1
    delays: tuple[int, ...] = ()
    """As in `Image`; so is ``loop``."""
    loop: int = 0
