"""File → `Image`: decoded by its content and never by its name; a damaged file is refused.

libvips decodes what it decodes rightly; `apng`, `gif` and `upscale.pictures.decoders` decode the
rest. Rows go through a `Spool`, so that a network gets none before the whole file is known to be
sound.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from upscale.errors import InputError
from upscale.files import unreadable
from upscale.pictures.colours.signals import loses_hdr
from upscale.pictures.containers.heif.primary import frame_count
from upscale.pictures.containers.png import Timing
from upscale.pictures.decoders.base import open_file
from upscale.pictures.decoders.heif import avif
from upscale.pictures.formats import format_of
from upscale.pictures.limits import MAX_PIXELS, check_pixels
from upscale.pictures.metadata import exif, xmp
from upscale.pictures.reading import apng, gif, vips
from upscale.pictures.reading.blocks import FINEST, metadata_of, orientation_of
from upscale.pictures.reading.colours import array_to_srgb, with_sound_profile
from upscale.pictures.reading.opened import Opened, of_array, redrawn
from upscale.pixels.image import Header, Image, Metadata
from upscale.pixels.spool import Spool

__all__ = ["read", "read_header"]

LARGEST_BLOCK = 16 * 2**20
"""Bytes of EXIF, XMP, IPTC or all texts above which all metadata but the profile is left out."""


def read(
    path: Path,
    max_pixels: int = MAX_PIXELS,
    *,
    to_srgb: bool = False,
    lenient: bool = False,
    scratch: Path | None = None,
) -> Image:
    """Decode the picture in ``path``, by its content and not by its name.

    ``max_pixels``: pixels in all frames above which the picture is refused, before it is decoded.
    ``to_srgb``: convert the colours by the picture's profile. ``lenient``: take JPEGs with faults
    that a decoder can pass over. ``scratch``: a file for the rows if there are too many for memory
    (see `Spool`); the caller removes it.

    Raises InputError with one of the report's codes ``io-error``, ``not-an-image``, ``too-large``,
    ``truncated``, ``decode-error`` and ``unsupported-format``. Raises OutputError if ``scratch``
    cannot be written.
    """
    with _opened(path) as (descriptor, head):
        before = os.fstat(descriptor)
        image = _read(path, descriptor, head, max_pixels, to_srgb, lenient, scratch)
        after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError(f"{path}: changed while it was read; run it again")
    return _without_damage(path, image)


def read_header(path: Path, max_pixels: int = MAX_PIXELS) -> Header:
    """Return what is known of the picture in ``path`` without decoding it. Raises as `read` does.

    If libvips does not read the format, channels, depth and frames are not known: it is taken to be
    RGB of 8 bits in one frame.
    """
    with _opened(path) as (descriptor, head):
        found = format_of(head, descriptor)
        if found and found.decoder:
            width, height = found.size(path, descriptor)
            check_pixels(path, width, height, max_pixels)
            return Header(width, height, 3, 8, 1)
        opened = vips.open_header(path, descriptor, head, found, max_pixels)
        image, frames = opened.image, opened.frames
        turned = orientation_of(image, found.loader if found else "") >= 5
        width, height = image.width, image.height // frames
        channels = image.bands - (image.interpretation == "cmyk")
        depth = 8 if image.format == "uchar" else 16
        opened, timing = _timing(opened, descriptor)
        if timing is not None:
            width, height, frames = timing.width, timing.height, timing.count
            channels, depth = timing.channels, timing.depth
        elif found and found.loader == "heif":
            frames = frame_count(descriptor)
    if turned:
        width, height = height, width
    return Header(width, height, channels, depth, frames)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lend the descriptor and the first bytes of a file; an OSError becomes an InputError."""
    descriptor, head = open_file(path)
    try:
        yield descriptor, head
    except OSError as error:
        raise InputError(unreadable(path, error)) from error
    finally:
        os.close(descriptor)


def _read(
    path: Path,
    descriptor: int,
    head: bytes,
    max_pixels: int,
    to_srgb: bool,
    lenient: bool,
    scratch: Path | None,
) -> Image:
    found = format_of(head, descriptor)
    if found and found.decoder:
        check_pixels(path, *found.size(path, descriptor), max_pixels)
        opened = of_array(path, found.decode(path, descriptor))
    else:
        opened = vips.open_header(path, descriptor, head, found, max_pixels, lenient)
        opened, timing = _timing(opened, descriptor)
        if timing is not None:
            return _animated(opened, timing, descriptor, max_pixels, to_srgb, scratch)
        if found and found.loader == "heif":
            opened = _drawn_by_libavif(opened, descriptor, max_pixels)
        if opened.pages:
            opened = vips.decoded_pages(opened, descriptor)
    return vips.decode(opened, descriptor, to_srgb, scratch)


def _drawn_by_libavif(opened: Opened, descriptor: int, max_pixels: int) -> Opened:
    """Return all frames of an AVIF with interpolated chroma, if OpenCV reads them.

    Otherwise what libvips reads, with a warning if there are further frames.
    """
    path, image = opened.path, opened.image
    size, count = (image.width, image.height), frame_count(descriptor)
    if orientation_of(image, "heif") >= 5:  # in a file that libheif is kept from turning
        size = size[::-1]
    check_pixels(path, *size, max_pixels, count)
    drawn = avif.decode(descriptor, size, int(image.get("bits-per-sample")))
    if drawn is not None:
        return redrawn(opened, drawn.pixels, drawn.delays, drawn.loop)
    if count == 1:
        return opened
    warning = f"{path}: has {count} frames that cannot be read; only its still picture is read"
    return replace(opened, warnings=(*opened.warnings, warning))


def _timing(opened: Opened, descriptor: int) -> tuple[Opened, Timing | None]:
    """Return the shape of an animation whose frames are drawn here: a GIF, even of one, or an APNG.

    An APNG whose chunks contradict each other is read as a still picture, with a warning (PNG,
    third edition, 13.1), as by programs that know no animations.
    """
    path, loader = opened.path, opened.format.loader if opened.format else ""
    if loader == "gif":
        return opened, gif.timing(path, descriptor)
    if loader != "png" or not apng.is_animated(descriptor):
        return opened, None
    try:
        return opened, apng.timing(path, descriptor)
    except InputError as error:
        if error.code != "decode-error":
            raise
        warning = f"{error}; until then only its still picture is read"
        return replace(opened, warnings=(*opened.warnings, warning)), None


def _animated(
    opened: Opened,
    timing: Timing,
    descriptor: int,
    max_pixels: int,
    to_srgb: bool,
    scratch: Path | None,
) -> Image:
    """Read all frames of a GIF or an APNG, with the metadata of what is opened."""
    path = opened.path
    image, unsound = with_sound_profile(path, opened.image, to_srgb)
    warnings = opened.warnings + unsound
    check_pixels(path, timing.width, timing.height, max_pixels, timing.count)
    points = None if to_srgb else opened.code_points
    metadata = replace(metadata_of(image), code_points=points, texts=opened.texts)
    loader = opened.format.loader if opened.format else ""
    shape = (timing.height * timing.count, timing.width, timing.channels)
    spool = Spool(shape, np.uint16 if timing.depth == 16 else np.uint8, scratch)
    if loader == "gif":
        drawn = gif.frames(path, descriptor, max_pixels)
    else:
        drawn = apng.frames(path, descriptor)
    own, icc = metadata.icc, metadata.icc
    for frame in drawn:
        shown = frame
        if to_srgb and own:
            shown, icc = array_to_srgb(path, frame, own)
        spool.append(shown)
    metadata = replace(metadata, icc=icc)
    if to_srgb:
        warnings += loses_hdr(path, opened.code_points)
        if metadata.exif and own:
            metadata = replace(metadata, exif=exif.as_srgb(metadata.exif))
    return Image(
        spool.finish(orientation_of(image, loader), timing.count),
        metadata,
        warnings=warnings,
        frames=timing.count,
        delays=timing.delays,
        loop=timing.loop,
    )


def _without_damage(path: Path, image: Image) -> Image:
    """Leave out, with a warning, metadata that are damaged or too large."""
    warnings, metadata = image.warnings, image.metadata
    packet = metadata.xmp
    if not max(metadata.resolution) < FINEST:
        warnings += (f"{path}: its resolution is impossible and is left out",)
        metadata = replace(metadata, resolution=(1.0, 1.0))
    if packet:
        if xmp.says_more_than_it_holds(packet):
            warnings += (f"{path}: its XMP goes on in further segments, which are left out",)
        try:
            metadata = replace(metadata, xmp=xmp.for_output(packet))
        except ValueError:
            warnings += (f"{path}: its XMP is damaged and is left out",)
            metadata = replace(metadata, xmp=None)
    try:
        exif.for_output(metadata.exif, 1, 1, None)
    except ValueError:
        warnings += (f"{path}: its EXIF is damaged and is left out",)
        metadata = replace(metadata, exif=None)
    longest = max(len(block or b"") for block in (metadata.exif, packet, metadata.iptc))
    if max(longest, sum(len(each.text) for each in metadata.texts)) > LARGEST_BLOCK:
        warnings += (f"{path}: its metadata is too large; all but its profile is left out",)
        metadata = Metadata(metadata.icc, resolution=metadata.resolution)
    return replace(image, metadata=metadata, warnings=warnings)
