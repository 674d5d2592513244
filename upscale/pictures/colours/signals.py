"""Colours that a file states otherwise than by a profile → an ICC profile that means the same."""

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
"""Chromaticities that differ by less are the same, but rounded."""

LEAST_AREA = 1e-4
"""Twice the least area of a triangle of three chromaticities."""

SRGB_GAMMA = (0.450, 0.460)
"""Values of gAMA that stand for sRGB's curve, which is not a power; PNG asks for 0.45455."""


@dataclass(frozen=True)
class Signals:
    """What a container says of its colours otherwise than by a profile."""

    code_points: CodePoints | None = None
    """By H.273; they count before the others."""
    chromaticities: tuple[float, ...] | None = None
    """x and y of white, red, green and blue."""
    gamma: float | None = None
    """The power by which light became samples, as PNG's gAMA states it."""

    def profile(self, gray: bool) -> bytes | None:
        """Return a profile that means the same; None: sRGB. ``gray``: for one channel."""
        if self.code_points is not None:
            return of_code_points(self.code_points, gray)
        return of_chromaticities(self.chromaticities, self.gamma, gray)

    def beyond_srgb(self, gray: bool) -> CodePoints | None:
        """Return the code points that an output has to carry; None if they mean sRGB.

        None also for numbers that only AVIF and HEIC can hold: no such code points are assigned.
        """
        points = self.code_points
        return points if points and _fits(points) and self.profile(gray) else None


def doubts(path: Path, said: Signals) -> tuple[str, ...]:
    """Return what the user should know of the colours that are ``said``, a sentence each."""
    points = said.code_points
    curves = CURVES.keys() | LIKE_SRGB | SAMPLED.keys()
    if points is None or (points.primaries in KNOWN_PRIMARIES and points.transfer in curves):
        return ()
    numbers = f"{points.primaries}/{points.transfer}"
    return (
        f"{path}: states its colours by unknown numbers ({numbers}, ITU-T H.273); sRGB's are used "
        "in place of those",
    )


def loses_hdr(path: Path, points: CodePoints | None) -> tuple[str, ...]:
    """Return a sentence on what an HDR picture loses by a conversion to sRGB; none otherwise."""
    if points is None or not points.hdr:
        return ()
    return (f"{path}: is HDR ({points.hdr}); what is brighter than white paper becomes white",)


def of_code_points(points: CodePoints, gray: bool) -> bytes | None:
    """Return the profile of samples that ``points`` describe; None if they are sRGB.

    ``gray``: for one channel. Unknown code points are taken for sRGB's. HDR is shown up to the
    white of paper, and what is brighter is white. The profile also holds the code points, for
    programs that show HDR.
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
    exact = (
        bytes([points.primaries, points.transfer, 0, points.full_range]) if _fits(points) else None
    )
    return icc.profile(name, colours, curve, gray, exact)


def _fits(points: CodePoints) -> bool:
    """Say whether a byte holds each number, as in PNG and in profiles."""
    return max(points.primaries, points.transfer) < 256


def of_chromaticities(
    colours: Sequence[float] | None, gamma: float | None, gray: bool
) -> bytes | None:
    """Return the profile of PNG's cHRM and gAMA; None if they mean sRGB or are impossible.

    ``colours``: x and y of white, red, green and blue; None: sRGB's. ``gamma``: as in `Signals`;
    None: sRGB's curve. ``gray``: for one channel.
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
"""What Adobe RGB is (Adobe RGB (1998), 4.3.1)."""


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
