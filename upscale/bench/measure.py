"""Contenders × sets → rows: HR → LR → SR, and the figures of each SR against its HR."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from upscale.bench.contenders import Contender, System, Task
from upscale.bench.sets.picture_sets import Pair, PictureSet, read_hr
from upscale.errors import InputError, UpscaleError
from upscale.metrics.by_name import Metric
from upscale.metrics.protocol import METRICS, Protocol, Row
from upscale.pixels.baselines import Levels
from upscale.pixels.degrade import blur_and_subsample, crop_to_multiple, degrade

__all__ = ["PeakMemory", "Visit", "measure", "pair_of"]

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")

Visit = Callable[[System, Pair, Levels, Levels, Mapping[str, float]], None]
"""Called with the system, the picture, its SR and HR, and the measured figures."""


def measure(
    contender: Contender,
    pictures: PictureSet,
    protocol: Protocol,
    metrics: Mapping[str, Metric],
    visit: Visit = lambda system, pair, sr, hr, figures: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    notify: Callable[[str], None] = lambda text: None,
    ma: Callable[[System, Pair], float | None] = lambda system, pair: None,
) -> list[Row]:
    """Return a row for each system of ``contender`` on one set.

    ``metrics``: by their keys in `upscale.metrics.protocol.METRICS`; if one fails on a picture, it
    is left out of the system's means, and ``notify`` gets a message. ``progress``: pictures done
    and in all. ``ma``: Ma's score of a result, if it is known. Raises InputError if a picture
    cannot be read or its LR does not fit.
    """
    results: list[dict[str, dict[str, float]]] = [{} for _ in contender.systems]
    seconds = [0.0] * len(contender.systems)
    peaks: list[int | None] = [0] * len(contender.systems)
    pixels = 0
    for index, pair in enumerate(pictures.pairs):
        hr, lr = pair_of(pair, protocol)
        pixels += hr.shape[0] * hr.shape[1]
        made = contender.enlarge(Task(pair.name, lr, hr))
        shared = 0.0  # includes the first result, which the others need
        for number, system in enumerate(contender.systems):
            memory = PeakMemory(contender.device)
            begun = time.perf_counter()
            sr = next(made)
            taken = time.perf_counter() - begun
            seconds[number] += shared + taken
            shared = shared or taken
            peaks[number] = _greater(peaks[number], memory.read())
            figures = _figures(sr, hr, metrics, pair, notify)
            figures |= _opinions(ma(system, pair), figures.get("niqe"))
            results[number][pair.name] = figures
            visit(system, pair, sr, hr, figures)
        progress(index + 1, len(pictures.pairs))
    return [
        Row(
            set=pictures.name,
            system=system.label,
            model=system.model,
            alpha=system.alpha,
            interpolation=system.interpolation,
            back_project=system.back_project,
            figures=_means(found),
            pictures=found,
            seconds=taken if system.timed else None,
            megapixels=pixels / 1e6,
            peak_bytes=peak if system.timed else None,
        )
        for system, found, taken, peak in zip(
            contender.systems, results, seconds, peaks, strict=True
        )
    ]


def _greater(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else max(a, b)


def pair_of(pair: Pair, protocol: Protocol) -> tuple[Levels, Levels]:
    """Return HR, cropped to a multiple of the scale, and LR, made or read as the protocol says."""
    try:
        hr = crop_to_multiple(read_hr(pair.hr), protocol.scale)
    except ValueError as error:
        raise InputError(f"{pair.hr}: {error}", code="too-small") from error
    if protocol.degradation == "gaussian":
        return hr, blur_and_subsample(hr, protocol.scale, protocol.blur_sigma)
    if protocol.degradation != "folder":
        return hr, degrade(hr, protocol.scale, protocol.degradation)
    assert pair.lr is not None
    lr = read_hr(pair.lr)
    expected = (hr.shape[0] // protocol.scale, hr.shape[1] // protocol.scale, hr.shape[2])
    if lr.shape != expected:
        raise InputError(
            f"{pair.lr}: has {lr.shape[1]} × {lr.shape[0]} pixels with {lr.shape[2]} channels, but "
            f"{pair.hr.name} needs {expected[1]} × {expected[0]} with {expected[2]}; choose "
            "--degradation uint8 to make LR from HR"
        )
    return hr, lr


def _figures(
    sr: Levels,
    hr: Levels,
    metrics: Mapping[str, Metric],
    pair: Pair,
    notify: Callable[[str], None],
) -> dict[str, float]:
    figures = {}
    for name, metric in metrics.items():
        try:
            figures[name] = metric(sr, hr)
        except (UpscaleError, ValueError) as error:
            notify(f"{pair.name}: {name} is left out: {error}")
    return figures


def _opinions(ma: float | None, niqe: float | None) -> dict[str, float]:
    """Return Ma's score and the perceptual index (Blau et al. 2018, section 2)."""
    if ma is None:
        return {}
    return {"ma": ma} | ({} if niqe is None else {"pi": ((10 - ma) + niqe) / 2})


def _means(found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Average the metrics that every picture has; a mean over some pictures would mislead.

    RMSE is the root of the mean squared error over all pictures, as in PIRM's program.
    """
    pictures = list(found.values())
    means = {}
    for name in METRICS:
        if all(name in figures for figures in pictures):
            values = np.array([figures[name] for figures in pictures])
            means[name] = float(np.sqrt((values**2).mean()) if name == "rmse" else values.mean())
    return means


class PeakMemory:
    """Peak since its creation: on CUDA the memory of ``device``, elsewhere resident memory.

    Resident memory is that of the whole process, and is known on Linux only.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._counts = True
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        else:
            try:
                CLEAR.write_text("5")  # proc(5): resets the peak resident set size
            except OSError:
                self._counts = False

    def read(self) -> int | None:
        """Return the peak in bytes, None if the system does not tell it."""
        if self._device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self._device))
        if not self._counts:
            return None
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        return None
