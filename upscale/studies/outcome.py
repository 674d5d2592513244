"""The results of a study's trainings: figures, times and crops of each system."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from upscale.bench.contenders import Contender, System, Task, baseline, network
from upscale.bench.measure import measure, pair_of
from upscale.bench.sets.picture_sets import Pair, PictureSet
from upscale.errors import WeightsError
from upscale.metrics.by_name import Metric, make_metrics
from upscale.metrics.protocol import METRICS, Protocol, Row
from upscale.models.devices import pick_device
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.loading import load_model
from upscale.networks.spec import build
from upscale.pixels.baselines import Levels
from upscale.studies.options import StudyOptions
from upscale.studies.papers import Column, Study
from upscale.studies.trainings import GENERATOR_FILE, Planned, valid_of
from upscale.training.records.validation import find_pictures
from upscale.viewing.sheets.crops import textured_crops

__all__ = [
    "Crops",
    "Examined",
    "Means",
    "Outcome",
    "Seen",
    "examine",
    "find_means",
    "seconds_of_a_picture",
]

LR_SIDE = 64
"""Pixels a side of the LR picture whose enlargement is timed (Ledig et al. 2017, A.1)."""

Crops = Mapping[str, Levels]
"""The crop of each picture on a sheet, by the picture's name."""

Seen = Callable[[str, Levels, Levels], None]
"""Called with a system's label, its result and HR."""


@dataclass(frozen=True)
class Outcome:
    """The results of one system."""

    column: Column
    """The system."""
    row: Row
    """Its figures."""
    crops: Crops
    """Crops of its results."""
    planned: Planned | None = None
    """Its training; None if it needs none."""
    parameters: int = 0
    """Number of trained parameters."""
    seconds: float | None = None
    """Time for enlarging one LR picture of 64 × 64, if it was asked for."""


@dataclass(frozen=True)
class Examined:
    """All results of a study."""

    study: Study
    """The study."""
    pictures: PictureSet
    """The pictures it was measured on."""
    protocol: Protocol
    """The rules of the figures."""
    outcomes: tuple[Outcome, ...]
    """Results by system, in the order of the study's columns."""
    bicubic: Outcome
    """Crops of bicubic interpolation."""
    hr: Crops = field(default_factory=dict)
    """Crops of HR."""


@dataclass(frozen=True)
class Means:
    """The pictures, rules and metrics of a study."""

    pictures: PictureSet
    """The pictures it was measured on."""
    protocol: Protocol
    """The rules of the figures."""
    metrics: Mapping[str, Metric]
    """The metrics, by name."""


def find_means(
    options: StudyOptions,
    scale: int = 4,
    ssim: Literal["wang", "daala"] = "wang",
    notify: Notify = lambda text: None,
    progress: Callable[[str], Progress] = lambda title: lambda done, total: None,
) -> Means:
    """Return the pictures of ``--valid`` and the metrics, before any training.

    LPIPS is left out, with a message, if its weights are not available. Raises UpscaleError for
    pictures that are missing or cannot be measured.
    """
    pictures = find_pictures(valid_of(options), scale, progress, notify)
    made: Literal["uint8", "folder"] = "uint8" if pictures.lr_folder is None else "folder"
    protocol = Protocol(scale=scale, border=scale, ssim=ssim, degradation=made)
    device = pick_device(options.device)
    metrics = make_metrics(["psnr", "ssim"], protocol, device)
    try:
        metrics |= make_metrics(["lpips-alex"], protocol, device)
    except WeightsError as error:
        notify(f"{METRICS['lpips-alex'].title} is left out: {error}")
    return Means(pictures, protocol, metrics)


def examine(
    study: Study,
    planned: Sequence[Planned],
    means: Means,
    options: StudyOptions,
    reconstructions: int = 0,
    notify: Notify = lambda text: None,
    progress: Callable[[str], Progress] = lambda title: lambda done, total: None,
    seen: Seen = lambda label, sr, hr: None,
) -> Examined:
    """Measure each system of ``study``, in float32.

    ``reconstructions``: number of LR pictures over which the time is averaged; 0 skips it. ``seen``
    is called with each system's label and result, and HR: (H, W, C), uint8, C = 1 or 3. Raises
    UpscaleError.
    """
    pictures, protocol, metrics = means.pictures, means.protocol, means.metrics
    shown = pictures.pairs[: options.pictures]
    windows, hr = {}, {}
    for pair in shown:
        whole, _ = pair_of(pair, protocol)
        ((left, top),) = textured_crops(whole, options.crop, 1)
        windows[pair.name] = (slice(top, top + options.crop), slice(left, left + options.crop))
        hr[pair.name] = whole[windows[pair.name]].copy()

    def found(contender: Contender, title: str, seen: Seen) -> tuple[Row, Crops]:
        crops: dict[str, Levels] = {}

        def visit(system: System, pair: Pair, sr: Levels, hr: Levels, figures: object) -> None:
            seen(title, sr, hr)
            if pair.name in windows:
                crops[pair.name] = sr[windows[pair.name]].copy()

        move = progress(f"measuring {title}")
        (row,) = measure(contender, pictures, protocol, metrics, visit, move, notify)
        return row, crops

    by_name = {each.training.name: each for each in planned}
    outcomes = []
    for column in study.columns:
        each = by_name[column.training]
        model = load_model(each.folder / GENERATOR_FILE, device=options.device, precision="fp32")
        row, crops = found(network(model), column.label, seen)
        outcomes.append(
            Outcome(
                column,
                row,
                crops,
                each,
                sum(number.numel() for number in build(each.config.recipe.generator).parameters()),
                seconds_of_a_picture(network(model), reconstructions) if reconstructions else None,
            )
        )
    without = baseline("bicubic", protocol.scale)
    bicubic = Outcome(Column("", "bicubic"), *found(without, "bicubic", lambda *seen: None))
    return Examined(study, pictures, protocol, tuple(outcomes), bicubic, hr)


def seconds_of_a_picture(contender: Contender, count: int) -> float:
    """Return the mean time of enlarging a random LR picture of 64 × 64, ``count`` times.

    Ledig et al. 2017, A.1. The first enlargement is not counted. Results return to the CPU, so a
    GPU has finished.
    """
    lr = np.random.default_rng(0).integers(0, 256, (LR_SIDE, LR_SIDE, 3), np.uint8)
    task = Task("random", lr, np.zeros((0, 0, 3), np.uint8))
    next(contender.enlarge(task))
    begun = time.perf_counter()
    for _ in range(count):
        next(contender.enlarge(task))
    return (time.perf_counter() - begun) / count
