"""Colours that a file says by numbers → an ICC profile that says the same.

Pillow's ImageCms and libvips convert by profiles but make none of given primaries, and LittleCMS'
own function for it is bound by packages of far greater size only. A profile of three primaries and
a curve is small: a head, a table and a few numbers (ICC.1:2022, sections 7 to 10).
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from upscale.pixels.image import HLG, PQ, CodePoints

__all__ = [
    "ADOBE_RGB",
    "Signals",
    "doubts",
    "gray_as_rgb",
    "loses_hdr",
    "of_chromaticities",
    "of_code_points",
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
"""With those that leave them open, and mean sRGB's here."""

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
CURVES: dict[int, tuple[float, ...]] = {
    4: (2.2,),
    5: (2.8,),
    7: (1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 4 * 0.0228),
    8: (1.0,),
    17: (2.6, (52.37 / 48) ** (1 / 2.6), 0.0, 0.0, 0.0),
}
"""Sample → light (H.273, table 3): g alone, v^g; or g, a, b, c, d: (a·v + b)^g, below d c·v."""

LIKE_SRGB = {0, 1, 2, 6, 11, 12, 13, 14, 15}
"""sRGB's curve, and those of television, which all players and browsers show by it."""

PAPER = 203.0
"""cd/m² of HDR's reference white (ITU-R BT.2408), which is where white lies without HDR."""

HLG_PEAK, HLG_GAMMA = 1000.0, 1.2
"""Of the display that HLG is graded on (ITU-R BT.2100, table 5)."""

ENTRIES = 4096
"""Of a curve that is written as a table."""

NEAR = 0.002
"""Chromaticities that differ by less were rounded."""

LEAST_AREA = 1e-4
"""Of a triangle that three chromaticities span, twice."""

SRGB_GAMMA = (0.450, 0.460)
"""What gAMA says of sRGB's curve, which no power is; PNG wants 0.45455 there."""

D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
"""To the responses of the eye's cones (ICC.1:2022, annex E)."""


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
        sampled = _narrowed(sampled or _formula(numbers))
    curve = _table(sampled) if sampled else _parametric(numbers)
    if curve == _parametric(SRGB_CURVE) and (gray or colours == BT709):
        return None
    name = f"H.273 {points.primaries}/{points.transfer}"
    exact = bytes([points.primaries, points.transfer, 0, points.full_range])
    return _profile(name, colours, curve, gray, exact)


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
    return _profile(f"{name}, given primaries", colours or BT709, _parametric(numbers), gray)


ADOBE_RGB = Signals(None, (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 256 / 563)
"""Adobe RGB (1998), 4.3.1."""


def gray_as_rgb(icc: bytes) -> bytes | None:
    """Return an RGB profile with the curve of a gray one; None where that is no curve of light.

    LittleCMS converts gray on a coarse grid, up to 9 levels beside the curve; equal RGB it converts
    by the curve itself.
    """
    if len(icc) < 132 or icc[16:24] != b"GRAYXYZ ":
        return None
    (count,) = struct.unpack_from(">I", icc, 128)
    for at in range(132, min(132 + 12 * count, len(icc) - 11), 12):
        if icc[at : at + 4] == b"kTRC":
            offset, size = struct.unpack_from(">II", icc, at + 4)
            curve = icc[offset : offset + size]
            if len(curve) == size and curve[:4] in (b"curv", b"para"):
                return _profile("gray", BT709, curve, False)
    return None


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


def _formula(numbers: tuple[float, ...]) -> Callable[[Floats], Floats]:
    g, a, b, c, d = numbers if len(numbers) == 5 else (numbers[0], 1.0, 0.0, 0.0, 0.0)
    return lambda v: np.where(v >= d, np.maximum(a * v + b, 0) ** g, c * v)


def _narrowed(curve: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda v: curve(np.clip((v * 255 - 16) / 219, 0, 1))


def _log(decades: float) -> Callable[[Floats], Floats]:
    return lambda v: np.where(v > 0, 10 ** (decades * (v - 1)), 0)


def _pq(v: Floats) -> Floats:
    """Return light, 1 = `PAPER`, of SMPTE ST 2084 (ITU-R BT.2100, table 4)."""
    m1, m2, c1, c2, c3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
    root = v ** (1 / m2)
    light: Floats = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * (10_000 / PAPER)
    return light


def _hlg(v: Floats) -> Floats:
    """Return light, 1 = `PAPER`, of HLG (BT.2100, table 5); the gamma taken of each colour."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(v <= 0.5, v * v / 3, (np.exp((v - c) / a) + b) / 12)
    light: Floats = scene**HLG_GAMMA * (HLG_PEAK / PAPER)
    return light


SAMPLED = {9: _log(2.0), 10: _log(2.5), PQ: _pq, HLG: _hlg}
"""Curves that no formula of a profile expresses."""


def _parametric(numbers: tuple[float, ...]) -> bytes:
    kind = 3 if len(numbers) == 5 else 0
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(_fixed, numbers))


def _table(curve: Callable[[Floats], Floats]) -> bytes:
    light = np.clip(curve(np.linspace(0, 1, ENTRIES)), 0, 1)
    samples = np.rint(light * 65535).astype(">u2").tobytes()
    return b"curv\0\0\0\0" + struct.pack(">I", ENTRIES) + samples


def _profile(
    name: str, colours: Sequence[float], curve: bytes, gray: bool, exact: bytes | None = None
) -> bytes:
    """Lay out a display profile; the same input gives the same bytes."""
    white = _xyz(*colours[:2]) / colours[1]
    adapted = np.diag((BRADFORD @ D50) / (BRADFORD @ white))
    adaptation = np.linalg.inv(BRADFORD) @ adapted @ BRADFORD
    tags = {
        b"desc": _text(name),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": _numbers(b"XYZ ", D50),
        b"chad": _numbers(b"sf32", adaptation.ravel()),
    }
    if gray:
        tags[b"kTRC"] = curve
    else:
        primaries = np.stack([_xyz(*colours[at : at + 2]) for at in (2, 4, 6)], axis=1)
        light = primaries * np.linalg.solve(primaries, white)
        for letter, column in zip((b"r", b"g", b"b"), (adaptation @ light).T, strict=True):
            tags[letter + b"XYZ"] = _numbers(b"XYZ ", column)
            tags[letter + b"TRC"] = curve
    if exact:
        tags[b"cicp"] = b"cicp\0\0\0\0" + exact
    start = 128 + 4 + 12 * len(tags)
    table, body, places = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    for tag, data in tags.items():
        if data not in places:
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += tag + struct.pack(">II", places[data], len(data))
    head = struct.pack(
        ">I4xI4s4s4s6H4s24xI12s48x",
        start + len(body),
        0x04400000,
        b"mntr",
        b"GRAY" if gray else b"RGB ",
        b"XYZ ",
        *(2026, 1, 1, 0, 0, 0),
        b"acsp",
        0,
        b"".join(map(_fixed, D50)),
    )
    return head + table + body


def _xyz(x: float, y: float) -> Floats:
    return np.array([x, y, 1 - x - y])


def _fixed(number: float) -> bytes:
    return struct.pack(">i", round(number * 65536))


def _numbers(kind: bytes, numbers: Sequence[float] | Floats) -> bytes:
    return kind + bytes(4) + b"".join(_fixed(float(each)) for each in numbers)


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(data), 28) + data
