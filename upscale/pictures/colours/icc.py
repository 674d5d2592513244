"""An ICC display profile of three primaries and a curve, laid out as bytes.

Pillow's ImageCms and libvips convert by profiles, but make none of given primaries, and only far
larger packages offer LittleCMS' own function for it. Such a profile is small: a head, a table and a
few numbers (ICC.1:2022, sections 7 to 10).
"""

import struct
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from upscale.pictures.colours.numbers import BT709

__all__ = ["gray_as_rgb", "parametric", "profile", "table"]

Floats = npt.NDArray[np.float64]

ENTRIES = 4096
"""Samples of a curve that is written as a table."""

D50 = (0.9642, 1.0, 0.8249)
"""X, Y and Z of the white of profiles."""

BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
"""The matrix from X, Y and Z to the responses of the eye's cones (ICC.1:2022, annex E)."""


def parametric(numbers: tuple[float, ...]) -> bytes:
    """Return a profile's curve by a formula, whose ``numbers`` are those of `numbers.CURVES`."""
    kind = 3 if len(numbers) == 5 else 0
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(_fixed, numbers))


def table(curve: Callable[[Floats], Floats]) -> bytes:
    """Return a profile's curve by its samples; light above 1 becomes 1.

    ``curve``: from samples in [0, 1] to light, (N,) each.
    """
    light = np.clip(curve(np.linspace(0, 1, ENTRIES)), 0, 1)
    samples = np.rint(light * 65535).astype(">u2").tobytes()
    return b"curv\0\0\0\0" + struct.pack(">I", ENTRIES) + samples


def profile(
    name: str, colours: Sequence[float], curve: bytes, gray: bool, exact: bytes | None = None
) -> bytes:
    """Return a display profile; the same arguments give the same bytes.

    ``colours``: x and y of white, red, green and blue; ``curve``: from `parametric` or `table`;
    ``gray``: for one channel, so that only white counts; ``exact``: the contents of a ``cicp`` tag.
    """
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


def gray_as_rgb(icc: bytes) -> bytes | None:
    """Return an RGB profile with the curve of a gray one; None if ``icc`` has no such curve.

    LittleCMS converts gray on a coarse grid, up to 9 levels off the curve. Equal R, G and B it
    converts by the curve itself.
    """
    if len(icc) < 132 or icc[16:24] != b"GRAYXYZ ":
        return None
    (count,) = struct.unpack_from(">I", icc, 128)
    for at in range(132, min(132 + 12 * count, len(icc) - 11), 12):
        if icc[at : at + 4] == b"kTRC":
            offset, size = struct.unpack_from(">II", icc, at + 4)
            curve = icc[offset : offset + size]
            if len(curve) == size and curve[:4] in (b"curv", b"para"):
                return profile("gray", BT709, curve, False)
    return None
