"""What the code points of ITU-T H.273 mean: primaries, and curves from a sample to light."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from upscale.pixels.image import HLG, PQ

__all__ = [
    "BT709",
    "CURVES",
    "D65",
    "KNOWN_PRIMARIES",
    "LIKE_SRGB",
    "PRIMARIES",
    "SAMPLED",
    "SRGB_CURVE",
    "formula",
    "narrowed",
]

Floats = npt.NDArray[np.float64]

D65, C, DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
BT709 = (*D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
BT601 = (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)
P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
PRIMARIES: dict[int, tuple[float, ...]] = {
    1: BT709,
    4: (*C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: BT601,
    7: BT601,
    8: (*C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (*DCI, *P3),
    12: (*D65, *P3),
    22: (*D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
"""x and y of white, red, green and blue (ITU-T H.273, table 2)."""

KNOWN_PRIMARIES = PRIMARIES.keys() | {0, 2}
"""These, and the two that leave the primaries open, which are taken for sRGB's."""

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
CURVES: dict[int, tuple[float, ...]] = {
    4: (2.2,),
    5: (2.8,),
    7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 4 * 0.0228),
    8: (1.0,),
    17: (2.6, (52.37 / 48) ** (1 / 2.6), 0.0, 0.0, 0.0),
}
"""Curves from a sample v to light (H.273, table 3): g alone means v^g; g, a, b, c, d mean
(a·v + b)^g from d on and c·v below."""

LIKE_SRGB = {0, 1, 2, 6, 11, 12, 13, 14, 15}
"""What is shown by sRGB's curve: itself, the curves of television, as all players and browsers show
them, and those that leave it open."""

PAPER = 203.0
"""cd/m² of HDR's reference white (ITU-R BT.2408), at which white lies without HDR."""

HLG_PEAK, HLG_GAMMA = 1000.0, 1.2
"""Peak in cd/m² and system gamma of the display that HLG is graded on (ITU-R BT.2100, table 5)."""


def formula(numbers: tuple[float, ...]) -> Callable[[Floats], Floats]:
    """Return the curve, (N,) → (N,), whose numbers stand in `CURVES`."""
    g, a, b, c, d = numbers if len(numbers) == 5 else (numbers[0], 1.0, 0.0, 0.0, 0.0)
    return lambda v: np.where(v >= d, np.maximum(a * v + b, 0) ** g, c * v)


def narrowed(curve: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    """Return ``curve`` for samples of narrow range, 16 to 235 of 255."""
    return lambda v: curve(np.clip((v * 255 - 16) / 219, 0, 1))


def _log(decades: float) -> Callable[[Floats], Floats]:
    return lambda v: np.where(v > 0, 10 ** (decades * (v - 1)), 0)


def _pq(v: Floats) -> Floats:
    """Return light of PQ, 1 = `PAPER` (SMPTE ST 2084; ITU-R BT.2100, table 4)."""
    m1, m2, c1, c2, c3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
    root = v ** (1 / m2)
    light: Floats = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * (10_000 / PAPER)
    return light


def _hlg(v: Floats) -> Floats:
    """Return light of HLG, 1 = `PAPER` (BT.2100, table 5), with the gamma on each channel."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(v <= 0.5, v * v / 3, (np.exp((v - c) / a) + b) / 12)
    light: Floats = scene**HLG_GAMMA * (HLG_PEAK / PAPER)
    return light


SAMPLED = {9: _log(2.0), 10: _log(2.5), PQ: _pq, HLG: _hlg}
"""Curves that no formula of a profile can express."""
