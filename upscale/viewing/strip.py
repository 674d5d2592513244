"""The strip from which a person chooses alpha: the whole picture, and its crops at each alpha."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image as Pillow

from upscale.pixels.baselines import BASELINES, Levels
from upscale.pixels.image import Pixels
from upscale.viewing.sheet import Panel, contact_sheet, mark

__all__ = ["Window", "bicubic_crop", "draw_strip", "to_levels"]

Window = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the input."""

OVERVIEW_HEIGHT = 480
NARROWEST_OVERVIEW = 320
"""Pixels that the whole picture is reduced to, at most; in width, half of the crops below it."""

BICUBIC_CONTEXT = 4
GRAY = 128
"""The level that shows through, in the strip, where a picture is not opaque."""


def to_levels(pixels: Pixels) -> Levels:
    """Return (H, W, 1 or 3), uint8; opacity over `GRAY`."""
    top = np.iinfo(pixels.dtype).max
    if pixels.shape[2] in (1, 3):
        return np.rint(pixels / (top / 255)).astype(np.uint8)
    opacity = pixels[..., -1:] / top
    colour = pixels[..., :-1] * (255 / top)
    return np.asarray(np.rint(GRAY + (colour - GRAY) * opacity).astype(np.uint8))


def bicubic_crop(shown: Levels, window: Window, scale: int) -> Levels:
    """Enlarge a window of (H, W, 1 or 3), uint8, as the whole picture would be.

    The kernel reaches two pixels of the input.
    """
    left, top, width, height = window
    lr_left, lr_top = max(0, left - BICUBIC_CONTEXT), max(0, top - BICUBIC_CONTEXT)
    seen = shown[lr_top : top + height + BICUBIC_CONTEXT, lr_left : left + width + BICUBIC_CONTEXT]
    large = BASELINES["bicubic"](seen, scale)
    hr_left, hr_top = (left - lr_left) * scale, (top - lr_top) * scale
    return large[hr_top : hr_top + height * scale, hr_left : hr_left + width * scale]


def draw_strip(
    shown: Levels,
    windows: Sequence[Window],
    columns: Mapping[str, Sequence[Levels]],
    name: str,
    model: str,
) -> Levels:
    """Draw the strip: (H, W, 3), uint8.

    ``shown``: the picture, (h, w, 1 or 3); ``columns``: for each title its crops, one a window, all
    of one size. On top stands the picture called ``name``, reduced, with the windows marked.
    """
    rows = {
        f"crop {number + 1}\nat {left},{top}": [
            Panel(crops[number], title) for title, crops in columns.items()
        ]
        for number, (left, top, _, _) in enumerate(windows)
    }
    height, width = shown.shape[:2]
    large = next(iter(columns.values()))[0].shape[1]
    room = max(NARROWEST_OVERVIEW, len(columns) * large // 2)
    factor = min(1, room / width, OVERVIEW_HEIGHT / height)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    whole = Pillow.fromarray(shown if shown.shape[2] == 3 else shown[..., 0])
    small = np.asarray(whole.resize(size, Pillow.Resampling.LANCZOS, reducing_gap=3))
    marked = mark(small, [_scaled(window, factor) for window in windows])
    across, down = windows[0][2:]
    lines = (
        f"{width} × {height} pixels. Crops of {across} × {down}, enlarged {large // across} times, "
        "at 100 %.",
        "bicubic: the input, interpolated.",
        "alpha 0: the PSNR-trained end, which invents nothing.",
        "alpha 1: the GAN-trained end, crispest.",
        f"upscale {name} --model {model} --alpha …",
    )
    return contact_sheet(rows, Panel(marked, name, lines))


def _scaled(window: Window, factor: float) -> Window:
    left, top, width, height = (round(each * factor) for each in window)
    return left, top, max(1, width), max(1, height)
