"""The blocks of metadata that libvips has found in a file, and those that it hands on as texts."""

import pyvips

from upscale.pictures.metadata import exif, iptc, raw_profile, xmp
from upscale.pixels.image import Metadata

__all__ = ["metadata_of", "orientation_of", "with_blocks"]

TEXT = "png-comment-"
"""What libvips calls the texts of a PNG, before a number, a hyphen and the keyword."""

TURNED_BY_XMP = ("jpeg", "png", "webp")
"""Loaders whose formats keep no orientation outside EXIF and XMP."""


def metadata_of(image: pyvips.Image) -> Metadata:
    """Return the blocks; where a PNG has one twice, that of its own chunk."""
    texts = _raw_profiles(image)
    datasets = _block(image, "iptc-data")
    return Metadata(
        icc=_block(image, "icc-profile-data") or texts.icc,
        exif=_block(image, "exif-data") or texts.exif,
        xmp=_block(image, "xmp-data") or texts.xmp,
        iptc=iptc.bare(datasets) if datasets else texts.iptc,
        resolution=(image.xres, image.yres),
    )


def with_blocks(image: pyvips.Image, more: raw_profile.Blocks) -> pyvips.Image:
    """Give a picture the blocks that libvips did not find in its file; those that it has, stay."""
    had = metadata_of(image)
    pairs = (
        ("icc-profile-data", had.icc, more.icc),
        ("exif-data", had.exif, more.exif),
        ("xmp-data", had.xmp, more.xmp),
        ("iptc-data", had.iptc, more.iptc),
    )
    new = {name: block for name, own, block in pairs if block and not own}
    if not new:
        return image
    described = image.copy()
    for name, block in new.items():
        described.set_type(pyvips.GValue.blob_type, name, block)
    return described


def orientation_of(image: pyvips.Image, loader: str) -> int:
    """Return the orientation, 1 to 8: that of EXIF or TIFF, else that of XMP."""
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


def _block(image: pyvips.Image, name: str) -> bytes | None:
    return bytes(image.get(name)) if image.get_typeof(name) else None


def _raw_profiles(image: pyvips.Image) -> raw_profile.Blocks:
    names = [name for name in image.get_fields() if name.startswith(TEXT)]
    texts = {name.removeprefix(TEXT).partition("-")[2]: str(image.get(name)) for name in names}
    return raw_profile.blocks(texts)
