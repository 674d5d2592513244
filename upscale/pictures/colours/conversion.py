"""The conversion from a picture's own profile to sRGB, and which profiles can be used for it."""

import io

import pyvips
from PIL import ImageCms

from upscale.pictures.colours.icc import gray_as_rgb

__all__ = ["ICC", "fault", "mended", "to_srgb"]

ICC = "icc-profile-data"
"""libvips' name of a picture's profile."""

SPACES = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}
"""What a profile calls the colours that it describes, by Pillow's mode."""


def fault(image: pyvips.Image, used: bool) -> str:
    """Say why a picture's profile cannot be used, as in "is cut"; empty if it can be.

    Without a warning, libvips would use another profile then. ``used``: whether colours are
    converted by it, and it is not only carried over.
    """
    icc = bytes(image.get(ICC))
    mode = "CMYK" if image.interpretation == "cmyk" else "L" if image.bands < 3 else "RGB"
    if int.from_bytes(icc[:4], "big") > len(icc):  # ICC.1:2022, 7.2.2
        return "is cut"
    if not (len(icc) >= 132 and icc[36:40] == b"acsp" and icc[16:20] == SPACES[mode]):
        return "does not fit it"
    if used:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        except (OSError, ImageCms.PyCMSError):
            return "is damaged"
    return ""


def mended(icc: bytes) -> bytes:
    """Return a profile of the length that it states, and that its version allows.

    Bytes behind the profile are left out, and one of version 4 gets zeros up to a multiple of four
    (ICC.1:2022, 7.1.2 and 7.2.2). libpng refuses other profiles; a sound one stays as it is.
    """
    size = int.from_bytes(icc[:4], "big")
    if not 128 < size <= len(icc):
        return icc
    filling = bytes(-size % 4 if icc[8] >= 4 else 0)
    return (size + len(filling)).to_bytes(4, "big") + icc[4:size] + filling


def to_srgb(image: pyvips.Image) -> pyvips.Image:
    """Convert a picture from its own profile to sRGB; without a profile, return it as it is.

    Gray stays gray. Raises pyvips.Error.
    """
    if not image.get_typeof(ICC):
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
