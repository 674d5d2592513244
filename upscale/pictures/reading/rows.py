"""libvips' pipeline → rows, decoded once from top to bottom, in memory or in a scratch file."""

from pathlib import Path

import numpy as np
import pyvips

from upscale.files import part_beside, unwritable
from upscale.pictures.decoders.base import from_float
from upscale.pictures.libvips import as_full_disk
from upscale.pictures.reading.colours import array_to_srgb
from upscale.pixels.spool import Rows, Spool, StoredRows

__all__ = ["decoded_rows", "in_sixteen_bits"]

FLOAT_ROWS = 64
"""Rows that are mapped at a time."""


def decoded_rows(
    picture: pyvips.Image, scratch: Path | None, orientation: int, frames: int
) -> Rows:
    """Decode a picture of ``frames``, which are turned upright by ``orientation``.

    ``scratch``: as for `Spool`. Raises pyvips.Error, and OutputError if ``scratch`` cannot be
    written.
    """
    if picture.format == "double":
        picture = picture.cast("float")
    dtype = {"uchar": np.uint8, "ushort": np.uint16, "float": np.float32}[picture.format]
    shape = (picture.height, picture.width, picture.bands)
    spool = Spool(shape, dtype, scratch)
    try:
        if spool.descriptor is None:
            spool.append(picture.numpy().reshape(shape))
        else:
            picture.rawsave_target(pyvips.Target.new_to_descriptor(spool.descriptor))
    except pyvips.Error as error:
        spool.close()
        if scratch is not None and (full := as_full_disk(error)) is not None:
            raise unwritable(scratch, full) from error
        raise
    return spool.finish(orientation, frames)


def in_sixteen_bits(
    path: Path, rows: Rows, icc: bytes | None, convert: bool, scratch: Path | None
) -> tuple[Rows, bytes | None]:
    """Map floating-point rows to 16 bits; with ``convert``, also from their profile to sRGB.

    ``icc``: the profile; ``scratch``: as for `Spool`, and perhaps the file that ``rows`` are in.
    Returns the new rows, and their profile. Raises InputError and OutputError.
    """
    second = part_beside(scratch) if scratch else None
    spool = Spool(rows.shape, np.uint16, second)
    counts = icc
    try:
        for top in range(0, rows.shape[0], FLOAT_ROWS):
            band = from_float(path, rows[top : top + FLOAT_ROWS])
            if icc and convert:
                band, counts = array_to_srgb(path, band, icc)
            spool.append(band)
        found = spool.finish()
        if isinstance(found, StoredRows) and scratch is not None:
            return found.moved_to(scratch), counts
        return found, counts
    finally:
        spool.close()
        if second is not None:
            second.unlink(missing_ok=True)
