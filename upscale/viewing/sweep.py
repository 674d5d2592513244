"""One picture at several alphas: crops side by side, to choose by eye."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from upscale.batch.planning.naming import Naming, ending
from upscale.batch.planning.plan import prepare_output
from upscale.errors import OutputError, UsageError
from upscale.models.choice import CANDIDATES, CLEAN
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.loading import load_model
from upscale.models.model import Model
from upscale.pictures.limits import check_format
from upscale.pictures.reading import reader
from upscale.pictures.writing.writer import Writer
from upscale.pixels.baselines import Levels
from upscale.pixels.image import Image, Layout, Metadata, Pixels
from upscale.viewing.sheets.crops import Window, bicubic_crop, crop_of, textured_crops
from upscale.viewing.sheets.strip import draw_strip, to_levels
from upscale.viewing.sweep_options import Sweep

__all__ = ["Swept", "make_strip"]

MOST_PIXELS = 2**27
"""Pixels of all enlarged crops together, at most."""


@dataclass(frozen=True)
class Swept:
    """The files that a sweep has written."""

    strip: Path
    """The file of the strip."""
    size: tuple[int, int]
    """Width and height of the strip in pixels."""
    saved: tuple[Path, ...]
    """The files of the crops."""
    windows: tuple[Window, ...]
    """The places of the crops in the input."""


def make_strip(
    asked: Sweep,
    progress: Progress = lambda done, total: None,
    fetching: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> Swept:
    """Make the strip: the whole picture on top, then a row for each crop, a column for each alpha.

    The first column is the input, enlarged by bicubic interpolation. All files are written at the
    end: the strip, with 8 bits per sample, in the picture's colour profile, transparent places in
    gray; with ``save``, also each crop: the network's as it makes them, the bicubic ones as they
    are in the strip. ``progress`` is told crops done and in all, ``fetching`` bytes of a download,
    ``notify`` what the user should see. Raises UpscaleError.
    """
    asked.check()
    image = _read(asked, notify)
    if asked.model in CANDIDATES:
        asked = replace(asked, model=CLEAN)
        notify(f"upscale: uses {CLEAN}, the default model with two ends; --model chooses another")
    shown = to_levels(image.pixels[:])
    windows = _windows(asked, shown)
    strip, files = _outputs(asked, len(windows))
    made: dict[str, list[Pixels]] = {}
    drawn: dict[str, list[Levels]] = {}
    for alpha, model in _models(asked, fetching, notify):
        if not made:
            _check_size(asked, strip, windows, model.scale)
            drawn["bicubic"] = [bicubic_crop(shown, each, model.scale) for each in windows]
        made[_label(alpha)] = crops = []
        for window in windows:
            crops.append(crop_of(image.pixels, model, window))
            progress((len(made) - 1) * len(windows) + len(crops), len(asked.alphas) * len(windows))
        drawn[_label(alpha)] = [to_levels(crop) for crop in crops]
    sheet = draw_strip(shown, windows, drawn, asked.input.name, Path(asked.model).name)
    _write(strip, sheet[..., : shown.shape[2]], image)
    if files:
        every = chain(drawn["bicubic"], *made.values())
        for file, crop in zip(files, every, strict=True):
            _write(file, crop, image)
    return Swept(strip, (sheet.shape[1], sheet.shape[0]), tuple(files), tuple(windows))


def _read(asked: Sweep, notify: Notify) -> Image:
    """Read the picture, or the first of several frames."""
    image = reader.read(asked.input, asked.max_pixels)
    for warning in image.warnings:
        notify(f"upscale: warning: {warning}")
    if image.frames == 1:
        return image
    notify(f"upscale: warning: {asked.input}: has {image.frames} frames; only the first is used")
    return replace(image, pixels=image.pixels[: image.pixels.shape[0] // image.frames], frames=1)


def _models(asked: Sweep, fetching: Progress, notify: Notify) -> Iterator[tuple[float, Model]]:
    """Yield each alpha with the model at it; ``notify`` is told each message once."""
    said: set[str] = set()

    def say_once(text: str) -> None:
        if text not in said:
            said.add(text)
            notify(text)

    for alpha in asked.alphas:
        named = (asked.model, alpha, asked.psnr, asked.device, asked.precision)
        yield alpha, load_model(*named, progress=fetching, notify=say_once)


def _windows(asked: Sweep, shown: Levels) -> list[Window]:
    """Place the crops where they are asked for, moved into the picture, or where most detail is."""
    height, width = shown.shape[:2]
    for left, top in asked.crop:
        if left >= width or top >= height:
            raise UsageError(
                f"--crop {left},{top} lies outside {asked.input}, which has {width} × {height} "
                "pixels; give a left and a top within it"
            )
    across, down = min(asked.crop_size, width), min(asked.crop_size, height)
    places = asked.crop or textured_crops(shown, asked.crop_size, asked.crops)
    return list(
        dict.fromkeys(
            (min(left, width - across), min(top, height - down), across, down)
            for left, top in places
        )
    )


def _outputs(asked: Sweep, crops: int) -> tuple[Path, list[Path]]:
    """Name the files of the strip and the crops; make their folders, and check that each may be."""
    named = asked.input.with_name(Naming(ending("_alphas"), ".png").name(asked.input))
    place = prepare_output(asked.output or named, many=False)
    assert place is not None
    strip = place.path if place.is_file else place.path / named.name
    files = []
    if asked.save is not None:
        prepare_output(asked.save, many=True)
        for label in ("bicubic", *map(_label, asked.alphas)):
            for number in range(1, crops + 1):
                naming = Naming(ending(f"_crop{number}_{label.replace(' ', '')}"), ".png")
                files.append(asked.save / naming.name(asked.input))
    for file in (strip, *files):
        if file.exists() and file.samefile(asked.input):
            raise UsageError(
                f"{asked.input}: would be written over itself; choose another -o or --save"
            )
        if os.path.lexists(file) and not asked.overwrite:
            raise OutputError(
                f"{file}: already exists; add --overwrite to replace it", code="output-exists"
            )
    return strip, files


def _check_size(asked: Sweep, strip: Path, windows: Sequence[Window], scale: int) -> None:
    columns = len(asked.alphas) + 1
    width, height = windows[0][2] * scale, windows[0][3] * scale
    if width * height * columns * len(windows) > MOST_PIXELS:
        raise UsageError(
            f"{columns * len(windows)} crops of {width} × {height} pixels are too many for one "
            "strip; take fewer alphas or crops, or a smaller --crop-size"
        )
    check_format(strip, width * columns, height * len(windows))


def _write(file: Path, pixels: Pixels, image: Image) -> None:
    height, width, channels = pixels.shape
    layout = Layout(width, height, channels, 8 * pixels.dtype.itemsize)
    with Writer(file, layout, Metadata(icc=image.metadata.icc)) as writer:
        writer.write(pixels)


def _label(alpha: float) -> str:
    return f"alpha {alpha}".removesuffix(".0")
