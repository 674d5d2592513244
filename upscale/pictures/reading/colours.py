"""A picture's colours: the profile that goes with them, and from it to sRGB."""

from pathlib import Path

import numpy as np
import pyvips

from upscale.pictures.colours.icc import gray_as_rgb
from upscale.pictures.colours.signals import Signals
from upscale.pictures.containers.damage import damaged
from upscale.pictures.reading.blocks import metadata_of
from upscale.pixels.image import Pixels

__all__ = ["FLOATS", "array_to_srgb", "coloured", "image_of", "to_srgb"]

ICC = "icc-profile-data"
FLOATS = ("float", "double")


def coloured(image: pyvips.Image, said: Signals) -> pyvips.Image:
    """Give a picture whose file says its colours without a profile the profile that says the same.

    Numbers of H.273 go before a profile that is there, but for HDR: there it is how the picture's
    maker shows it without.
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


def to_srgb(image: pyvips.Image) -> pyvips.Image:
    """Convert from the picture's own profile, where it has one; gray stays gray."""
    if not image.get_typeof(ICC) or image.format in FLOATS:
        return image
    depth = 16 if image.format == "ushort" else 8
    if image.bands < 3 and (icc := gray_as_rgb(bytes(image.get(ICC)))):
        light = image[0].bandjoin([image[0], image[0]])
        light = light.copy(interpretation="rgb16" if depth == 16 else "srgb")
        light.set_type(pyvips.GValue.blob_type, ICC, icc)
        converted = light.icc_transform("srgb", embedded=True, depth=depth)[0]
        converted = converted.bandjoin(image[1]) if image.bands == 2 else converted
        converted = converted.copy(interpretation=image.interpretation)
        converted.remove(ICC)
        return converted
    converted = image.icc_transform("srgb", embedded=True, depth=depth)
    if image.bands < 3:
        converted = converted.colourspace("grey16" if depth == 16 else "b-w").copy()
        converted.remove(ICC)
    return converted


def array_to_srgb(path: Path, pixels: Pixels, icc: bytes) -> tuple[Pixels, bytes | None]:
    """Convert decoded ``pixels`` from their profile, as `to_srgb` does; return the new one, too."""
    try:
        picture = image_of(pixels).copy()
        picture.set_type(pyvips.GValue.blob_type, ICC, icc)
        picture = to_srgb(picture)
        converted: Pixels = picture.numpy().reshape(pixels.shape)
    except pyvips.Error as error:
        raise damaged(path, "has a damaged profile") from error
    return converted, metadata_of(picture).icc


def image_of(pixels: Pixels) -> pyvips.Image:
    """Take (H, W, C), uint8 or uint16, as `Image` has them."""
    gray, deep = pixels.shape[2] < 3, pixels.dtype == np.uint16
    space = (("srgb", "b-w"), ("rgb16", "grey16"))[deep][gray]
    return pyvips.Image.new_from_array(pixels, interpretation=space)
