"""The strip by which one chooses alpha by eye: the whole picture, and its crops at each alpha."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image as Pillow

from upscale.pixels.baselines import Levels
from upscale.pixels.image import Pixels
from upscale.viewing.sheets.crops import Window
from upscale.viewing.sheets.sheet import Panel, contact_sheet, mark

__all__ = ["draw_strip", "to_levels"]

OVERVIEW_HEIGHT = 480
"""Height of the reduced picture in pixels, at most."""
NARROWEST_OVERVIEW = 320
"""Width in pixels that it may always have; otherwise half the width of the crops below it."""

GRAY = 128
"""The level that shows through transparent places."""


def to_levels(pixels: Pixels) -> Levels:
    """Return (H, W, C), uint8 or uint16, as (H, W, 1 or 3), uint8; opacity lies over `GRAY`."""
    top = np.iinfo(pixels.dtype).max
    if pixels.shape[2] in (1, 3):
        return np.rint(pixels / (top / 255)).astype(np.uint8)
    opacity = pixels[..., -1:] / top
    colour = pixels[..., :-1] * (255 / top)
    return np.asarray(np.rint(GRAY + (colour - GRAY) * opacity).astype(np.uint8))


def draw_strip(
    shown: Levels,
    windows: Sequence[Window],
    columns: Mapping[str, Sequence[Levels]],
    name: str,
    model: str,
) -> Levels:
    """Return the strip: (H, W, 3), uint8.

    ``shown``: the picture called ``name``, (h, w, 1 or 3), uint8. It stands on top, reduced, with
    the ``windows`` marked. ``columns``: for each title, the crop of each window, all of one size.
    ``model``: its name, for the command that the strip shows.
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
        "bicubic: the input, enlarged without a network.",
        "alpha 0: the PSNR-trained end, the most faithful.",
        "alpha 1: the GAN-trained end, the crispest.",
        f"upscale {name} --model {model} --alpha …",
    )
    return contact_sheet(rows, Panel(marked, name, lines))


def _scaled(window: Window, factor: float) -> Window:
    left, top, width, height = (round(each * factor) for each in window)
    return left, top, max(1, width), max(1, height)
