"""How a page of a TIFF file holds its picture."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from upscale.pictures.containers.tiff.source import Source

__all__ = ["Page", "Photometric", "pages"]

MAX_PAGES = 2**16

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
FILL_ORDER, OFFSETS, ORIENTATION, SAMPLES, ROWS, COUNTS, PLANES = 266, 273, 274, 277, 278, 279, 284
PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 317, 322, 323, 324, 325
EXTRA, SAMPLE_FORMAT, SUBSAMPLING, INKS = 338, 339, 530, 332

UNSIGNED, FLOATING = 1, 3
"""Values of `Page.sample_format`."""

ASSOCIATED = 1
"""A value of `Page.extra`: opacity that the colours are multiplied by."""


class Photometric(IntEnum):
    """What the samples mean (TIFF 6.0, PhotometricInterpretation)."""

    WHITE_IS_ZERO = 0
    BLACK_IS_ZERO = 1
    RGB = 2
    PALETTE = 3
    MASK = 4
    CMYK = 5
    YCBCR = 6
    CIE_LAB = 8
    ICC_LAB = 9


GRAY = (Photometric.WHITE_IS_ZERO, Photometric.BLACK_IS_ZERO)
LAB = (Photometric.CIE_LAB, Photometric.ICC_LAB)
COLOURS: dict[int, int] = {
    Photometric.WHITE_IS_ZERO: 1,
    Photometric.BLACK_IS_ZERO: 1,
    Photometric.PALETTE: 1,
}
COLOURS |= {Photometric.RGB: 3, Photometric.YCBCR: 3, Photometric.CMYK: 4}
COLOURS |= dict.fromkeys(LAB, 3)
"""Samples of a pixel that are colours, by `Photometric`."""


@dataclass(frozen=True)
class Page:
    """One directory of a file's chain."""

    source: Source
    entries: dict[int, tuple[int, int, bytes]]
    """Type, count, and values or offset of each field, by tag."""

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the whole numbers of a field; empty if it is missing."""
        return self.source.numbers(*self.entries[tag]) if tag in self.entries else ()

    def number(self, tag: int, default: int) -> int:
        """Return the first number of a field; ``default`` if it is missing."""
        return next(iter(self.numbers(tag)), default)

    def fractions(self, tag: int) -> tuple[float, ...]:
        """Return the rational or floating-point numbers of a field; empty if it is missing."""
        return self.source.fractions(*self.entries[tag]) if tag in self.entries else ()

    def block(self, tag: int) -> bytes | None:
        """Return the bytes of a field; None if it is missing."""
        return self.source.values(*self.entries[tag]) if tag in self.entries else None

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels; 0 for a side that is missing."""
        return self.number(WIDTH, 0), self.number(HEIGHT, 0)

    @cached_property
    def samples(self) -> int:
        """Samples of a pixel."""
        return self.number(SAMPLES, 1)

    @cached_property
    def bits(self) -> int:
        """Bits per sample; 0 if samples differ."""
        found = set(self.numbers(BITS) or (1,))
        return found.pop() if len(found) == 1 else 0

    @cached_property
    def sample_format(self) -> int:
        """TIFF's number for the type of the samples; 0 if samples differ."""
        found = set(self.numbers(SAMPLE_FORMAT) or (UNSIGNED,))
        return found.pop() if len(found) == 1 else 0

    @cached_property
    def photometric(self) -> int | None:
        """What the samples mean, by `Photometric`; None if the file does not say."""
        found = self.numbers(PHOTOMETRIC)
        return found[0] if found else None

    @cached_property
    def compression(self) -> int:
        """TIFF's number for the compression of strips or tiles."""
        return self.number(COMPRESSION, 1)

    @cached_property
    def planar(self) -> bool:
        """Whether each sample has a plane of its own."""
        return self.samples > 1 and self.number(PLANES, 1) == 2

    @cached_property
    def extra(self) -> int:
        """What the sample behind the colours is: 0 unspecified, 1 associated opacity, 2 opacity."""
        return self.number(EXTRA, 0)

    @cached_property
    def colours(self) -> int:
        """How many of the samples are colours; 0 if that is not known."""
        return 0 if self.photometric is None else COLOURS.get(self.photometric, 0)

    @cached_property
    def tiled(self) -> bool:
        """Whether it consists of tiles, and not of strips."""
        return TILE_WIDTH in self.entries

    @cached_property
    def segment(self) -> tuple[int, int]:
        """Width and height of a tile or strip."""
        width, height = self.size
        if self.tiled:
            return self.number(TILE_WIDTH, 0), self.number(TILE_HEIGHT, 0)
        return width, min(self.number(ROWS, height), height)

    @cached_property
    def orientation(self) -> int | None:
        """How the picture is to be turned, 1 to 8 as in EXIF; None if the page does not say."""
        if ORIENTATION not in self.entries:
            return None
        found = self.number(ORIENTATION, 1)
        return found if 1 <= found <= 8 else 1

    @property
    def covered(self) -> tuple[int, int]:
        """Width and height of the area that all strips or tiles cover, in pixels."""
        (width, height), (across, down) = self.size, self.segment
        return -(-width // (across or 1)) * across, -(-height // (down or 1)) * down

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Offset and length in bytes of each strip or tile, plane after plane."""
        offsets, counts = (TILE_OFFSETS, TILE_COUNTS) if self.tiled else (OFFSETS, COUNTS)
        return list(zip(self.numbers(offsets), self.numbers(counts), strict=False))

    @cached_property
    def subsampling(self) -> tuple[int, int]:
        """Pixels across and down that share a chroma sample."""
        found = self.numbers(SUBSAMPLING)
        return (found[0], found[1]) if len(found) == 2 else (2, 2)

    @cached_property
    def kind(self) -> tuple[object, ...]:
        """A value that is the same for pages that can be frames of one picture."""
        shape = (self.size, self.samples, self.bits, self.sample_format)
        return (*shape, self.photometric, self.extra)


def pages(descriptor: int, most: int = MAX_PAGES) -> list[Page]:
    """Return the pages of an open file, at most ``most``. Raises ValueError if it is damaged."""
    source, found = Source.of_file(descriptor), list[Page]()
    at = source.first
    while at and len(found) < most:
        entries, at = source.table(at)
        found.append(Page(source, {entry[0]: entry[1:] for entry in reversed(entries)}))
    return found
