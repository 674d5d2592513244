"""Pictures that say their colours in other ways than by a profile, and what is seen in them."""

import io
import struct

import numpy as np
from handmade import chunk
from PIL import Image as Pillow
from PIL import ImageCms

from upscale.pictures.colours.signals import of_code_points
from upscale.pixels.image import CodePoints

BT709 = ((0.3127, 0.3290), (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
P3 = ((0.3127, 0.3290), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT2020 = ((0.3127, 0.3290), (0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
"""White, red, green and blue."""

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
ABSOLUTE = ImageCms.Intent.RELATIVE_COLORIMETRIC

ROWS, COLUMNS = np.mgrid[0:48, 0:64]
PICTURE = np.stack([70 + COLUMNS, 90 + ROWS, 150 - ROWS // 2], -1).astype(np.uint8)
"""Muted colours, which are in every gamut, in a slope that lossy formats keep."""


def png(*more: bytes, pixels: np.ndarray = PICTURE) -> bytes:
    """A PNG with further chunks behind its header."""
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "PNG")
    plain = buffer.getvalue()
    return plain[:33] + b"".join(more) + plain[33:]


def cicp(primaries: int, transfer: int, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, 0, full]))


def gama(gamma: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(colours: tuple[tuple[float, float], ...]) -> bytes:
    numbers = [round(each * 100_000) for point in colours for each in point]
    return chunk(b"cHRM", struct.pack(">8I", *numbers))


def avif(primaries: int, transfer: int, pixels: np.ndarray = PICTURE) -> bytes:
    """An AVIF with an ``nclx``: libavif writes that of sRGB, which is changed."""
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "AVIF", quality=100, subsampling="4:4:4")
    plain = buffer.getvalue()
    assert plain.count(b"colrnclx") == 1
    at = plain.index(b"colrnclx") + 8
    return plain[:at] + struct.pack(">HH", primaries, transfer) + plain[at + 4 :]


def nclx(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer that an AVIF names."""
    at = data.find(b"colrnclx")
    return None if at < 0 else struct.unpack(">HH", data[at + 8 : at + 12])


def light_of(transfer: int, samples: np.ndarray) -> np.ndarray:
    """Samples from 0 to 1 as light, 1 = the white of paper, by the formulas of H.273."""
    v = samples.astype(float)
    if transfer == 13:
        return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    if transfer == 8:
        return v
    if transfer == 4:
        return v**2.2
    assert transfer == 16
    p = v ** (1 / 78.84375)
    candela = 10_000 * (np.maximum(p - 0.8359375, 0) / (18.8515625 - 18.6875 * p)) ** (
        1 / 0.1593017578125
    )
    return np.minimum(candela / 203, 1)


def to_xyz(colours: tuple[tuple[float, float], ...]) -> np.ndarray:
    """The matrix of RGB → XYZ (SMPTE RP 177)."""
    white, *primaries = [np.array([x / y, 1, (1 - x - y) / y]) for x, y in colours]
    columns = np.stack(primaries, axis=1)
    return columns * np.linalg.solve(columns, white)


def in_srgb(
    pixels: np.ndarray, colours: tuple[tuple[float, float], ...], transfer: int
) -> np.ndarray:
    """What is seen, in sRGB of 8 bits, not rounded; all whites here are D65."""
    light = light_of(transfer, pixels / np.iinfo(pixels.dtype).max)
    turned = np.linalg.solve(to_xyz(BT709), to_xyz(colours))
    linear = np.clip(light @ turned.T, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def shown(pixels: np.ndarray, profile: bytes | None) -> np.ndarray:
    """What LittleCMS shows of RGB in a profile, in sRGB; without one they are sRGB."""
    if profile is None:
        return pixels
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    picture = Pillow.fromarray(pixels)
    return np.array(ImageCms.profileToProfile(picture, source, SRGB, renderingIntent=ABSOLUTE))


PUBLISHED = {
    1: (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060),
    4: (0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (0.3127, 0.3290, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
"""ITU-T H.273, table 2."""


def made(primaries: int, transfer: int, full: bool = True) -> bytes:
    found = of_code_points(CodePoints(primaries, transfer, full), False)
    assert found is not None
    return found
