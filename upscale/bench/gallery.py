"""The pictures of a benchmark as files, and a sheet of crops with figures under each."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from upscale.bench.contenders import System
from upscale.bench.sets.picture_sets import Pair
from upscale.errors import OutputError
from upscale.metrics.protocol import METRICS
from upscale.pictures.writing.writer import Writer
from upscale.pixels.baselines import Levels
from upscale.pixels.image import Layout
from upscale.viewing.sheets.crops import textured_crops
from upscale.viewing.sheets.sheet import Panel, contact_sheet

__all__ = ["AlphaSheet", "Sheet", "save_picture", "write_picture"]

CROP = 192
"""Side of a crop on the sheet, in HR pixels."""

MOST_PICTURES = 20
"""Most pictures of a set on one sheet: the first ones."""


def write_picture(path: Path, pixels: Levels) -> None:
    """Write (H, W, C), uint8, C = 1 or 3, in the format of the name. Raises OutputError."""
    height, width, channels = pixels.shape
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot be created ({error.strerror})") from error
    with Writer(path, Layout(width, height, channels, 8)) as writer:
        writer.write(np.ascontiguousarray(pixels, np.uint8))


def save_picture(folder: Path, set_name: str, system: System, pair: Pair, sr: Levels) -> None:
    """Save a result as ``folder/SET/SYSTEM/PICTURE.png``."""
    write_picture(folder / set_name / _folder_name(system.label) / f"{pair.name}.png", sr)


def _folder_name(label: str) -> str:
    return re.sub(r"[^\w.-]+", "_", label).strip("._") or "_"


class Sheet:
    """Collects a crop of each picture from each system, and writes them side by side."""

    def __init__(self) -> None:
        """Begin an empty sheet."""
        self._rows: dict[tuple[str, str], dict[str, list[Panel]]] = {}
        self._truths: dict[tuple[str, str], tuple[tuple[slice, slice], Panel]] = {}

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
        if key not in self._truths:
            if sum(name == set_name for name, _ in self._truths) == MOST_PICTURES:
                return
            ((left, top),) = textured_crops(hr, CROP, 1)
            window = (slice(top, top + CROP), slice(left, left + CROP))
            self._truths[key] = window, Panel(hr[window].copy(), "HR")
        window, truth = self._truths[key]
        lines = tuple(
            f"{METRICS[name].title} {METRICS[name].shown(value)}" for name, value in figures.items()
        )
        rows = self._rows.setdefault(key, {})
        for row, title in self._places(f"{set_name} {pair.name}", system):
            panels = rows.setdefault(row, [truth])
            panels.append(Panel(sr[window].copy(), title, lines))

    def _places(self, picture: str, system: System) -> Iterator[tuple[str, str]]:
        """Yield the row and the title of a result."""
        yield picture, system.label

    def write(self, path: Path) -> None:
        """Write the sheet in the format of the name. Raises OutputError."""
        text = Panel(
            np.zeros((0, 0, 3), np.uint8), "Crops at 100 %", ("Figures are for whole pictures.",)
        )
        rows = {name: row for rows in self._rows.values() for name, row in rows.items()}
        write_picture(path, contact_sheet(rows, text))


class AlphaSheet(Sheet):
    """Figure 10 of Wang et al. 2018: a column for each alpha, network above image interpolation.

    Systems without an alpha are left out.
    """

    def _places(self, picture: str, system: System) -> Iterator[tuple[str, str]]:
        if system.alpha is not None and system.interpolation is not None:
            more = f", back-projected × {system.back_project}" if system.back_project else ""
            kind = f"{system.interpolation} interpolation"
            yield f"{picture}: {system.model}{more}, {kind}", f"α {system.alpha:g}"
