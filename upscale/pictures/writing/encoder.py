"""A stream of rows → one file of some format, with its metadata and the key to resume by."""

import mmap
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyvips

from upscale.errors import InputError
from upscale.pictures.colours import nclx, png_colours
from upscale.pictures.decoders.base import read_all
from upscale.pictures.formats import WRITABLE, format_of
from upscale.pictures.libvips import open_as
from upscale.pictures.metadata import exif, exif_in_tiff
from upscale.pictures.metadata.stand_in import exchange, stand_in
from upscale.pictures.reading.apng import Assembler
from upscale.pictures.record import Saving
from upscale.pictures.writing.encoding import Encoding
from upscale.pixels.image import Layout, Metadata
from upscale.system import BINARY, read_at

__all__ = ["encode", "fitting", "losses", "read_key"]

PAGE = 1000
"""Milliseconds that a page is shown where an animation is made of pages."""

COMMENT = b"\x21\xfe"
KEY_NAME = b"upscale:"
KEY = re.compile(re.escape(COMMENT) + b"." + KEY_NAME + rb"([0-9a-f]{32})\0", re.DOTALL)

BLOCKS = ("icc-profile-data", "exif-data", "xmp-data", "iptc-data")


def losses(
    path: Path, suffix: str, layout: Layout, metadata: Metadata, encoding: Encoding
) -> list[str]:
    """Return what the format cannot hold of this picture, a sentence each."""
    chosen, found = WRITABLE[suffix], []
    if layout.channels in (2, 4) and not chosen.opacity:
        found.append(f"{path}: this format has no opacity; drawn on white")
    if layout.depth > (depth := encoding.depth(suffix, layout.channels)):
        found.append(f"{path}: {layout.depth} bits a sample become {depth}")
    if chosen.exif == "none" and not encoding.strip and (metadata.exif or metadata.xmp):
        found.append(f"{path}: this format holds no EXIF, XMP or resolution; they are lost")
    if metadata.iptc and not (encoding.strip or chosen.iptc):
        found.append(f"{path}: this format holds no IPTC; it is lost")
    points = metadata.code_points
    if points and points.hdr and chosen.code_points == "none":
        found.append(
            f"{path}: is HDR ({points.hdr}), which this format holds as a profile that many "
            "programs show without HDR; write png or avif to keep it"
        )
    if chosen.colours:
        found.append(
            f"{path}: this format holds {chosen.colours} colours; write png or webp to keep all"
        )
    return found


def fitting(
    path: Path, suffix: str, layout: Layout, metadata: Metadata, encoding: Encoding, key: str | None
) -> tuple[Metadata, list[str]]:
    """Return the metadata to write, EXIF made to fit the new picture, and warnings.

    Raises ValueError for EXIF that cannot be parsed, which a reader leaves out.
    """
    chosen, warnings = WRITABLE[suffix], list[str]()
    kept = metadata
    if encoding.strip:
        kept = Metadata(icc=metadata.icc, code_points=metadata.code_points)
    if chosen.code_points == "none":
        kept = replace(kept, code_points=None)
    elif chosen.code_points == "boxes" and kept.code_points and kept.code_points.hdr:
        kept = replace(kept, icc=None)  # which readers would obey, and show the picture without HDR
    size = (layout.width, layout.height)
    resolution = kept.resolution if chosen.exif == "block" else None
    blob = exif.for_output(kept.exif, *size, key, resolution)
    if blob and len(blob) > chosen.longest_exif:
        warnings.append(f"{path}: EXIF of {len(blob):,} bytes does not fit; left out")
        blob = exif.for_output(None, *size, key, resolution)
    elif chosen.exif != "none" and exif.note_moves(kept.exif, blob if resolution else None):
        warnings.append(f"{path}: MakerNotes move, and places that they point to may be lost")
    if kept.xmp and len(kept.xmp) > chosen.longest_xmp:
        warnings.append(f"{path}: XMP of {len(kept.xmp):,} bytes does not fit; left out")
        kept = replace(kept, xmp=None)
    if kept.iptc and chosen.iptc and len(chosen.iptc(kept.iptc)) > chosen.longest_iptc:
        warnings.append(f"{path}: IPTC of {len(kept.iptc):,} bytes does not fit; left out")
        kept = replace(kept, iptc=None)
    return replace(kept, exif=blob), warnings


def encode(
    stream: pyvips.Image,
    descriptor: int,
    suffix: str,
    layout: Layout,
    metadata: Metadata,
    encoding: Encoding,
    key: str | None,
) -> None:
    """Save ``stream`` (frames one above the other) to ``descriptor``; raises pyvips.Error."""
    chosen = WRITABLE[suffix]
    depth = min(layout.depth, encoding.depth(suffix, layout.channels))
    pixels = layout.width * layout.height
    raw = pixels * layout.frames * layout.channels * layout.depth // 8
    options = encoding.options(suffix, depth, pixels, raw)
    picture = _described(_rounded(stream, layout.depth, depth), metadata, chosen)
    if layout.channels in (2, 4) and not chosen.opacity:
        picture = picture.flatten(background=255 if picture.format == "uchar" else 65535)
    points = metadata.code_points
    more = png_colours.colour_chunks(points) if points and chosen.code_points == "chunks" else []
    delays = layout.delays or (PAGE,) * layout.frames
    if layout.frames > 1 and chosen.joined:
        assembler = Assembler(descriptor, layout.frames, delays, layout.loop, more)
        for frame in _frames(picture, layout):
            png = bytearray(frame.pngsave_buffer(**options))
            if metadata.exif:
                exchange(png, metadata.exif)
            assembler.add(bytes(png))
        assembler.finish()
        return
    if layout.frames > 1:
        picture.set_type(pyvips.GValue.gint_type, "page-height", layout.height)
        picture.set_type(pyvips.GValue.gint_type, "loop", layout.loop)
        picture.set_type(pyvips.GValue.array_int_type, "delay", list(delays))
    if more:
        _save_with(more, picture, descriptor, options)
    else:
        target = pyvips.Target.new_to_descriptor(descriptor)
        pyvips.Operation.call(f"{chosen.saver}save_target", picture, target, **options)
    if chosen.exif == "block" and metadata.exif:
        with mmap.mmap(descriptor, 0) as file:
            exchange(file, metadata.exif)
    if points and chosen.code_points == "boxes":
        _rewrite(descriptor, lambda data: nclx.with_code_points(data, points))
    if chosen.exif == "directory" and (metadata.exif or metadata.iptc):
        exif_in_tiff.write_to_tiff(descriptor, metadata.exif, metadata.iptc)
    if chosen.exif == "none" and key:
        _add_comment(descriptor, KEY_NAME + key.encode())


def _save_with(
    more: list[tuple[bytes, bytes]], picture: pyvips.Image, descriptor: int, options: dict[str, Any]
) -> None:
    """Save a PNG with further chunks behind its header."""
    inserter = png_colours.Inserter(descriptor, more)
    target = pyvips.TargetCustom()
    target.on_write(inserter.write)
    try:
        picture.pngsave_target(target, **options)
    except pyvips.Error:
        if inserter.failure is not None:
            raise inserter.failure from None
        raise


def _rewrite(descriptor: int, edit: Callable[[bytes], bytes]) -> None:
    """Replace what a file holds by what ``edit`` makes of it, which is no shorter."""
    new = edit(read_all(descriptor))
    os.lseek(descriptor, 0, os.SEEK_SET)
    view = memoryview(new)
    while view:
        view = view[os.write(descriptor, view) :]


def _rounded(stream: pyvips.Image, depth: int, most: int) -> pyvips.Image:
    """Round 16 bits a sample to the ``most`` that a format holds; libvips would cut them off."""
    if depth <= most:
        return stream
    kept = stream.linear((2**most - 1) / 65535, 0).rint()
    if most == 8:
        return kept.cast("uchar").copy(interpretation="srgb" if stream.bands > 2 else "b-w")
    return (kept * 2 ** (16 - most)).cast("ushort").copy(interpretation=stream.interpretation)


def _frames(picture: pyvips.Image, layout: Layout) -> Iterator[pyvips.Image]:
    """Cut a stream into frames, each in memory: rows come in their order only."""
    region = pyvips.Region.new(picture)
    size = (layout.width, layout.height)
    for index in range(layout.frames):
        data = region.fetch(0, index * layout.height, *size)
        frame = pyvips.Image.new_from_memory(data, *size, picture.bands, picture.format)
        frame = frame.copy(
            interpretation=picture.interpretation, xres=picture.xres, yres=picture.yres
        )
        for name in BLOCKS:
            if picture.get_typeof(name):
                frame.set_type(pyvips.GValue.blob_type, name, picture.get(name))
        yield frame


def _add_comment(descriptor: int, comment: bytes) -> None:
    """Put a comment extension after a GIF's global colours (GIF89a, sections 18, 19 and 24)."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    data = b"".join(iter(lambda: os.read(descriptor, 2**20), b""))
    at = _gif_start(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    view = memoryview(COMMENT + bytes([len(comment)]) + comment + b"\0" + data[at:])
    os.lseek(descriptor, at, os.SEEK_SET)
    while view:
        view = view[os.write(descriptor, view) :]


def _gif_start(head: bytes) -> int:
    """Return where the first block of a GIF lies, after its header and global colours."""
    flags = head[10]
    return 13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0)


def _described(stream: pyvips.Image, metadata: Metadata, chosen: Saving) -> pyvips.Image:
    xres, yres = metadata.resolution
    picture = stream.copy(xres=xres, yres=yres)
    apart = chosen.exif == "directory"  # EXIF and IPTC: libvips cuts the latter to a quarter
    blocks = (
        metadata.icc,
        stand_in(metadata.exif) if chosen.exif == "block" and metadata.exif else None,
        metadata.xmp,
        chosen.iptc(metadata.iptc) if chosen.iptc and metadata.iptc and not apart else None,
    )
    for name, block in zip(BLOCKS, blocks, strict=True):
        if block:
            picture.set_type(pyvips.GValue.blob_type, name, block)
    return picture


def read_key(path: Path) -> str | None:
    """Return the key that an output carries; None where it carries none or is not a picture."""
    try:
        flags = os.O_RDONLY | BINARY | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(path, flags)  # which does not wait for a pipe's other end
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        start = read_at(descriptor, 1024, 0)
        head = start[:4]
        if len(start) >= 13 and head == b"GIF8":
            comment = KEY.match(start, _gif_start(start))
            return comment[1].decode() if comment else None
        if head[:2] in (b"II", b"MM"):
            return exif.identifier(exif_in_tiff.of_tiff(descriptor))
        known = format_of(start[:512], descriptor)
        if known is None or not known.loader:
            return None
        picture = open_as(known.loader, descriptor)
        found = picture.get("exif-data") if picture.get_typeof("exif-data") else None
        return exif.identifier(bytes(found)) if found else None
    except (pyvips.Error, OSError, ValueError, InputError):
        return None
    finally:
        os.close(descriptor)
