"""How a page of a TIFF file holds its picture, and who decodes such a page rightly.

libvips takes nearly any combination of colours, planes, samples and compression, and decodes some
of them wrongly without a word. `tests/pictures/decoders/test_tiff.py` goes through them: libvips
gets those that come out right there, `upscale.pictures.decoders.tiff` others, and the rest is
refused.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from upscale.pictures.containers.tiff import Source

__all__ = ["Page", "Photometric", "by_libvips", "pages", "refusal"]

MAX_PAGES = 2**16

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
FILL_ORDER, OFFSETS, ORIENTATION, SAMPLES, ROWS, COUNTS, PLANES = 266, 273, 274, 277, 278, 279, 284
PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 317, 322, 323, 324, 325
EXTRA, SAMPLE_FORMAT, SUBSAMPLING, INKS = 338, 339, 530, 332

UNSIGNED, FLOATING = 1, 3
"""Of `Page.sample_format`."""

ASSOCIATED = 1
"""Of `Page.extra`: an opacity that is multiplied into the colours."""

BYTES = {1, 5, 8, 32773, 32946}
"""None, LZW, Deflate (two numbers) and PackBits: they pack bytes, whatever these mean."""

MORE_BYTES = BYTES | {34925, 50000}
"""LZMA and Zstandard, which libvips' copy of libtiff lacks."""

FAX = {2, 3, 4, 32771}
JPEG, OLD_JPEG, WEBP = 7, 6, 50001

COMPRESSIONS = {
    32766: "NeXT",
    32809: "ThunderScan",
    34661: "JBIG",
    34676: "SGI LogLuv",
    34677: "SGI LogLuv",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG of DNG",
    34933: "PNG",
    50002: "JPEG XL",
    52546: "JPEG XL",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
}


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


@dataclass(frozen=True)
class Page:
    """One directory of a file's chain."""

    source: Source
    entries: dict[int, tuple[int, int, bytes]]
    """Kind, count, and values or offset, by tag."""

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the whole numbers of a field; none where it is missing."""
        return self.source.numbers(*self.entries[tag]) if tag in self.entries else ()

    def number(self, tag: int, default: int) -> int:
        """Return the first number of a field."""
        return next(iter(self.numbers(tag)), default)

    def fractions(self, tag: int) -> tuple[float, ...]:
        """Return the rational or floating numbers of a field; none where it is missing."""
        return self.source.fractions(*self.entries[tag]) if tag in self.entries else ()

    def block(self, tag: int) -> bytes | None:
        """Return the bytes of a field; None where it is missing."""
        return self.source.values(*self.entries[tag]) if tag in self.entries else None

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height; 0 where a side is missing."""
        return self.number(WIDTH, 0), self.number(HEIGHT, 0)

    @cached_property
    def samples(self) -> int:
        """How many numbers a pixel has."""
        return self.number(SAMPLES, 1)

    @cached_property
    def bits(self) -> int:
        """Bits a sample; 0 where they differ."""
        found = set(self.numbers(BITS) or (1,))
        return found.pop() if len(found) == 1 else 0

    @cached_property
    def sample_format(self) -> int:
        """How the bits are a number; 0 where that differs."""
        found = set(self.numbers(SAMPLE_FORMAT) or (UNSIGNED,))
        return found.pop() if len(found) == 1 else 0

    @cached_property
    def photometric(self) -> int | None:
        """What the samples mean, see `Photometric`; None where the file does not say."""
        found = self.numbers(PHOTOMETRIC)
        return found[0] if found else None

    @cached_property
    def compression(self) -> int:
        """TIFF's number for how strips or tiles are packed."""
        return self.number(COMPRESSION, 1)

    @cached_property
    def planar(self) -> bool:
        """Whether each sample has a plane of its own."""
        return self.samples > 1 and self.number(PLANES, 1) == 2

    @cached_property
    def extra(self) -> int:
        """What the sample after the colours is: 0 not said, 1 associated, 2 plain opacity."""
        return self.number(EXTRA, 0)

    @cached_property
    def colours(self) -> int:
        """How many of the samples are colours; 0 where that is not known."""
        return 0 if self.photometric is None else COLOURS.get(self.photometric, 0)

    @cached_property
    def tiled(self) -> bool:
        """Whether it is cut into tiles, and not into strips."""
        return TILE_WIDTH in self.entries

    @cached_property
    def segment(self) -> tuple[int, int]:
        """Width and height of a tile or strip."""
        width, height = self.size
        if self.tiled:
            return self.number(TILE_WIDTH, 0), self.number(TILE_HEIGHT, 0)
        return width, min(self.number(ROWS, height), height)

    @cached_property
    def orientation(self) -> int:
        """How the picture is to be turned, 1 to 8."""
        found = self.number(ORIENTATION, 1)
        return found if 1 <= found <= 8 else 1

    @property
    def covered(self) -> tuple[int, int]:
        """Width and height of all that strips or tiles cover."""
        (width, height), (across, down) = self.size, self.segment
        return -(-width // (across or 1)) * across, -(-height // (down or 1)) * down

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Offset and bytes of each segment, plane after plane."""
        offsets, counts = (TILE_OFFSETS, TILE_COUNTS) if self.tiled else (OFFSETS, COUNTS)
        return list(zip(self.numbers(offsets), self.numbers(counts), strict=False))

    @cached_property
    def subsampling(self) -> tuple[int, int]:
        """Pixels across and down that share a chroma sample."""
        found = self.numbers(SUBSAMPLING)
        return (found[0], found[1]) if len(found) == 2 else (2, 2)

    @cached_property
    def kind(self) -> tuple[object, ...]:
        """What pages have in common that can be frames of one picture."""
        shape = (self.size, self.samples, self.bits, self.sample_format)
        return (*shape, self.photometric, self.extra)


def pages(descriptor: int) -> list[Page]:
    """Return the pages of an open file; ValueError where it is no TIFF or damaged."""
    source, found = Source.of_file(descriptor), list[Page]()
    at = source.first
    while at and len(found) < MAX_PAGES:
        entries, at = source.table(at)
        found.append(Page(source, {entry[0]: entry[1:] for entry in reversed(entries)}))
    return found


def by_libvips(page: Page) -> bool:
    """Say whether libvips decodes a page as other readers do, or says why it does not."""
    meaning, samples, bits = page.photometric, page.samples, page.bits
    if meaning is None or 0 in page.size:
        return True  # it says so
    if meaning not in COLOURS or meaning in LAB or page.number(INKS, 1) != 1:
        return False
    opacity = samples - page.colours
    whole = page.sample_format == UNSIGNED
    if page.compression in BYTES:
        if meaning == Photometric.RGB:
            right = opacity <= 1 and (bits in (8, 16) if whole else _is_float(page))
            return right and not (page.planar and page.tiled)
        if meaning == Photometric.CMYK:
            return whole and bits in (8, 16) and not opacity and not (page.planar and page.tiled)
        if meaning == Photometric.BLACK_IS_ZERO and _is_float(page):
            return not page.planar and (not opacity or (opacity == 1 and page.extra != ASSOCIATED))
        if meaning in (*GRAY, Photometric.PALETTE) and not opacity:
            return whole and bits in (1, 2, 4, 8, 16)
        right = meaning == Photometric.BLACK_IS_ZERO or page.extra != ASSOCIATED
        return (
            meaning in GRAY
            and whole
            and bits in (8, 16)
            and opacity == 1
            and right
            and not page.planar
        )
    if page.compression in FAX:
        return meaning in GRAY and samples == bits == 1
    if not whole or bits != 8:
        return False
    if page.compression == JPEG:
        if page.planar:
            return meaning == Photometric.RGB and opacity <= 1 and not page.tiled
        return (
            meaning in (*GRAY, Photometric.RGB, Photometric.YCBCR, Photometric.CMYK) and not opacity
        )
    if page.compression == OLD_JPEG:
        return (
            not page.tiled
            and not opacity
            and meaning in (*GRAY, Photometric.RGB, Photometric.YCBCR)
        )
    return (
        page.compression == WEBP and meaning == Photometric.RGB and opacity <= 1 and not page.planar
    )


def _is_float(page: Page) -> bool:
    return page.sample_format == FLOATING and page.bits == 32


def _predictable(page: Page) -> bool:
    predictor = page.number(PREDICTOR, 1)
    if predictor == 2:
        return page.bits in (8, 16, 32, 64) and page.photometric != Photometric.YCBCR
    return predictor == 1 or (predictor == 3 and page.sample_format == FLOATING)


def refusal(page: Page) -> str | None:
    """Say why a page that libvips does not decode rightly is not decoded here; None: it is."""
    bits, meaning = page.bits, page.photometric
    if page.compression not in MORE_BYTES:
        if page.compression in (JPEG, OLD_JPEG) and bits > 8:
            return f"JPEG of {bits} bits a sample in a TIFF is not read"
        name = COMPRESSIONS.get(page.compression)
        if page.compression in (JPEG, OLD_JPEG, WEBP, *FAX):
            return "its colours are not read in this compression"
        return f"the compression {name or page.compression} in a TIFF is not read"
    if not bits or not page.sample_format:
        return "samples of different sizes are not read"
    if page.sample_format == FLOATING and bits not in (16, 32, 64):
        return f"floating-point samples of {bits} bits are not read"
    if page.sample_format != FLOATING and (page.sample_format != UNSIGNED or bits > 16):
        sign = "" if page.sample_format == UNSIGNED else "signed or complex "
        return f"{sign}samples of {bits} bits are not read"
    if meaning == Photometric.WHITE_IS_ZERO and page.samples == 2 and page.extra == ASSOCIATED:
        return "white-is-zero gray that its opacity is multiplied into is not read"
    if meaning == Photometric.CMYK and page.samples == 5 and page.extra == ASSOCIATED:
        return "CMYK that its opacity is multiplied into is not read"
    if meaning == Photometric.CMYK and page.number(INKS, 1) != 1:
        return "inks other than cyan, magenta, yellow and black are not read"
    if meaning not in COLOURS:
        return f"its kind of colours (photometric {meaning}) is not read"
    if not 0 <= page.samples - page.colours <= 1:
        return f"{page.samples} samples a pixel are not read"
    if meaning == Photometric.YCBCR and (bits != 8 or page.samples != 3):
        return f"YCbCr of {page.samples} × {bits} bits is not read"
    if meaning == Photometric.PALETTE and page.samples != 1:
        return f"a palette of {page.samples} samples a pixel is not read"
    if meaning in LAB and (page.sample_format == FLOATING or bits not in (8, 16)):
        return f"Lab of {bits} bits a sample is not read"
    if meaning in LAB and page.samples != 3:
        return "Lab with opacity is not read"
    if not _predictable(page):
        return f"differences of samples of {bits} bits are not read"
    if 0 in page.segment:
        return "tiles without pixels are not read"
    return None
