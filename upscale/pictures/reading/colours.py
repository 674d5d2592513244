"""A picture's colours: the profile that belongs to them, and the conversion to sRGB."""

from pathlib import Path

import numpy as np
import pyvips

from upscale.pictures.colours.conversion import ICC, fault, mended, to_srgb
from upscale.pictures.colours.signals import Signals
from upscale.pictures.containers.damage import damaged
from upscale.pictures.reading.blocks import metadata_of
from upscale.pixels.image import Pixels

__all__ = ["FLOATS", "array_to_srgb", "coloured", "image_of", "in_rgb", "with_sound_profile"]

FLOATS = ("float", "double")
OWN_PROFILE = ("b-w", "srgb", "grey16", "rgb16", "multiband", "rgb", "scrgb")


def coloured(image: pyvips.Image, said: Signals) -> pyvips.Image:
    """Return a picture with the profile for what its file says of its colours by other means.

    Code points of H.273 count more than a profile in the file, except for HDR: there the profile is
    how the picture's maker wants it shown without HDR.
    """
    points = said.code_points
    own = bytes(image.get(ICC)) if image.get_typeof(ICC) else None
    icc = metadata_of(image).icc
    if icc is None or (points and not points.hdr):
        icc = said.profile(gray=image.bands < 3)
    if icc == own:
        return image
    image = image.copy()
    if icc is None:
        image.remove(ICC)
    else:
        image.set_type(pyvips.GValue.blob_type, ICC, icc)
    return image


def with_sound_profile(
    path: Path, image: pyvips.Image, used: bool
) -> tuple[pyvips.Image, tuple[str, ...]]:
    """Leave out, with a warning, a profile that cannot be used; ``used``: as for `fault`.

    One whose length alone is wrong is `mended`.
    """
    if not image.get_typeof(ICC):
        return image, ()
    found = fault(image, used or image.interpretation == "cmyk")
    own = bytes(image.get(ICC))
    if not found and mended(own) == own:
        return image, ()
    image = image.copy()
    if not found:
        image.set_type(pyvips.GValue.blob_type, ICC, mended(own))
        return image, ()
    image.remove(ICC)
    return image, (f"{path}: its colour profile {found} and is left out",)


def in_rgb(image: pyvips.Image, heif: bool) -> pyvips.Image:
    """Convert CMYK, Lab and other spaces to sRGB; gray and RGB stay in their own profile.

    ``heif``: whether libvips' loader of HEIF has read the samples.
    """
    bits = image.get("bits-per-sample") if image.get_typeof("bits-per-sample") else 16
    if heif and image.format == "ushort" and bits < 16:
        # libvips shifts the samples up; the greatest one has to become 65535
        image = image.linear(65535 / (65536 - 2 ** (16 - bits)), 0).rint().cast("ushort")
    if image.interpretation == "cmyk":
        depth = 16 if image.format == "ushort" else 8
        colours = image.extract_band(0, n=4) if image.bands == 5 else image
        rgb = colours.icc_transform("srgb", embedded=True, input_profile="cmyk", depth=depth)
        # libvips takes opacity beside inks to have 8 bits
        return rgb.bandjoin(image.extract_band(4)) if image.bands == 5 else rgb
    return image if image.interpretation in OWN_PROFILE else image.colourspace("srgb")


def array_to_srgb(path: Path, pixels: Pixels, icc: bytes) -> tuple[Pixels, bytes | None]:
    """Convert ``pixels``, (H, W, C), from their profile ``icc`` as `to_srgb` does.

    Returns them, and the profile that they have then. Raises InputError for a damaged profile.
    """
    try:
        picture = image_of(pixels).copy()
        picture.set_type(pyvips.GValue.blob_type, ICC, icc)
        picture = to_srgb(picture)
        converted: Pixels = picture.numpy().reshape(pixels.shape)
    except pyvips.Error as error:
        raise damaged(path, "has a damaged profile") from error
    return converted, metadata_of(picture).icc


def image_of(pixels: Pixels) -> pyvips.Image:
    """Return libvips' picture of (H, W, C), uint8 or uint16, with channels as in `Image`."""
    gray, deep = pixels.shape[2] < 3, pixels.dtype == np.uint16
    space = (("srgb", "b-w"), ("rgb16", "grey16"))[deep][gray]
    return pyvips.Image.new_from_array(pixels, interpretation=space)
