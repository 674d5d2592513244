"""How large a picture may be: to be read, and to be held by the format that it is written to."""

from pathlib import Path
from typing import TYPE_CHECKING

from upscale.errors import InputError, OutputError

if TYPE_CHECKING:
    from upscale.pictures.record import Saving

__all__ = ["MAX_PIXELS", "MAX_SIDE", "check_format", "check_pixels"]

MAX_PIXELS = 2**28
"""Pixels of an input above which it is taken for a decompression bomb (16384 × 16384)."""

MAX_SIDE = 1_000_000
"""Pixels a side above which an input is refused, whatever its other side is."""


def check_format(path: Path, width: int, height: int) -> "Saving":
    """Return what ``path`` can hold; OutputError where that is unknown or less than one frame."""
    from upscale.pictures.formats import WRITABLE, suffix_of

    suffix = suffix_of(path)
    if suffix not in WRITABLE:
        raise OutputError(
            f"{path}: cannot write {suffix or 'a file without a suffix'}; "
            f"write one of {', '.join(WRITABLE)}",
            code="unsupported-format",
        )
    limit = WRITABLE[suffix].side_limit
    if max(width, height) > limit:
        held = f"the {limit:,} pixels a side that {suffix} holds; write .png or .tif"
        message = f"{path}: {width} × {height} is more than {held}"
        raise OutputError(message, code="too-large-for-format")
    return WRITABLE[suffix]


def check_pixels(path: Path, width: int, height: int, max_pixels: int, frames: int = 1) -> None:
    """Raise InputError for more than ``max_pixels`` in all frames, or a side too long for it."""
    side = MAX_SIDE * max(1, max_pixels // MAX_PIXELS)
    if width * height * frames > max_pixels or max(width, height) > side:
        of_frames = f" of {frames} frames" if frames > 1 else ""
        raise InputError(
            f"{path}: {width} × {height}{of_frames} is more than {max_pixels:,} pixels, or "
            f"{side:,} a side; raise --max-pixels if you trust the file",
            code="too-large",
        )
