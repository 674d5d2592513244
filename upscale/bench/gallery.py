"""The pictures of a benchmark: as files, and as one sheet of crops with figures under each."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from upscale.bench.contenders import System
from upscale.bench.sets.picture_sets import Pair
from upscale.bench.tables.table import DIGITS
from upscale.errors import OutputError
from upscale.metrics.protocol import METRICS
from upscale.pictures.writing.writer import Writer
from upscale.pixels.baselines import Levels
from upscale.pixels.image import Layout
from upscale.viewing.sheets.crops import textured_crops
from upscale.viewing.sheets.sheet import Panel, contact_sheet

__all__ = ["Sheet", "save_picture", "write_picture"]

CROP = 192
"""HR pixels a side of a crop on the sheet."""

MOST_PICTURES = 20
"""Of a set on one sheet: the first ones."""


def write_picture(path: Path, pixels: Levels) -> None:
    """Write (H, W, C), uint8, C = 1 or 3, in the format of the name. Raises OutputError."""
    height, width, channels = pixels.shape
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot be made ({error.strerror})") from error
    with Writer(path, Layout(width, height, channels, 8)) as writer:
        writer.write(np.ascontiguousarray(pixels, np.uint8))


def save_picture(folder: Path, set_name: str, system: System, pair: Pair, sr: Levels) -> None:
    """Keep a result as ``folder/SET/SYSTEM/PICTURE.png``."""
    write_picture(folder / set_name / _folder_name(system.label) / f"{pair.name}.png", sr)


def _folder_name(label: str) -> str:
    return re.sub(r"[^\w.-]+", "_", label).strip("._") or "_"


class Sheet:
    """Collects a crop of each picture by each system, and writes them side by side."""

    def __init__(self) -> None:
        """Begin an empty sheet."""
        self._rows: dict[tuple[str, str], list[Panel]] = {}
        self._windows: dict[tuple[str, str], tuple[slice, slice]] = {}

    def add(
        self,
        set_name: str,
        system: System,
        pair: Pair,
        sr: Levels,
        hr: Levels,
        figures: Mapping[str, float],
    ) -> None:
        """Add the most textured crop of a picture, the first time with HR before it."""
        key = set_name, pair.name
        if key not in self._rows:
            if sum(name == set_name for name, _ in self._rows) == MOST_PICTURES:
                return
            ((left, top),) = textured_crops(hr, CROP, 1)
            window = (slice(top, top + CROP), slice(left, left + CROP))
            self._windows[key] = window
            self._rows[key] = [Panel(hr[window].copy(), "HR")]
        lines = tuple(
            f"{METRICS[name]} {value:.{DIGITS.get(name, 4)}f}" for name, value in figures.items()
        )
        self._rows[key].append(Panel(sr[self._windows[key]].copy(), system.label, lines))

    def write(self, path: Path) -> None:
        """Write the sheet in the format of the name. Raises OutputError."""
        rows = {f"{set_name} {picture}": row for (set_name, picture), row in self._rows.items()}
        text = Panel(
            np.zeros((0, 0, 3), np.uint8), "Crops at 100 %", ("Figures are of the whole pictures.",)
        )
        write_picture(path, contact_sheet(rows, text))
