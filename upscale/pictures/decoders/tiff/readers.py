"""What decodes a page of a TIFF rightly: libvips, this room, or nothing.

libvips takes nearly any combination of colours, planes, samples and compression, and decodes some
of them wrongly without a warning. `tests/pictures/decoders/tiff/test_decoder.py` goes through them:
libvips gets those that come out right there, `decoder` gets others, and the rest is refused.
"""

from upscale.pictures.containers.tiff.page import (
    ASSOCIATED,
    COLOURS,
    FLOATING,
    GRAY,
    INKS,
    LAB,
    PREDICTOR,
    UNSIGNED,
    Page,
    Photometric,
)

__all__ = ["by_libvips", "refusal"]

BYTES = {1, 5, 8, 32773, 32946}
"""No compression, LZW, Deflate (two numbers) and PackBits: these pack bytes, whatever they mean."""

MORE_BYTES = BYTES | {34925, 50000}
"""The same with LZMA and Zstandard, which libvips' copy of libtiff lacks."""

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
"""Names of compressions that are not read."""


def by_libvips(page: Page) -> bool:
    """Say whether libvips decodes a page as other readers do, or tells why it does not."""
    meaning, samples, bits = page.photometric, page.samples, page.bits
    if meaning is None or 0 in page.size:
        return True  # it tells
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
            return f"JPEG of {bits} bits per sample in a TIFF is not read"
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
        return "white-is-zero gray with associated opacity is not read"
    if meaning == Photometric.CMYK and page.samples == 5 and page.extra == ASSOCIATED:
        return "CMYK with associated opacity is not read"
    if meaning == Photometric.CMYK and page.number(INKS, 1) != 1:
        return "inks other than cyan, magenta, yellow and black are not read"
    if meaning not in COLOURS:
        return f"its kind of colours (PhotometricInterpretation {meaning}) is not read"
    if not 0 <= page.samples - page.colours <= 1:
        return f"{page.samples} samples per pixel are not read"
    if meaning == Photometric.YCBCR and (bits != 8 or page.samples != 3):
        return f"YCbCr of {page.samples} × {bits} bits is not read"
    if meaning == Photometric.PALETTE and page.samples != 1:
        return f"a palette of {page.samples} samples per pixel is not read"
    if meaning in LAB and (page.sample_format == FLOATING or bits not in (8, 16)):
        return f"Lab of {bits} bits per sample is not read"
    if meaning in LAB and page.samples != 3:
        return "Lab with opacity is not read"
    if not _predictable(page):
        return f"a predictor with samples of {bits} bits is not read"
    if 0 in page.segment:
        return "tiles without pixels are not read"
    return None
