"""Bytes made by hand: what no library writes, or writes only its own way.

PNG of every depth and kind, animated ones, colour profiles, EXIF and IPTC, each straight from its
specification.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Fields",
    "Frame",
    "apng",
    "chunk",
    "cmyk_profile",
    "exif_block",
    "gray_profile",
    "iptc_segment",
    "png",
    "rgb_profile",
]

Samples = npt.NDArray[Any]

ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""First column and row, and steps, of each pass (ISO/IEC 15948, 8.2)."""

GRAY, RGB, PALETTE, GRAY_OPACITY, RGB_OPACITY = 0, 2, 3, 4, 6
COLOUR = {1: GRAY, 2: GRAY_OPACITY, 3: RGB, 4: RGB_OPACITY}


# PNG (ISO/IEC 15948) and APNG


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _rows(samples: Samples, depth: int) -> Iterable[bytes]:
    """Each row of (H, W, C) as bytes, packed from the highest bit where ``depth`` is below 8."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in samples]
    if depth == 8:
        return [row.astype(np.uint8).tobytes() for row in samples]
    bits = samples[..., None] >> np.arange(depth - 1, -1, -1) & 1
    return [np.packbits(row.astype(np.uint8)).tobytes() for row in bits]


def _scanlines(samples: Samples, depth: int, interlaced: bool = False) -> bytes:
    """Compress rows, unfiltered."""
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [samples[top::down, left::right] for left, top, right, down in passes]
    rows = [row for part in parts if part.size for row in _rows(part, depth)]
    return zlib.compress(b"".join(b"\0" + row for row in rows))


def _header(samples: Samples, depth: int, colour: int | None, interlaced: bool = False) -> bytes:
    height, width, channels = samples.shape
    colour = COLOUR[channels] if colour is None else colour
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def png(
    samples: Samples,
    depth: int,
    colour: int | None = None,
    chunks: bytes = b"",
    interlaced: bool = False,
) -> bytes:
    """A PNG of (H, W, C) integers below 2 ** ``depth``, with ``chunks`` before the pixels."""
    header = _header(samples, depth, colour, interlaced)
    data = chunk(b"IDAT", _scanlines(samples, depth, interlaced))
    return b"\x89PNG\r\n\x1a\n" + header + chunks + data + chunk(b"IEND", b"")


@dataclass(frozen=True)
class Frame:
    """A part of an animation: ``samples`` (h, w, C), uint8, at ``left`` and ``top``.

    ``dispose``: afterwards 0 leave, 1 clear, 2 restore; ``blend``: 0 replace, 1 draw over.
    """

    samples: Samples
    delay: tuple[int, int]
    left: int = 0
    top: int = 0
    dispose: int = 0
    blend: int = 0


def apng(frames: Sequence[Frame], plays: int, hidden: Samples | None = None) -> bytes:
    """An animated PNG; ``hidden``: a picture for readers that know no animation, not a frame."""
    sequence = iter(range(2**31))
    first = frames[0].samples if hidden is None else hidden
    parts = [b"\x89PNG\r\n\x1a\n", _header(first, 8, None)]
    parts.append(chunk(b"acTL", struct.pack(">II", len(frames), plays)))
    if hidden is not None:
        parts.append(chunk(b"IDAT", _scanlines(hidden, 8)))
    for index, frame in enumerate(frames):
        height, width, _ = frame.samples.shape
        control = (next(sequence), width, height, frame.left, frame.top, *frame.delay)
        fields = struct.pack(">IIIIIHHBB", *control, frame.dispose, frame.blend)
        parts.append(chunk(b"fcTL", fields))
        data = _scanlines(frame.samples, 8)
        if index == 0 and hidden is None:
            parts.append(chunk(b"IDAT", data))
        else:
            parts.append(chunk(b"fdAT", struct.pack(">I", next(sequence)) + data))
    return b"".join((*parts, chunk(b"IEND", b"")))


# Colour profiles (ICC.1:2001-04, version 2.4)


def _fixed(*values: float) -> bytes:
    """Numbers as s15Fixed16."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(x, y, z)


def _curve(gamma: float, entries: int) -> bytes:
    """A tone curve: one number, or a table of as many ``entries``."""
    if entries == 1:
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    table = np.round(np.linspace(0, 1, entries) ** gamma * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", entries) + table.tobytes()


def _profile(kind: bytes, space: bytes, pcs: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    name = b"made for a test\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78)
    tags = {
        b"desc": described,
        b"cprt": b"text\0\0\0\0" + b"public domain\0",
        b"wtpt": _xyz(0.9642, 1, 0.8249),
        **tags,
    }
    offset = 128 + 4 + 12 * len(tags)
    table, body, places = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    for tag, data in tags.items():
        if data not in places:
            places[data] = offset + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", tag, places[data], len(data))
    header = struct.pack(">I4sI4s4s4s", offset + len(body), b"\0" * 4, 0x02400000, kind, space, pcs)
    header += struct.pack(">6H4s", 2020, 1, 2, 3, 4, 5, b"acsp") + bytes(28)
    header += _fixed(0.9642, 1, 0.8249)
    return header.ljust(128, b"\0") + table + body


def rgb_profile(entries: int = 1) -> bytes:
    """A display as wide as Display P3 (its primaries, adapted to D50), gamma 2.2."""
    curve = _curve(2.2, entries)
    primaries = {
        b"rXYZ": _xyz(0.51512, 0.24120, -0.00105),
        b"gXYZ": _xyz(0.29198, 0.69225, 0.04189),
        b"bXYZ": _xyz(0.15710, 0.06657, 0.78407),
    }
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _profile(b"mntr", b"RGB ", b"XYZ ", primaries | curves)


def gray_profile() -> bytes:
    """Gray of gamma 1.8."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve(1.8, 1)})


def cmyk_profile() -> bytes:
    """Four pale inks, each with what it takes from the paper's CIELAB values; linear in between."""
    inks = np.array([[-24, -22, -30], [-28, 44, -2], [-4, -3, 56], [-47, 0, 0]])
    corners = np.array(np.meshgrid(*4 * [[0, 1]], indexing="ij")).reshape(4, -1).T
    lab = ([95, 0, 0] + corners @ inks).clip([5, -100, -100], [95, 100, 100])
    grid = np.round(lab * [2.55, 1, 1] + [0, 128, 128]).astype(np.uint8)
    straight = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += 4 * straight + grid.tobytes() + 3 * straight
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


# EXIF (Exif 2.32, 4.6: a TIFF structure) and IPTC

Value = bytes | int | Sequence[int]
Fields = dict[int, tuple[int, Value]]
"""Tag: (kind, value)."""

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7
LETTER = {SHORT: "H", LONG: "I", RATIONAL: "I"}


def _directory(order: str, at: int, fields: Fields, following: int = 0) -> bytes:
    """A directory that lies at ``at``, its longer values behind it."""
    behind = at + 2 + 12 * len(fields) + 4
    entries, values = b"", b""
    for tag, (kind, value) in sorted(fields.items()):
        if isinstance(value, bytes):
            count, data = len(value), value
        else:
            numbers = [value] if isinstance(value, int) else value
            count = len(numbers) // (2 if kind == RATIONAL else 1)
            data = struct.pack(f"{order}{len(numbers)}{LETTER[kind]}", *numbers)
        entries += struct.pack(f"{order}HHI", tag, kind, count)
        if len(data) <= 4:
            entries += data.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}I", behind + len(values))
            values += data + bytes(len(data) % 2)
    number, next_at = struct.pack(f"{order}H", len(fields)), struct.pack(f"{order}I", following)
    return number + entries + next_at + values


def exif_block(
    directories: Sequence[Fields],
    thumbnail: bytes = b"",
    order: str = "<",
) -> bytes:
    """``Exif\\0\\0`` and the directories: first, Exif, GPS; a JPEG ``thumbnail`` last."""
    first, exif, gps = directories
    pointers = {0x8769: (LONG, 0), 0x8825: (LONG, 0)}
    exif_at = 8 + len(_directory(order, 8, {**first, **pointers}))
    gps_at = exif_at + len(_directory(order, exif_at, exif))
    second_at = gps_at + len(_directory(order, gps_at, gps))
    first = {**first, 0x8769: (LONG, exif_at), 0x8825: (LONG, gps_at)}
    blocks = [
        (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8),
        _directory(order, 8, first, second_at if thumbnail else 0),
        _directory(order, exif_at, exif),
        _directory(order, gps_at, gps),
    ]
    if thumbnail:
        fields: dict[int, tuple[int, Value]] = {0x103: (SHORT, 6), 0x202: (LONG, len(thumbnail))}
        size = len(_directory(order, second_at, {**fields, 0x201: (LONG, 0)}))
        fields[0x201] = (LONG, second_at + size)
        blocks += [_directory(order, second_at, fields), thumbnail]
    return b"Exif\0\0" + b"".join(blocks)


def iptc_segment(caption: bytes) -> bytes:
    """An APP13 segment of a JPEG: Photoshop's block 0x0404 with an IPTC caption (2:120)."""
    record = b"\x1c\x02\x78" + struct.pack(">H", len(caption)) + caption
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + bytes(len(record) % 2)
    data = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + struct.pack(">H", len(data) + 2) + data
