"""AVIF's pixels by OpenCV (libavif): interpolated chroma, opacity, all frames.

libheif 1.23, through which libvips reads AVIF, repeats the chroma of 4:2:0 and reads one frame. If
a file turns its opacity otherwise than its colours, so does libheif. OpenCV, in turn, ignores how a
picture is to be turned.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from upscale.pictures.containers.heif import edits
from upscale.pictures.containers.heif.primary import frame_count, primary_properties
from upscale.pictures.decoders.base import Pixels, in_rgb, opencv_decode, read_all, widen

__all__ = ["Frames", "decode"]


@dataclass(frozen=True)
class Frames:
    """An AVIF as it is shown, upright."""

    pixels: Pixels
    """(frames · H, W, 3 or 4), uint8, or uint16 over its whole range."""
    delays: tuple[int, ...] = ()
    """Milliseconds that each frame of an animation is shown; empty for a still picture."""
    loop: int = 0
    """How often an animation plays; 0: for ever."""


def decode(descriptor: int, size: tuple[int, int], bits: int) -> Frames | None:
    """Decode a picture of ``size`` (width, height, upright) with ``bits`` per sample.

    Returns None if OpenCV has no libavif, does not take the file, or finds another size, as of a
    picture that is to be cropped, which libavif does not do.
    """
    data = edits.without_metadata(read_all(descriptor))
    delays: tuple[int, ...] = ()
    loop = 0
    if frame_count(descriptor) > 1:
        found = _animation(data)
        if found is None:
            return None
        frames = [in_rgb(frame) for frame in found.frames]
        delays, loop = tuple(int(delay) for delay in found.durations), int(found.loop_count)
    else:
        picture = opencv_decode(data)
        if picture is None:
            return None
        turns = primary_properties(descriptor)
        frames = [_turned(picture, turns)]
    if any(frame.shape[1::-1] != size or frame.max() >= 2**bits for frame in frames):
        return None
    pixels = widen(np.concatenate(frames), 2**bits - 1)
    return Frames(np.repeat(pixels, 3, 2) if pixels.shape[2] == 1 else pixels, delays, loop)


def _animation(data: bytes) -> Any:
    import cv2

    try:
        read, found = cv2.imdecodeanimation(np.frombuffer(data, np.uint8))
    except (cv2.error, AttributeError):  # before OpenCV 4.11
        return None
    return found if read else None


def _turned(pixels: Pixels, properties: list[tuple[bytes, bytes]]) -> Pixels:
    """Turn and mirror (H, W, C) in the order of the properties (23008-12, 6.5.10 to 6.5.12)."""
    for kind, contents in properties:
        if kind == b"irot":
            pixels = np.rot90(pixels, contents[0] & 3)
        elif kind == b"imir":
            pixels = pixels[:, ::-1] if contents[0] & 1 else pixels[::-1]
    return pixels
