"""BMP of Windows and OS/2, read without a library, since each library loses something.

Pillow 13.0 leaves out 1-bit opacity and refuses 10 bits per channel. OpenCV 5.0 refuses 1-bit
opacity and reads OS/2 colours as gray. Neither scales 5:6:5 bits to the full range.
OpenImageIO 3.2 leaves out 1-bit opacity and reads 10 bits as 8. None reads 2 bits per pixel.

Layout: the headers BITMAPCOREHEADER to BITMAPV5HEADER of the Windows GDI reference, and
BITMAPINFOHEADER2 of OS/2.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from upscale.pictures.containers.damage import cut, damaged, no_image, unsupported
from upscale.pictures.decoders.base import (
    Decoded,
    Pixels,
    read_all,
    widen,
    without_empty_opacity,
)
from upscale.pictures.decoders.bmp_runs import run_lengths

__all__ = ["decode", "size"]

FILE_HEADER = 14
CORE, INFO, WITH_MASKS, WITH_OPACITY, V5 = 12, 40, 52, 56, 124
"""Sizes of the header behind the file header, in bytes."""

OF_WINDOWS = {INFO, WITH_MASKS, WITH_OPACITY, 108, V5}
SIZES = {CORE, *range(16, 42, 4), 42, 44, 46, 48, 60, 64} | OF_WINDOWS
"""All sizes that there are; the header of OS/2 may end behind any field from byte 16 to 64."""

RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
NAMES = {4: "a JPEG inside a BMP", 5: "a PNG inside a BMP"}
"""Compressions that are not read, by their number."""

DEFAULT_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}


@dataclass(frozen=True)
class _Header:
    """``masks``: the bits of red, green, blue and opacity in a pixel of 16 or 32 bits."""

    length: int
    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    colours: int
    pixels_at: int
    palette_at: int
    masks: tuple[int, ...]
    resolution: tuple[float, float] | None


def size(path: Path, descriptor: int) -> tuple[int, int]:
    """Return (width, height) from the header. Raises InputError."""
    header = _header(path, _with_file_header(read_all(descriptor, 256)))
    return header.width, header.height


def decode(path: Path, descriptor: int) -> Decoded:
    """Decode 1 to 32 bits per pixel, with or without run lengths. Raises InputError."""
    data = _with_file_header(read_all(descriptor))
    header = _header(path, data)
    pixels = _pixels(path, data, header)
    warnings: tuple[str, ...] = ()
    if header.bits == 32 and header.compression == RGB and _has_fourth_channel(data, header):
        warnings = (f"{path}: a BMP of this kind has no opacity; its fourth bytes are left out",)
    pixels, empty = without_empty_opacity(path, pixels)
    if not header.top_down:
        pixels = pixels[::-1]
    return Decoded(
        np.ascontiguousarray(pixels),
        icc=_profile(data, header),
        resolution=header.resolution,
        warnings=warnings + empty,
    )


def _with_file_header(data: bytes) -> bytes:
    """Put a file header before a picture without one, as on the clipboard of Windows (``.dib``)."""
    return data if data.startswith(b"BM") else b"BM" + bytes(FILE_HEADER - 2) + data


def _header(path: Path, data: bytes) -> _Header:
    if len(data) < FILE_HEADER + CORE:
        raise cut(path)
    pixels_at, length = struct.unpack_from("<II", data, 10)
    if length not in SIZES:
        raise damaged(path, f"has a header of {length} bytes, which a BMP cannot have")
    if len(data) < FILE_HEADER + length:
        raise cut(path)
    body = data[FILE_HEADER : FILE_HEADER + length].ljust(V5, b"\0")
    compression = across = down = colours = 0
    if length == CORE:
        width, height, _, bits = struct.unpack_from("<HHHH", body, 4)
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", body, 4)
        across, down, colours = struct.unpack_from("<iiI", body, 24)
    if width <= 0 or height == 0:
        raise no_image(path, "has no pixels")
    palette_at = FILE_HEADER + length
    if not pixels_at:  # behind masks and palette
        number = (colours or 2**bits) if bits <= 8 else colours
        extra = {BITFIELDS: 12, ALPHA_BITFIELDS: 16}.get(compression, 0) if length == INFO else 0
        pixels_at = palette_at + extra + number * (3 if length == CORE else 4)
    pixels_at = max(pixels_at, palette_at)
    masks = DEFAULT_MASKS.get(bits, ())
    if compression in (BITFIELDS, ALPHA_BITFIELDS) and bits in DEFAULT_MASKS:
        number = 4 if length >= WITH_OPACITY or compression == ALPHA_BITFIELDS else 3
        found = data[FILE_HEADER + INFO : FILE_HEADER + INFO + 4 * number]
        if len(found) < 4 * number:
            raise cut(path)
        masks = (*struct.unpack(f"<{number}I", found), 0)[:4]
    resolution = (across / 1000, down / 1000) if across > 0 and down > 0 else None
    return _Header(
        length, width, abs(height), height < 0, bits, compression, colours, pixels_at, palette_at,
        masks, resolution,
    )  # fmt: skip


def _pixels(path: Path, data: bytes, header: _Header) -> Pixels:
    """Return the rows in the order of the file."""
    bits, packing = header.bits, header.compression
    huffman = packing == BITFIELDS and header.length not in OF_WINDOWS
    if (bits, packing) in ((8, RLE8), (4, RLE4)):
        if header.top_down:
            raise damaged(path, "is packed from the top down, which a BMP cannot be")
        shape = (header.height, header.width)
        indices = run_lengths(path, data, header.pixels_at, shape, half=packing == RLE4)
        return _coloured(data, header, indices)
    if packing not in (RGB, BITFIELDS, ALPHA_BITFIELDS) or huffman:
        name = NAMES.get(packing, "this compression of a BMP")
        raise unsupported(path, f"{name} is not read; convert it to PNG")
    if bits not in (1, 2, 4, 8, 16, 24, 32) or (packing != RGB and bits not in DEFAULT_MASKS):
        raise damaged(path, f"has {bits} bits per pixel, which a BMP cannot have")
    stride = (header.width * bits + 31) // 32 * 4
    used = (header.width * bits + 7) // 8
    wanted = stride * (header.height - 1) + used  # the padding of the last row may be missing
    body = data[header.pixels_at : header.pixels_at + stride * header.height]
    if len(body) < wanted:
        raise cut(path)
    rows = np.frombuffer(body.ljust(stride * header.height, b"\0"), np.uint8)
    rows = rows.reshape(header.height, stride)[:, :used]
    if bits == 24:
        return rows.reshape(header.height, header.width, 3)[..., ::-1]
    if bits > 8:
        return _masked(path, np.ascontiguousarray(rows).view(f"<u{bits // 8}"), header.masks)
    samples = [rows >> shift & (1 << bits) - 1 for shift in range(8 - bits, -1, -bits)]
    indices = np.stack(samples, 2).reshape(header.height, -1)[:, : header.width]
    return _coloured(data, header, indices)


def _coloured(data: bytes, header: _Header, indices: npt.NDArray[np.uint8]) -> Pixels:
    """Look ``indices``, (H, W), up in the palette; a palette of grays gives one channel."""
    entry = 3 if header.length == CORE else 4
    most = 2**header.bits
    number = min(header.colours or most, most)
    end = min(header.palette_at + number * entry, header.pixels_at)
    found = data[header.palette_at : end]
    table = np.zeros((256, 3), np.uint8)
    stored = np.frombuffer(found[: len(found) // entry * entry], np.uint8).reshape(-1, entry)
    table[: len(stored)] = stored[:, 2::-1]
    gray = bool((table == table[:, :1]).all())
    coloured: Pixels = table[:, :1][indices] if gray else table[indices]
    return coloured


def _masked(path: Path, words: npt.NDArray[Any], masks: tuple[int, ...]) -> Pixels:
    """Cut the channels out of ``words``, (H, W): 8 bits each, or 16 if one has more than 8."""
    depths = [mask.bit_count() for mask in masks]
    lows = [(mask & -mask).bit_length() - 1 for mask in masks]
    whole = (
        mask >> low == 2**depth - 1
        for mask, low, depth in zip(masks, lows, depths, strict=True)
        if mask
    )
    if 0 in masks[:3] or max(depths) > 16 or not all(whole):
        raise damaged(path, "has masks of colours that make no sense")
    channels = [
        widen((words & mask) >> low, 2**depth - 1, max(depths) > 8)
        for mask, low, depth in zip(masks, lows, depths, strict=True)
        if mask
    ]
    return np.stack(channels, 2)


def _has_fourth_channel(data: bytes, header: _Header) -> bool:
    """Say whether the fourth bytes of pixels, which should be unused, are not all the same."""
    number = header.width * header.height
    fourth = np.frombuffer(data, np.uint8, 4 * number, header.pixels_at)[3::4]
    return bool(fourth.min() != fourth.max())


def _profile(data: bytes, header: _Header) -> bytes | None:
    if header.length < V5 or data[FILE_HEADER + 56 : FILE_HEADER + 60] != b"DEBM":  # 'MBED'
        return None
    offset, length = struct.unpack_from("<II", data, FILE_HEADER + 112)
    found = data[FILE_HEADER + offset : FILE_HEADER + offset + length]
    return found if len(found) == length > 128 else None
