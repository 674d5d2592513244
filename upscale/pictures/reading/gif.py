"""GIF → its frames as they are shown, drawn onto a canvas that is transparent at first.

Unless a colour is transparent, libvips 8.18 shows black where no frame has drawn and where one was
cleared; it also fills up codes that end early. So Pillow decodes each frame by itself, and frames
are drawn here.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from upscale.pictures.containers.damage import cut, damaged
from upscale.pictures.containers.gif import BACKGROUND, PREVIOUS, Frame, scan
from upscale.pictures.containers.png import Timing
from upscale.pictures.decoders.base import pillow_open
from upscale.pictures.limits import check_pixels
from upscale.pixels.spool import Pixels

__all__ = ["frames", "timing"]

RAMP = bytes(value for value in range(256) for _ in range(3))
"""A palette of grays, each of which is its own number, so that Pillow returns the numbers."""


def timing(path: Path, descriptor: int) -> Timing:
    """Return an animation's timing and shape, without decoding. Raises InputError."""
    return scan(path, descriptor)[0]


def frames(path: Path, descriptor: int, max_pixels: int) -> Iterator[Pixels]:
    """Yield each frame as it is shown: (H, W, C), uint8, as `timing` announces.

    Raises InputError as `timing` does, if a frame's codes are damaged or end early, and if a frame
    has more than ``max_pixels``: it may be larger than the canvas, to which it is cropped.
    """
    shape, found = scan(path, descriptor)
    for frame in found:
        check_pixels(path, frame.width, frame.height, max_pixels)
    canvas: Pixels = np.zeros((shape.height, shape.width, shape.channels), np.uint8)
    for index, frame in enumerate(found, 1):
        codes = _codes(path, frame, index)
        table = np.zeros((256, shape.channels), np.uint8)
        palette = np.frombuffer(frame.palette, np.uint8).reshape(-1, 3)
        table[: len(palette), :3] = palette
        table[:, 3:] = 255
        region = canvas[frame.top :, frame.left :][: frame.height, : frame.width]
        codes = codes[: region.shape[0], : region.shape[1]]
        before = region.copy() if frame.dispose in PREVIOUS else 0
        drawn = codes != (-1 if frame.transparent is None else frame.transparent)
        region[drawn] = table[codes[drawn]]
        yield canvas.copy()
        if frame.dispose == BACKGROUND or frame.dispose in PREVIOUS:
            region[:] = before


def _codes(path: Path, frame: Frame, index: int) -> Pixels:
    """Decode a frame to the numbers of its colours: (H, W), uint8."""
    if 0 in (frame.width, frame.height):
        return np.zeros((frame.height, frame.width), np.uint8)
    sides = struct.pack("<HH", frame.width, frame.height)
    head = b"GIF89a" + sides + b"\xf7\0\0" + RAMP + b",\0\0\0\0" + sides
    still = head + bytes([0x40 * frame.interlaced]) + frame.data + b";"
    try:
        with pillow_open(still, "GIF") as picture:
            found = np.asarray(picture)
    except (OSError, ValueError, SyntaxError) as error:
        if "truncated" in str(error):
            raise cut(path, f"frame {index}") from error
        raise damaged(path, f"is damaged (frame {index})") from error
    return found
