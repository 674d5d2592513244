"""HEIC, through pillow-heif (libheif), which turns the picture upright itself."""

import io
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from upscale.pictures.containers.boxes import boxes, ends_early
from upscale.pictures.containers.damage import cut, damaged, no_image, unsupported
from upscale.pictures.containers.heif import edits
from upscale.pictures.containers.heif.primary import primary
from upscale.pictures.containers.heif.surroundings import surroundings
from upscale.pictures.decoders.base import (
    Decoded,
    divided_by_opacity,
    exif_blob,
    read_all,
    reason_of,
    widen,
)
from upscale.pictures.decoders.heif.chroma import interpolated
from upscale.pixels.image import CodePoints
from upscale.pixels.spool import upright

__all__ = ["decode", "recognise", "size"]

BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
"""Brands of HEIF files with HEVC inside, and those that do not say (ISO/IEC 23008-12, annex B)."""

UNSAID = {b"mif1", b"msf1"}
AVIF = {b"avif", b"avis"}

BROKEN = (ValueError, EOFError, SyntaxError, RuntimeError, OSError)
"""What pillow-heif raises for damaged files."""


def recognise(head: bytes, descriptor: int) -> bool:
    """Say whether a file of boxes holds HEVC and not AV1, by its brands."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    named = BRANDS & brands
    return head[8:12] not in AVIF and bool(named - UNSAID if AVIF & brands else named)


def size(path: Path, descriptor: int) -> tuple[int, int]:
    """Return (width, height), upright, from the header. Raises InputError."""
    width, height = _open(path, read_all(descriptor)).size
    if 0 in (width, height):
        raise no_image(path, "has no pixels")
    return int(width), int(height)


def decode(path: Path, descriptor: int) -> Decoded:
    """Decode the primary picture to 8 bits, or to 16 if it has more. Raises InputError."""
    data = read_all(descriptor)
    said = primary(data)
    apart = bool(said.loose)
    data = edits.patched(data, said) if apart else data
    file = _open(path, data)
    announced = file.size
    warnings: list[str] = []
    if len(file) > 1:
        warnings.append(f"{path}: holds {len(file)} pictures; only the primary one is read")
    if any(box.kind == b"moov" for box in boxes(data)):
        warnings.append(f"{path}: is a sequence; only its still picture is read")
    try:
        samples: npt.NDArray[Any] = np.asarray(file)
    except BROKEN as error:
        raise damaged(path, f"is damaged{reason_of(error)}") from error
    info, (name, _, _) = file.info, file.mode.partition(";")
    channels = {"L": 1, "I": 1, "LA": 2, "La": 2, "RGB": 3, "RGBA": 4, "RGBa": 4}.get(name)
    depth = int(info["bit_depth"])
    if channels is None or samples.size % channels or not 8 <= depth <= 16:
        raise unsupported(path, f"HEIC of {file.mode} is not read; convert it to PNG")
    samples = samples.reshape(*samples.shape[:2], channels)
    if samples.shape[1::-1] != announced or int(samples.max()) >= 2**depth:
        raise damaged(path)
    rows_sharing = {420: 2, 422: 1}.get(info.get("chroma"))
    if rows_sharing and channels >= 3:
        orientation = 1 if apart else said.orientation
        samples = interpolated(data, samples, depth, rows_sharing, said.crop, orientation, _samples)
    pixels = widen(samples, 2**depth - 1)
    if apart:
        pixels = np.ascontiguousarray(upright(pixels[None], said.orientation)[0])
    if channels == 4 and "chroma" not in info:  # gray with opacity, which libheif gives as RGB
        pixels = np.ascontiguousarray(pixels[..., [0, 3]])
    if name.endswith("a"):
        pixels = divided_by_opacity(pixels)
    beside = surroundings(descriptor, said, info.get("xmp"))
    icc, nclx = info.get("icc_profile"), info.get("nclx_profile") or {}
    points = None
    if not icc and nclx:
        points = CodePoints(int(nclx["color_primaries"]), int(nclx["transfer_characteristics"]))
    return Decoded(
        pixels,
        icc=icc or None,
        exif=exif_blob(info.get("exif") or b""),
        xmp=info.get("xmp") or None,
        warnings=(*warnings, *beside.warnings(path)),
        code_points=points,
    )


def _open(path: Path, data: bytes) -> Any:
    if ends_early(data):
        raise cut(path)
    try:
        file = _file_of(data)
    except BROKEN as error:
        raise damaged(path, f"is damaged{reason_of(error)}") from error
    if not len(file):
        raise no_image(path, "is a HEIC without a picture")
    return file


def _file_of(data: bytes) -> Any:
    reader = import_module("pillow_heif")
    return reader.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False, hdr_to_16bit=False)


def _samples(data: bytes) -> npt.NDArray[Any] | None:
    try:
        return np.asarray(_file_of(data))
    except BROKEN:
        return None
