"""How large a picture may be: to be read, and to be written in a format."""

from pathlib import Path
from typing import TYPE_CHECKING

from upscale.errors import InputError, OutputError

if TYPE_CHECKING:
    from upscale.pictures.record import Saving

__all__ = ["MAX_PIXELS", "MAX_SIDE", "check_format", "check_pixels"]

MAX_PIXELS = 2**28
"""Pixels above which an input is taken for a decompression bomb (16384 × 16384)."""

MAX_SIDE = 1_000_000
"""Pixels of a side above which an input is refused, however short its other side is."""


def check_format(path: Path, width: int, height: int) -> "Saving":
    """Return what a file with the name ``path`` can hold.

    Raises OutputError if its format cannot be written, or cannot hold a frame of this size.
    """
    from upscale.pictures.formats import WRITABLE, suffix_of

    suffix = suffix_of(path)
    if suffix not in WRITABLE:
        raise OutputError(
            f"{path}: {suffix or 'a file without a suffix'} cannot be written; "
            f"write one of {', '.join(WRITABLE)}",
            code="unsupported-format",
        )
    limit = WRITABLE[suffix].side_limit
    if max(width, height) > limit:
        raise OutputError(
            f"{path}: would have {width} × {height} pixels, and {suffix} holds {limit:,} a side at "
            "most; write .png or .tif",
            code="too-large-for-format",
        )
    return WRITABLE[suffix]


def check_pixels(path: Path, width: int, height: int, max_pixels: int, frames: int = 1) -> None:
    """Raise InputError for more than ``max_pixels`` in all frames, or for too long a side.

    A side may have `MAX_SIDE` pixels, and more in proportion if ``max_pixels`` is above
    `MAX_PIXELS`.
    """
    side = MAX_SIDE * max(1, max_pixels // MAX_PIXELS)
    if width * height * frames > max_pixels or max(width, height) > side:
        in_frames = f" in each of {frames} frames" if frames > 1 else ""
        raise InputError(
            f"{path}: has {width} × {height} pixels{in_frames}, and {max_pixels:,} in all and "
            f"{side:,} a side are allowed; raise --max-pixels if you trust the file",
            code="too-large",
        )
