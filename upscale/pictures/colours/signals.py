"""Colours that a file says otherwise than by a profile → an ICC profile that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from upscale.pictures.colours import icc
from upscale.pictures.colours.numbers import (
    BT709,
    CURVES,
    D65,
    KNOWN_PRIMARIES,
    LIKE_SRGB,
    PRIMARIES,
    SAMPLED,
    SRGB_CURVE,
    formula,
    narrowed,
)
from upscale.pixels.image import CodePoints

__all__ = ["ADOBE_RGB", "Signals", "doubts", "loses_hdr", "of_chromaticities", "of_code_points"]

NEAR = 0.002
"""Chromaticities that differ by less were rounded."""

LEAST_AREA = 1e-4
"""Of a triangle that three chromaticities span, twice."""

SRGB_GAMMA = (0.450, 0.460)
"""What gAMA says of sRGB's curve, which no power is; PNG wants 0.45455 there."""


@dataclass(frozen=True)
class Signals:
    """What a container says of its colours otherwise than by a profile."""

    code_points: CodePoints | None = None
    chromaticities: tuple[float, ...] | None = None
    """x and y of white, red, green and blue."""
    gamma: float | None = None
    """The power that made samples of light, as PNG's gAMA gives it."""

    def profile(self, gray: bool) -> bytes | None:
        """Return a profile that says the same; None: sRGB."""
        if self.code_points is not None:
            return of_code_points(self.code_points, gray)
        return of_chromaticities(self.chromaticities, self.gamma, gray)

    def beyond_srgb(self, gray: bool) -> CodePoints | None:
        """Return the numbers that an output has to carry; None where it is sRGB without them."""
        return self.code_points if self.profile(gray) else None


def doubts(path: Path, said: Signals) -> tuple[str, ...]:
    """Return what a person has to know of the colours that are ``said``, a sentence each."""
    points = said.code_points
    curves = CURVES.keys() | LIKE_SRGB | SAMPLED.keys()
    if points is None or (points.primaries in KNOWN_PRIMARIES and points.transfer in curves):
        return ()
    numbers = f"{points.primaries}/{points.transfer}"
    return (f"{path}: names its colours by numbers of no known meaning ({numbers}, H.273)",)


def loses_hdr(path: Path, points: CodePoints | None) -> tuple[str, ...]:
    """Return what is lost of a picture's HDR when it is converted to sRGB, in a sentence."""
    if points is None or not points.hdr:
        return ()
    return (f"{path}: is HDR ({points.hdr}); what is brighter than white paper becomes white",)


def of_code_points(points: CodePoints, gray: bool) -> bytes | None:
    """Return the profile of samples that ``points`` describe; None where they are sRGB.

    Unknown numbers count as sRGB's. HDR is shown as far as the white of paper; what is brighter is
    white. The profile names the numbers as well, for who shows HDR.
    """
    colours = PRIMARIES.get(points.primaries, BT709)
    numbers = CURVES.get(points.transfer, SRGB_CURVE)
    sampled = SAMPLED.get(points.transfer)
    if not points.full_range:
        sampled = narrowed(sampled or formula(numbers))
    curve = icc.table(sampled) if sampled else icc.parametric(numbers)
    if curve == icc.parametric(SRGB_CURVE) and (gray or colours == BT709):
        return None
    name = f"H.273 {points.primaries}/{points.transfer}"
    exact = bytes([points.primaries, points.transfer, 0, points.full_range])
    return icc.profile(name, colours, curve, gray, exact)


def of_chromaticities(
    colours: Sequence[float] | None, gamma: float | None, gray: bool
) -> bytes | None:
    """Return the profile of PNG's cHRM and gAMA; None where they say sRGB or nothing that can be.

    ``colours``: x and y of white, red, green and blue; None: sRGB's. ``gamma``: None: its curve.
    """
    if colours is not None and not _possible(colours):
        colours = None
    plain = colours is None or bool(np.allclose(colours, BT709, rtol=0, atol=NEAR))
    if gamma is None or not 0.1 <= gamma <= 10:
        gamma = None
    if gray or plain:
        if gamma is None or SRGB_GAMMA[0] <= gamma <= SRGB_GAMMA[1]:
            return None
        colours = BT709
    numbers = SRGB_CURVE if gamma is None else (1 / gamma,)
    name = "sRGB curve" if gamma is None else f"gamma {1 / gamma:.3g}"
    return icc.profile(f"{name}, given primaries", colours or BT709, icc.parametric(numbers), gray)


ADOBE_RGB = Signals(None, (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 256 / 563)
"""Adobe RGB (1998), 4.3.1."""


def _possible(colours: Sequence[float]) -> bool:
    """Say whether white lies inside the triangle of three different primaries."""
    if not (min(colours) >= 0 and max(colours) <= 1 and colours[1] > 0):
        return False
    x, y = np.array(colours).reshape(4, 2).T
    sides = [
        (x[b] - x[a]) * (y[0] - y[a]) - (y[b] - y[a]) * (x[0] - x[a])
        for a, b in ((1, 2), (2, 3), (3, 1))
    ]
    return bool(min(sides) > LEAST_AREA or max(sides) < -LEAST_AREA)
