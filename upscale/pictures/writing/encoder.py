"""A stream of rows → one file of some format, with its metadata."""

import mmap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyvips

from upscale.pictures.colours import nclx, png_colours
from upscale.pictures.colours.conversion import ICC, to_srgb
from upscale.pictures.colours.icc import gray_as_rgb
from upscale.pictures.decoders.base import read_all
from upscale.pictures.formats import WRITABLE
from upscale.pictures.metadata import exif_in_tiff
from upscale.pictures.metadata.stand_in import exchange, stand_in
from upscale.pictures.record import Saving
from upscale.pictures.writing.apng import Assembler
from upscale.pictures.writing.encoding import Encoding
from upscale.pictures.writing.key import add_to_gif
from upscale.pictures.writing.texts import add_to_jpeg, gif_comment, gif_xmp, png_chunk
from upscale.pixels.image import Layout, Metadata
from upscale.system import write_at

__all__ = ["encode"]

PAGE = 1000
"""Milliseconds that a page is shown where an animation is made of pages."""

BLOCKS = (ICC, "exif-data", "xmp-data", "iptc-data")


def encode(
    stream: pyvips.Image,
    descriptor: int,
    suffix: str,
    layout: Layout,
    metadata: Metadata,
    encoding: Encoding,
    key: str | None,
) -> None:
    """Save ``stream`` (frames one above the other) to ``descriptor``.

    Raises pyvips.Error, OSError and ValueError.
    """
    chosen = WRITABLE[suffix]
    depth = min(layout.depth, encoding.depth(suffix, layout.channels))
    pixels = layout.width * layout.height
    raw = pixels * layout.frames * layout.channels * layout.depth // 8
    options = encoding.options(suffix, depth, pixels, raw)
    if layout.channels < 3 and not chosen.gray and metadata.icc:
        stream, metadata = _gray_as_rgb(stream, metadata, metadata.icc)
    picture = _described(_rounded(stream, layout.depth, depth), metadata, chosen)
    if layout.channels in (2, 4) and not chosen.opacity:
        picture = picture.flatten(background=255 if picture.format == "uchar" else 65535)
    points = metadata.code_points
    more = png_colours.colour_chunks(points) if points and chosen.code_points == "chunks" else []
    if chosen.texts == "all":
        more += [png_chunk(each) for each in metadata.texts]
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
        write_at(descriptor, nclx.with_code_points(read_all(descriptor), points), 0)
    if chosen.exif == "directory" and (metadata.exif or metadata.iptc):
        exif_in_tiff.write_to_tiff(descriptor, metadata.exif, metadata.iptc)
    if chosen.exif == "none":
        texts = b"".join(gif_comment(each.text) for each in metadata.texts)
        add_to_gif(descriptor, key, texts + (gif_xmp(metadata.xmp) if metadata.xmp else b""))
    elif chosen.texts == "comment" and metadata.texts:
        add_to_jpeg(descriptor, metadata.texts)


def _gray_as_rgb(
    stream: pyvips.Image, metadata: Metadata, icc: bytes
) -> tuple[pyvips.Image, Metadata]:
    """Make gray RGB, whose profile has the same curve; libvips would drop that of gray."""
    curved = gray_as_rgb(icc)
    if curved is None:
        stream = stream.copy()
        stream.set_type(pyvips.GValue.blob_type, ICC, icc)
        stream = to_srgb(stream)
    space = "rgb16" if stream.format == "ushort" else "srgb"
    gray = [stream[0]] * 3
    rgb = gray[0].bandjoin([*gray[1:], *stream.bandsplit()[1:]]).copy(interpretation=space)
    return rgb, replace(metadata, icc=curved)


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
