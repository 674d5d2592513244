"""What libvips does for the reader: header, colours, rows and metadata."""

from dataclasses import replace
from pathlib import Path

import pyvips

from upscale.errors import InputError
from upscale.pictures.colours import png_colours
from upscale.pictures.colours.conversion import to_srgb
from upscale.pictures.colours.signals import ADOBE_RGB, Signals, doubts, loses_hdr
from upscale.pictures.containers.damage import AGAIN, because, cut, unsupported
from upscale.pictures.containers.heif import edits
from upscale.pictures.containers.heif import surroundings as heif_surroundings
from upscale.pictures.containers.heif.primary import Primary, primary
from upscale.pictures.containers.jpeg import segments as jpeg
from upscale.pictures.containers.jpeg import surroundings as jpeg_surroundings
from upscale.pictures.decoders.base import read_all, rounding_warning
from upscale.pictures.decoders.tiff import decoder as tiff
from upscale.pictures.libvips import open_as, vips_reason
from upscale.pictures.limits import check_pixels
from upscale.pictures.metadata import exif, exif_in_tiff
from upscale.pictures.reading.blocks import described, metadata_of, orientation_of
from upscale.pictures.reading.colours import FLOATS, coloured, in_rgb, with_sound_profile
from upscale.pictures.reading.opened import Opened, of_array
from upscale.pictures.reading.rows import decoded_rows, in_sixteen_bits
from upscale.pictures.recognise import unreadable
from upscale.pictures.record import Format
from upscale.pixels.image import Image

__all__ = ["decode", "decoded_pages", "open_header"]


def open_header(
    path: Path,
    descriptor: int,
    head: bytes,
    found: Format | None,
    max_pixels: int,
    lenient: bool = False,
) -> Opened:
    """Read a file's header. Raises InputError for a file that is refused before it is decoded.

    ``head``: its first 512 bytes. ``found``: its format by its content, so that no version of
    libvips chooses another loader. ``lenient``: take a JPEG that its decoder only warns of.
    """
    if found is None:
        raise unreadable(path, head, descriptor, "")
    segments = jpeg.segments(descriptor) if found.loader == "jpeg" else ()
    if frame := jpeg.frame_of(segments):
        kind = "" if frame.precision == 8 else f"JPEG of {frame.precision} bits per sample"
        if kind := frame.unread or kind:
            raise unsupported(path, f"{kind} is not read; save it as PNG or TIFF")
    warnings: tuple[str, ...] = ()
    chosen = tiff.pages_for(path, descriptor) if found.loader == "tiff" else tiff.Chosen()
    if chosen.pages:
        return _of_pages(path, found, chosen, max_pixels)
    try:
        # libjpeg only warns of a scan that breaks off or holds invalid codes
        strict = found.loader == "jpeg" and not lenient
        boxed = primary(descriptor) if found.loader == "heif" else Primary()
        content = edits.patched(read_all(descriptor), boxed) if boxed.loose else descriptor
        image = open_as(found.loader, content, fail_on="warning" if strict else "error")
        if boxed.loose:
            image = image.copy()
            image.set_type(pyvips.GValue.gint_type, "orientation", boxed.orientation)
        frames = int(image.get("n-pages")) if image.get_typeof("n-pages") else 1
        if chosen.left_out:
            warnings, frames = (_of_different_kinds(path, frames),), 1
        elif frames > 1 and found.pages:
            check_pixels(path, image.width, image.height, max_pixels, frames)
            try:
                image = open_as(found.loader, descriptor, n=-1)
            except pyvips.Error:
                warnings, frames = (_of_different_kinds(path, frames),), 1
        elif frames > 1:
            warnings = (f"{path}: has several pictures in it; only the first is read",)
            frames = 1
    except pyvips.Error as error:
        raise unreadable(path, head, descriptor, vips_reason(error)) from error
    check_pixels(path, image.width, image.height // frames, max_pixels, frames)
    colours = image.bands - (1 if image.interpretation == "cmyk" else 0)
    if image.format not in ("uchar", "ushort", *FLOATS) or colours > 4:
        raise unsupported(
            path,
            f"has {image.bands} channels of the type {image.format}, which are not read; convert "
            "it to 8 or 16 bits, gray or RGB",
        )
    # libvips fills a cut TIFF with black, and overlooks the end of others; of JPEG it warns
    if found.loader != "jpeg" and found.ends_early(descriptor):
        raise cut(path)
    image, blocks = described(image, found.loader, descriptor, segments)
    warnings += tuple(f"{path}: {doubt}" for doubt in blocks.doubts)
    if found.loader == "jpeg":
        warnings += jpeg_surroundings.surroundings(descriptor, segments).warnings(path)
    elif found.loader == "heif":
        packet = metadata_of(image).xmp
        warnings += heif_surroundings.surroundings(descriptor, boxed, packet).warnings(path)
    said = _signals(descriptor, found.loader, boxed, image)
    warnings += doubts(path, said)
    image = coloured(image, said)
    points = said.beyond_srgb(image.bands < 3)
    return Opened(path, image, found, frames, warnings, points, texts=blocks.texts)


def _of_pages(path: Path, found: Format, chosen: tiff.Chosen, max_pixels: int) -> Opened:
    """Return pages that `tiff` will decode, as they are opened."""
    frames, first = len(chosen.pages), chosen.pages[0]
    check_pixels(path, *first.covered, max_pixels, frames)
    channels, depth = tiff.shape(first)
    image = pyvips.Image.black(first.size[0], first.size[1] * frames, bands=channels)
    image = image.cast("uchar" if depth == 8 else "ushort").copy()
    if first.orientation is not None:
        image.set_type(pyvips.GValue.gint_type, "orientation", first.orientation)
    if packet := first.block(tiff.XMP):
        image.set_type(pyvips.GValue.blob_type, "xmp-data", packet)
    image.set_type(pyvips.GValue.gint_type, "bits-per-sample", first.bits)
    left = (_of_different_kinds(path, frames + chosen.left_out),) if chosen.left_out else ()
    return Opened(path, image, found, frames, left, pages=chosen.pages)


def _of_different_kinds(path: Path, count: int) -> str:
    return f"{path}: has {count} pages of different kinds; only the first is read"


def decoded_pages(opened: Opened, descriptor: int) -> Opened:
    """Decode the pages of a TIFF that libvips does not decode. Raises InputError."""
    drawn = of_array(opened.path, tiff.decode(opened.path, descriptor, opened.pages))
    image = drawn.image.copy()
    turned = orientation_of(opened.image, "tiff")
    image.set_type(pyvips.GValue.gint_type, "orientation", turned)
    return replace(opened, image=image, warnings=opened.warnings + drawn.warnings, pages=())


def _signals(descriptor: int, loader: str, boxed: Primary, image: pyvips.Image) -> Signals:
    if loader == "png":
        return png_colours.signals(descriptor)
    if loader == "jpeg" and image.bands == 3:
        block = metadata_of(image).exif
        return ADOBE_RGB if block and exif.is_adobe_rgb(block) else Signals()
    return Signals(boxed.code_points)


def decode(opened: Opened, descriptor: int, convert: bool, scratch: Path | None) -> Image:
    """Decode all rows; ``convert``: to sRGB. ``scratch``: as for `Spool`.

    Raises InputError, and OutputError if ``scratch`` cannot be written.
    """
    path, known = opened.path, opened.format
    image, unsound = with_sound_profile(path, opened.image, convert)
    opened = replace(opened, image=image)
    warnings = opened.warnings + unsound
    loader = known.loader if known else ""
    try:
        picture = in_rgb(image, loader == "heif")
        floating = picture.format in FLOATS
        picture = to_srgb(picture) if convert and not floating else picture
        rows = decoded_rows(picture, scratch, orientation_of(opened.image, loader), opened.frames)
    except pyvips.Error as error:
        kind = "truncated" if known and known.ends_early(descriptor) else "decode-error"
        what = "ends early" if kind == "truncated" else "is damaged"
        hint = "--lenient takes what can be read of it" if loader == "jpeg" else AGAIN
        why = f"{path}: {what}{because(vips_reason(error))}; {hint}"
        raise InputError(why, code=kind) from error
    metadata = metadata_of(picture)
    if floating:
        warnings += (rounding_warning(path),)
        rows, icc = in_sixteen_bits(path, rows, metadata.icc, convert, scratch)
        metadata = replace(metadata, icc=icc)
    points = opened.code_points
    if convert:
        warnings += loses_hdr(path, points)
    points = None if convert else points
    metadata = replace(metadata, code_points=points, texts=opened.texts)
    if loader == "tiff":
        held = exif_in_tiff.blocks_of_tiff(descriptor)
        metadata = replace(metadata, exif=held.exif, iptc=held.iptc)
        warnings += tuple(f"{path}: {doubt}" for doubt in held.doubts)
    if convert and metadata.exif and opened.image.get_typeof("icc-profile-data"):
        metadata = replace(metadata, exif=exif.as_srgb(metadata.exif))
    return Image(
        rows,
        metadata,
        warnings=warnings,
        frames=opened.frames,
        delays=_delays(picture, opened.frames),
        loop=int(picture.get("loop")) if picture.get_typeof("loop") else 0,
    )


def _delays(picture: pyvips.Image, frames: int) -> tuple[int, ...]:
    """Return the milliseconds of each frame; empty if the file gives none."""
    if frames == 1 or not picture.get_typeof("delay"):
        return ()
    found = [int(delay) for delay in picture.get("delay")]
    return tuple(found[min(index, len(found) - 1)] for index in range(frames))
