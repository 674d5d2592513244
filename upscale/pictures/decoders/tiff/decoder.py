"""Pages of TIFF files that libvips decodes wrongly or not at all: their samples become colours.

`readers` says which pages these are.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips

from upscale.pictures.containers.damage import cut, damaged, tiff_ends_early, unsupported
from upscale.pictures.containers.tiff.page import (
    ASSOCIATED,
    FLOATING,
    GRAY,
    LAB,
    Page,
    Photometric,
    pages,
)
from upscale.pictures.decoders.base import (
    Decoded,
    Pixels,
    divided_by_opacity,
    from_float,
    rounding_warning,
    widen,
)
from upscale.pictures.decoders.tiff.readers import by_libvips, refusal
from upscale.pictures.decoders.tiff.samples import Samples, samples_of

__all__ = ["XMP", "Chosen", "decode", "pages_for", "shape"]

PALETTE, ICC, XMP, YCBCR_COEFFICIENTS, REFERENCES = 320, 34675, 700, 529, 532
ACROSS, DOWN, UNIT = 282, 283, 296
MILLIMETRES = {2: 25.4, 3: 10.0}
"""Millimetres of a unit, by the field ResolutionUnit."""

ADVICE = "save it as a TIFF of 8 or 16 bits, gray or RGB, without compression or with Deflate"


@dataclass(frozen=True)
class Chosen:
    """Which pages of a file are decoded here, and which are left out."""

    pages: tuple[Page, ...] = ()
    """Frames of one picture, for `decode`; empty: libvips decodes them, or finds the fault."""
    left_out: int = 0
    """Number of further pages, which cannot be frames of the same picture."""


def pages_for(path: Path, descriptor: int) -> Chosen:
    """Choose by how the pages hold their pixels. Raises InputError if nothing reads the first."""
    try:
        found = pages(descriptor)
        if not found or by_libvips(found[0]):
            alike = all(by_libvips(page) for page in found)
            return Chosen(left_out=0 if alike else len(found) - 1)
        if tiff_ends_early(descriptor):
            raise cut(path)
        if (why := refusal(found[0])) is not None:
            raise unsupported(path, f"{why}; {ADVICE}")
        alike = all(page.kind == found[0].kind and refusal(page) is None for page in found)
    except ValueError:
        return Chosen()
    return Chosen(tuple(found)) if alike else Chosen((found[0],), len(found) - 1)


def shape(page: Page) -> tuple[int, int]:
    """Return the channels and the depth of what `decode` makes of a page."""
    deep = page.sample_format == FLOATING or page.bits > 8
    if page.photometric == Photometric.PALETTE:
        return 3, 8
    gray = page.photometric in GRAY
    return (1 if gray else 3) + page.samples - page.colours, 16 if deep else 8


def decode(path: Path, descriptor: int, found: tuple[Page, ...]) -> Decoded:
    """Decode pages of one kind, one above the other and not yet upright. Raises InputError."""
    first = found[0]
    try:
        warned = (rounding_warning(path),) if first.sample_format == FLOATING else ()
        pixels = [_colours(path, page, samples_of(path, descriptor, page)) for page in found]
        return Decoded(
            pixels[0] if len(pixels) == 1 else np.concatenate(pixels),
            icc=None if first.photometric in LAB else first.block(ICC),
            xmp=first.block(XMP),
            resolution=_resolution(first),
            ink=first.photometric == Photometric.CMYK,
            warnings=warned,
        )
    except ValueError as error:
        raise damaged(path) from error


def _colours(path: Path, page: Page, samples: Samples) -> Pixels:
    """Return samples as pixels of `Decoded`, divided by an associated opacity."""
    meaning = page.photometric
    if meaning == Photometric.YCBCR:
        return _rgb_of_ycbcr(page, samples)
    if meaning == Photometric.PALETTE:
        return _by_palette(page, samples)
    if meaning in LAB:
        return _rgb_of_lab(page, samples)
    if page.sample_format == FLOATING:
        pixels = from_float(path, samples)
    else:
        pixels = widen(samples, 2**page.bits - 1)
    top = np.iinfo(pixels.dtype).max
    if meaning == Photometric.WHITE_IS_ZERO:
        pixels[..., :1] = top - pixels[..., :1]
    if page.samples > page.colours and page.extra == ASSOCIATED:
        return divided_by_opacity(pixels)
    return pixels


def _rgb_of_ycbcr(page: Page, samples: Samples) -> Pixels:
    """Return RGB by the inverse of TIFF 6.0, section 21, with libtiff's default references.

    Raises ValueError for references or coefficients by which there is no inverse.
    """
    red, green, blue = page.fractions(YCBCR_COEFFICIENTS) or (0.299, 0.587, 0.114)
    references = page.fractions(REFERENCES) or (0, 255, 128, 255, 128, 255)
    black, white = np.array(references[::2]), np.array(references[1::2])
    if not green or (black == white).any():
        raise ValueError("YCbCr whose samples all mean the same")
    spans = np.array([255, 127, 127]) / (white - black)
    luma, cb, cr = np.moveaxis((samples - black) * spans, -1, 0)
    r, b = luma + cr * (2 - 2 * red), luma + cb * (2 - 2 * blue)
    g = (luma - red * r - blue * b) / green
    whole: Pixels = np.rint(np.stack([r, g, b], axis=-1).clip(0, 255)).astype(np.uint8)
    return whole


def _by_palette(page: Page, samples: Samples) -> Pixels:
    """Look colours up in the palette, whose 16-bit numbers some old programs fill with 8 bits."""
    table = np.array(page.numbers(PALETTE)).reshape(3, 2**page.bits).T
    eight = table >> 8 if table.max() > 255 else table
    found: Pixels = eight.astype(np.uint8)[samples[..., 0]]
    return found


def _rgb_of_lab(page: Page, samples: Samples) -> Pixels:
    """Convert Lab relative to D50 (TIFF 6.0, section 23; ICC.1, annex A) to sRGB."""
    unit = 2 ** (page.bits - 8)
    if page.photometric == Photometric.ICC_LAB:
        lightness, ab = samples[..., :1] / (255 * unit), samples[..., 1:] / unit - 128
    else:
        signed = samples.astype(f"i{page.bits // 8}")
        lightness, ab = samples[..., :1] / (2**page.bits - 1), signed[..., 1:] / unit
    lab = np.concatenate([lightness * 100, ab], axis=-1).astype(np.float32)
    image = pyvips.Image.new_from_array(lab, interpretation="lab")
    found: Pixels = image.icc_export(output_profile="srgb", depth=page.bits, pcs="lab").numpy()
    return found


def _resolution(page: Page) -> tuple[float, float] | None:
    """Return pixels per millimetre, across and down; None if the file gives none."""
    found = (*page.fractions(ACROSS), *page.fractions(DOWN))
    unit = MILLIMETRES.get(page.number(UNIT, 2))
    if len(found) != 2 or unit is None or min(found) <= 0:
        return None
    return found[0] / unit, found[1] / unit
