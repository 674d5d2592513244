"""Camera RAW, through rawpy (LibRaw): developed as exposed, with the camera's white balance."""

import contextlib
import io
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from upscale.pictures.containers.damage import cut, damaged, unsupported
from upscale.pictures.containers.tiff.source import BehindTheEndError, Source
from upscale.pictures.decoders.base import Decoded, Pixels, exif_blob, read_all
from upscale.pictures.metadata.exif_in_tiff import of_tiff

__all__ = ["decode", "recognise", "size"]

CANON = re.compile(rb"(II\*\0|MM\0\*).{4}CR\x02", re.DOTALL)
"""A CR2, which is a TIFF file whose fields do not say that it is RAW."""

TIFF = (b"II*\0", b"MM\0*")
PHOTOMETRIC, STRIPS, STRIP_SIZES, SUB_DIRECTORIES, DNG_VERSION = 262, 273, 279, 330, 50706
FILTER_ARRAY, LINEAR_RAW = 32803, 34892
"""PhotometricInterpretation of a picture that is not developed (TIFF/EP; DNG)."""

MOST_DIRECTORIES = 16
"""Directories of a file that are looked at, at most."""


def recognise(head: bytes, descriptor: int) -> bool:
    """Say whether a file that begins with ``head`` holds a picture that is not developed."""
    if CANON.match(head) or not head.startswith(TIFF):
        return True
    try:
        directories = _directories(descriptor)
    except (ValueError, OSError):
        return False
    undeveloped = {FILTER_ARRAY, LINEAR_RAW}
    return DNG_VERSION in directories[0] or any(
        undeveloped.intersection(fields.get(PHOTOMETRIC, ())) for fields in directories
    )


def size(path: Path, descriptor: int) -> tuple[int, int]:
    """Return (width, height), upright, from the header. Raises InputError."""
    with _open(path, descriptor) as raw:
        sizes = raw.sizes
        width, height = int(sizes.width), int(sizes.height)
        return (height, width) if sizes.flip & 4 else (width, height)


def decode(path: Path, descriptor: int) -> Decoded:
    """Develop to 16 bits with sRGB's primaries and curve, as exposed. Raises InputError."""
    if _is_cut(descriptor):
        raise cut(path)
    library = import_module("rawpy")
    with _open(path, descriptor) as raw:
        try:
            pixels: Pixels = raw.postprocess(
                use_camera_wb=True,
                output_color=library.ColorSpace.sRGB,
                gamma=(2.4, 12.92),
                output_bps=16,
                no_auto_bright=True,
                adjust_maximum_thr=0.0,
            )
        except library.LibRawIOError as error:
            raise cut(path) from error
        except library.LibRawError as error:
            raise damaged(path, f"is damaged ({_reason(error)})") from error
    warnings: tuple[str, ...] = ()
    exif = None
    try:
        exif = exif_blob(of_tiff(descriptor) or b"")
    except ValueError:
        warnings = (f"{path}: its EXIF cannot be read from this kind of RAW and is left out",)
    if pixels.shape[2] not in (1, 3):
        raise unsupported(path, f"RAW of {pixels.shape[2]} colours is not read; develop it to TIFF")
    return Decoded(np.ascontiguousarray(pixels), exif=exif, warnings=warnings)


def _open(path: Path, descriptor: int) -> Any:
    library = import_module("rawpy")
    raw = library.RawPy()
    try:
        raw.open_buffer(io.BytesIO(read_all(descriptor)))
    except library.LibRawFileUnsupportedError as error:
        raise unsupported(
            path, "is a camera RAW that LibRaw does not know; convert it to DNG or TIFF"
        ) from error
    except library.LibRawIOError as error:
        raise cut(path) from error
    except library.LibRawError as error:
        raise damaged(path, f"is damaged ({_reason(error)})") from error
    return raw


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def _directories(descriptor: int) -> list[dict[int, tuple[int, ...]]]:
    """Return the whole numbers of a TIFF file's first directory and of those below it, by tag.

    Raises ValueError if the file is corrupt.
    """
    source = Source.of_file(descriptor)
    wanted = {PHOTOMETRIC, STRIPS, STRIP_SIZES, SUB_DIRECTORIES, DNG_VERSION}
    waiting = [source.first]
    found: list[dict[int, tuple[int, ...]]] = []
    while waiting and len(found) < MOST_DIRECTORIES:
        fields: dict[int, tuple[int, ...]] = {}
        for tag, kind, count, value in source.table(waiting.pop(0))[0]:
            if tag in wanted:
                with contextlib.suppress(BehindTheEndError):
                    fields[tag] = source.numbers(kind, count, value)
        waiting += fields.get(SUB_DIRECTORIES, ())
        found.append(fields)
    return found


def _is_cut(descriptor: int) -> bool:
    """Say whether a strip of a TIFF file reaches beyond its end, which LibRaw may pass over."""
    end = os.fstat(descriptor).st_size
    try:
        directories = _directories(descriptor)
    except ValueError:
        return False
    return any(
        offset + length > end
        for fields in directories
        for offset, length in zip(fields.get(STRIPS, ()), fields.get(STRIP_SIZES, ()), strict=False)
    )
