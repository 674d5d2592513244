"""A camera RAW made by hand."""

import io

import numpy as np
import tifffile


def noise(height: int, width: int, channels: int, top: int = 255) -> np.ndarray:
    dtype = np.uint8 if top <= 255 else np.uint16
    return np.random.default_rng(0).integers(0, top, (height, width, channels), dtype, True)


def dng(orientation: int = 1, **options: object) -> tuple[bytes, np.ndarray]:
    """A DNG of a camera that sees linear sRGB, and the RGB, (H, W, 3), that it saw."""
    seen = np.kron(noise(3, 4, 3, 65535), np.ones((32, 32, 1), np.uint16))
    mosaic = seen[..., 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = seen[::2, ::2, 0], seen[1::2, 1::2, 2]
    from_xyz = (32405, -15371, -4985, -9693, 18760, 416, 556, -2040, 10572)  # IEC 61966-2-1
    tags = [
        (271, 2, 0, "Maker", True),
        (274, 3, 1, orientation, True),
        (33421, 3, 2, (2, 2), True),  # the repeated pattern: red, green, green, blue
        (33422, 1, 4, b"\0\1\1\2", True),
        (50706, 1, 4, b"\1\4\0\0", True),
        (50708, 2, 0, "Maker Model", True),
        (50714, 4, 1, 0, True),  # black
        (50717, 4, 1, 65535, True),  # white
        (50721, 10, 9, [part for number in from_xyz for part in (number, 10000)], True),
        (50728, 5, 3, (1,) * 6, True),  # neutral
        (50778, 3, 1, 21, True),  # D65
    ]
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, mosaic, photometric="cfa", metadata=None, software=False, extratags=tags, **options
    )
    return buffer.getvalue(), seen
