"""The samples of a TIFF's page as its strips or tiles hold them: unpacked, and not yet colours."""

import lzma
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyvips

from upscale.pictures.containers.damage import cut, damaged
from upscale.pictures.containers.tiff.page import FILL_ORDER, FLOATING, PREDICTOR, Page, Photometric
from upscale.pictures.decoders.base import pillow_open
from upscale.pictures.decoders.pillow import BROKEN

__all__ = ["samples_of"]

Samples = npt.NDArray[np.generic]

DIFFERENCES, FLOAT_DIFFERENCES = 2, 3
"""Values of the field Predictor."""

REVERSED = np.packbits(
    np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1], axis=1
)[:, 0]
"""Each byte with its bits in reverse order."""


def samples_of(path: Path, descriptor: int, page: Page) -> Samples:
    """Return (H, W, samples), unsigned integers or floating point. Raises InputError.

    Chroma that several pixels share is repeated, as by libtiff.
    """
    width, height = page.size
    across, down = -(-width // page.segment[0]), -(-height // page.segment[1])
    planes = page.samples if page.planar else 1
    if len(page.places) < across * down * planes:
        raise damaged(path, "lacks some of its strips or tiles")
    found: Samples | None = None
    places = iter(page.places)
    for plane in range(planes):
        for row in range(down):
            for column in range(across):
                top, left = row * page.segment[1], column * page.segment[0]
                rows = page.segment[1] if page.tiled else min(page.segment[1], height - top)
                offset, length = next(places)
                piece = _segment(path, page, _read(path, page, offset, length), rows, plane)
                if found is None:
                    found = np.empty((height, width, page.samples), piece.dtype)
                target = found[top : top + rows, left : left + page.segment[0]]
                if page.planar:
                    target = target[..., plane : plane + 1]
                target[...] = piece[: target.shape[0], : target.shape[1]]
    if found is None:
        raise damaged(path, "has no strips or tiles")
    return found


def _read(path: Path, page: Page, offset: int, length: int) -> bytes:
    try:
        data = page.source.take(offset, length)
    except ValueError as error:
        raise cut(path) from error
    if page.number(FILL_ORDER, 1) == 2:
        data = REVERSED[np.frombuffer(data, np.uint8)].tobytes()
    return data


def _segment(path: Path, page: Page, data: bytes, rows: int, plane: int) -> Samples:
    """Return (rows, W, samples of a plane) of a packed strip or tile."""
    width, channels = page.segment[0], 1 if page.planar else page.samples
    if page.photometric == Photometric.YCBCR:
        return _chroma(path, page, data, rows, plane)
    line = -(-width * channels * page.bits // 8)
    unpacked = _unpacked(path, page.compression, data, line, rows)
    return _numbers(page, unpacked, width, channels)


def _chroma(path: Path, page: Page, data: bytes, rows: int, plane: int) -> Samples:
    """Return (rows, W, samples of a plane) of YCbCr (TIFF 6.0, section 21).

    It is a series of units, each of the lumas of a block of pixels, then its one Cb and one Cr.
    """
    x, y = page.subsampling
    if not x or not y:
        raise damaged(path, f"has a chroma sample for {x} × {y} pixels")
    if page.planar and plane == 0:
        x = y = 1
    width = page.segment[0]
    across, down = -(-width // x), -(-rows // y)
    if page.planar:
        packed = _unpacked(path, page.compression, data, across, down)
        plain = _numbers(page, packed, across, 1)
        return plain.repeat(y, 0)[:rows].repeat(x, 1)[:, :width]
    length = x * y + 2
    packed = _unpacked(path, page.compression, data, across * length, down)
    units = _numbers(page, packed, across, length)
    luma = units[..., : x * y].reshape(down, across, y, x).swapaxes(1, 2)
    shared = units[..., x * y :].repeat(y, 0).repeat(x, 1)
    whole = np.concatenate([luma.reshape(down * y, across * x, 1), shared], axis=2)
    return whole[:rows, :width]


def _numbers(page: Page, packed: npt.NDArray[np.uint8], width: int, channels: int) -> Samples:
    """Return the samples in (rows, bytes), with the predictor undone: (rows, width, channels)."""
    order, bits = page.source.packing.order, page.bits
    predictor = page.number(PREDICTOR, 1)
    if page.compression in (1, 32773):
        predictor = 1  # libtiff predicts nothing there
    rows = len(packed)
    if bits < 8 or bits % 8:
        single = np.unpackbits(packed, axis=1)[:, : width * channels * bits]
        each = single.reshape(rows, width, channels, bits)
        powers = 1 << np.arange(bits, dtype=np.uint16)[::-1]
        return np.asarray(each @ powers, np.uint16)
    if predictor == FLOAT_DIFFERENCES:  # Adobe Photoshop TIFF Technical Note 3
        steps = packed.reshape(rows, -1, channels)
        whole = np.cumsum(steps, axis=1, dtype=np.uint8).reshape(rows, bits // 8, width * channels)
        packed, order = np.ascontiguousarray(whole.swapaxes(1, 2)).reshape(rows, -1), ">"
    plain = np.ascontiguousarray(packed).view(f"{order}u{bits // 8}").reshape(rows, width, channels)
    if predictor == DIFFERENCES:
        plain = np.cumsum(plain, axis=1, dtype=plain.dtype.newbyteorder("="))
    native = plain.astype(plain.dtype.newbyteorder("="))
    return native.view(f"f{bits // 8}") if page.sample_format == FLOATING else native


def _unpacked(
    path: Path, compression: int, data: bytes, line: int, rows: int
) -> npt.NDArray[np.uint8]:
    """Return (rows, line) bytes; the packed data may hold more."""
    size = line * rows
    try:
        if compression == 1:
            plain = data
        elif compression in (8, 32946):
            plain = zlib.decompressobj().decompress(data, size)
        elif compression == 34925:
            plain = lzma.LZMADecompressor().decompress(data, size)
        else:
            return _by_libtiff(compression, data, line, rows)
    except (zlib.error, lzma.LZMAError, EOFError, pyvips.Error, *BROKEN) as error:
        raise damaged(path) from error
    if len(plain) < size:
        raise cut(path) if compression == 1 else damaged(path)
    return np.frombuffer(plain, np.uint8, size).reshape(rows, line)


def _by_libtiff(compression: int, data: bytes, line: int, rows: int) -> npt.NDArray[np.uint8]:
    """Return (rows, line) bytes, unpacked by libtiff as a gray picture of 8 bits.

    These compressions pack bytes, whatever they mean. libvips has the usual ones, Pillow Zstandard.
    """
    fields = [(256, line), (257, rows), (258, 8), (259, compression), (262, 1), (273, 0)]
    fields += [(277, 1), (278, rows), (279, len(data))]
    start = 8 + 2 + 12 * len(fields) + 4
    table = b"".join(
        struct.pack("<HHII", tag, 4, 1, start if tag == 273 else value) for tag, value in fields
    )
    picture = struct.pack("<2sHIH", b"II", 42, 8, len(fields)) + table + bytes(4) + data
    if compression == 50000:
        return np.array(pillow_open(picture, "TIFF"))
    image = pyvips.Image.tiffload_buffer(picture, fail_on="error")
    return np.asarray(image.numpy(), np.uint8).reshape(rows, line)
