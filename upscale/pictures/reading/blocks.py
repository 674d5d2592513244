"""The blocks of metadata of a picture that libvips reads: ours, where we find them in its file."""

from collections.abc import Sequence

import pyvips

from upscale.pictures.containers.jpeg import segments as jpeg
from upscale.pictures.containers.tiff.page import pages
from upscale.pictures.metadata import exif, iptc, xmp
from upscale.pictures.metadata.found import gif as gif_blocks
from upscale.pictures.metadata.found import jpeg as jpeg_blocks
from upscale.pictures.metadata.found import png as png_blocks
from upscale.pictures.metadata.found import webp as webp_blocks
from upscale.pictures.metadata.found.blocks import Blocks
from upscale.pixels.image import Metadata

__all__ = ["FINEST", "described", "metadata_of", "orientation_of"]

FINDERS = {"gif": gif_blocks.blocks, "png": png_blocks.blocks, "webp": webp_blocks.blocks}
"""The functions that find blocks in a file, by libvips' name of the loader."""

FINEST = 1e6
"""Pixels per millimetre from which on a resolution is impossible; libvips stores no more."""

TURNED_BY_XMP = ("jpeg", "png", "tiff", "webp")
"""Loaders of formats in which XMP's orientation counts if neither the file nor EXIF has one."""


def metadata_of(image: pyvips.Image) -> Metadata:
    """Return the blocks of metadata that libvips' fields hold."""
    datasets = _block(image, "iptc-data")
    return Metadata(
        icc=_block(image, "icc-profile-data"),
        exif=_block(image, "exif-data"),
        xmp=_block(image, "xmp-data"),
        iptc=iptc.bare(datasets) if datasets else None,
        resolution=(image.xres, image.yres),
    )


def described(
    image: pyvips.Image, loader: str, descriptor: int, segments: Sequence[jpeg.Segment]
) -> tuple[pyvips.Image, Blocks]:
    """Return a picture with the blocks that are found in its file, and these blocks.

    If nothing here finds blocks for ``loader``, libvips' own stay.
    """
    if loader == "jpeg":
        found = jpeg_blocks.blocks(segments)
    elif loader in FINDERS:
        found = FINDERS[loader](descriptor)
    else:
        if loader == "tiff" and not _says_orientation(descriptor):
            image = image.copy()
            image.remove("orientation")  # which libvips always gives
        return image, Blocks()
    return _with_blocks(image, found), found


def orientation_of(image: pyvips.Image, loader: str) -> int:
    """Return the orientation, 1 to 8: the file's or that of EXIF, otherwise that of XMP."""
    if image.get_typeof("orientation"):
        found = int(image.get("orientation"))
        return found if 1 <= found <= 8 else 1
    if loader not in TURNED_BY_XMP:
        return 1
    metadata = metadata_of(image)
    by_exif = exif.orientation(metadata.exif) if metadata.exif else None
    if by_exif is not None:
        return by_exif
    return xmp.orientation(metadata.xmp) if metadata.xmp else 1


def _says_orientation(descriptor: int) -> bool:
    """Say whether the first page of a TIFF states an orientation, or is damaged."""
    try:
        return pages(descriptor, 1)[0].orientation is not None
    except (ValueError, IndexError):
        return True


def _with_blocks(image: pyvips.Image, found: Blocks) -> pyvips.Image:
    """Return a picture with the blocks that are found, and none of libvips' own."""
    described = image.copy()
    for name, block in (
        ("icc-profile-data", found.icc),
        ("exif-data", found.exif),
        ("xmp-data", found.xmp),
        ("iptc-data", found.iptc),
    ):
        if block:
            described.set_type(pyvips.GValue.blob_type, name, block)
        elif described.get_typeof(name):
            described.remove(name)
    return described


def _block(image: pyvips.Image, name: str) -> bytes | None:
    return bytes(image.get(name)) if image.get_typeof(name) else None
