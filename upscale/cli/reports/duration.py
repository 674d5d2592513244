"""Estimates the time of pictures, measured on this machine before the work begins.

The network is measured on small squares, and each encoder on what the network made of them. On a
CPU both share the cores: the encoders' CPU seconds, divided by the cores, are added to the
network's time. Beside a GPU they run in processes of their own, and the slower side counts.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from upscale.batch.codec import Codec
from upscale.batch.order import Method, Order, request
from upscale.batch.planning.job import Job
from upscale.batch.run import Result
from upscale.batch.worker import Probe, Probed, Skipped
from upscale.errors import UpscaleError
from upscale.models.fetching.sources import Progress
from upscale.pictures.formats import WRITABLE
from upscale.pictures.limits import check_format
from upscale.pictures.writing.encoding import Encoding
from upscale.pixels.image import Layout, Pixels
from upscale.system import usable_processors
from upscale.upscaling.target import Sizes

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Encoded", "Pass", "Work", "at_most", "encoded", "passed", "planned", "seconds_of"]

SMALLEST, LONG_ENOUGH = 48, 0.5
"""Side of the first measured square in LR pixels; seconds after which no larger one is measured."""

LARGEST = 256
"""Side of the largest square in LR pixels, without tiles."""

PHOTOGRAPH = "fur"
"""The measured picture, from the sample set."""

SMALLEST_ENCODED = 128
"""Side of the first square of a result whose encoding is measured."""


@dataclass(frozen=True)
class Work:
    """What the planned pictures need."""

    pixels: Counter[str] = field(default_factory=Counter)
    """LR pixels of all passes, by model."""
    pictures: Counter[str] = field(default_factory=Counter)
    """Numbers of pictures, by suffix of the output."""
    raw: Counter[str] = field(default_factory=Counter)
    """Bytes of the results without compression, by suffix."""


@dataclass(frozen=True)
class Pass:
    """A measured pass of a network."""

    seconds: float
    """Of an LR pixel, with its share of tiles' context."""
    result: Pixels


@dataclass(frozen=True)
class Encoded:
    """What an encoder takes for a byte of the result without compression."""

    seconds: float
    """By the clock."""
    busy: float
    """CPU seconds of all its threads."""


def at_most(
    jobs: Sequence[Job],
    methods: Mapping[str, Method],
    order: Order,
    codec: Codec,
    progress: Progress = lambda done, total: None,
) -> float:
    """Return the seconds that ``jobs`` take if the slowest of ``methods`` makes all of them.

    Files are read for their keys, but only headers are decoded. Pictures that are up to date or
    cannot be made take no time. ``progress`` counts jobs and methods.
    """
    pixels, slowest, total = 0, 0.0, len(jobs) + len(methods)
    headers_only = replace(order, candidates=None)
    for number, job in enumerate(jobs):
        progress(number, total)
        try:
            if job.problem is None:
                reply = codec.call(request(Probe, job, methods, headers_only), job.input)
                if not isinstance(reply, Skipped):
                    pixels += planned(job, reply, methods[reply.choice.model], order)[1]
        except UpscaleError:
            continue  # reported when its turn comes
    for number, method in enumerate(methods.values() if pixels else ()):
        progress(len(jobs) + number, total)
        slowest = max(slowest, passed(method).seconds)
    progress(total, total)
    return pixels * slowest


def planned(job: Job, probed: Probed, method: Method, order: Order) -> tuple[Result, int]:
    """Return the job's result and the LR pixels of all passes of the network for one frame.

    Raises OutputError for a size that the output's format cannot hold.
    """
    header = probed.header
    scale = method.scale
    sizes = order.target.sizes(header.width, header.height, scale)
    check_format(job.output, sizes.width, sizes.height)
    margin = _margin(method, sizes, header.width, header.height) if order.wrap else 0
    area = (header.width + 2 * margin) * (header.height + 2 * margin)
    pixels = sum(area * scale ** (2 * n) for n in range(sizes.passes))
    output_size = (sizes.width, sizes.height)
    size = (header.width, header.height)
    return Result(job, "planned", size=size, output_size=output_size, choice=probed.choice), pixels


def _margin(method: Method, sizes: Sizes, width: int, height: int) -> int:
    from upscale.upscaling.wrapping import margin_of

    return margin_of(method.ready.model, sizes, width, height)


def seconds_of(
    work: Work,
    methods: Mapping[str, Method],
    encoding: Encoding,
    devices: int = 1,
    processes: int = 1,
) -> float:
    """Return the seconds of ``work``, including the loading of its models.

    ``devices``: how many devices like the measured one share it, beside ``processes`` that encode.
    """
    if not work.pixels:
        return 0.0
    begin = time.monotonic()
    ready = [methods[name].ready for name in work.pixels]
    loading = time.monotonic() - begin
    passes = {name: passed(methods[name]) for name in work.pixels}
    network = sum(count * passes[name].seconds for name, count in work.pixels.items()) / devices
    sample = next(iter(passes.values())).result
    encoders = {suffix: encoded(sample, suffix, encoding) for suffix in work.raw}
    cores = usable_processors()
    busy = sum(work.raw[suffix] * each.busy for suffix, each in encoders.items()) / cores
    alone = sum(work.raw[suffix] * each.seconds for suffix, each in encoders.items())
    alone /= max(1, min(processes, cores, work.pictures.total()))
    shares_cores = ready[0].model.place == "cpu"
    together = network + busy if shares_cores else max(network, busy)
    return loading + max(together, alone, network + _last(work, encoders))


def _last(work: Work, encoders: Mapping[str, Encoded]) -> float:
    """Return the time of the last picture's encoder where it begins when the network is done."""
    whole = [suffix for suffix in encoders if WRITABLE[suffix].whole]
    return max(
        (work.raw[each] * encoders[each].seconds / work.pictures[each] for each in whole),
        default=0.0,
    )


def passed(method: Method) -> Pass:
    """Measure a network on squares of a photograph, up to a tile."""
    model, tiling = method.ready.model, method.ready.tiling
    largest = tiling.tile + 2 * tiling.overlap if tiling.tile else LARGEST
    side = min(SMALLEST, largest)
    model(_photograph(side))  # the first run is slower
    while True:
        lr = _photograph(side)
        begin = time.monotonic()
        sr = model(lr).cpu()
        seconds = time.monotonic() - begin
        if seconds > LONG_ENOUGH or 2 * side > largest:
            result = (sr[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous()
            return Pass(seconds / side**2 * tiling.effort, result.numpy())
        side *= 2


def _photograph(side: int) -> "Tensor":
    """Return a square of a photograph, repeated where it is too small: (1, 3, side, side)."""
    import torch

    photo = torch.from_numpy(_pixels()).permute(2, 0, 1).float() / 255
    rows = torch.arange(side) % photo.shape[1]
    columns = torch.arange(side) % photo.shape[2]
    return photo[:, rows][:, :, columns][None]


@cache
def _pixels() -> Pixels:
    from upscale.bench.sets.datasets import sample_hr

    return sample_hr(PHOTOGRAPH)


def encoded(result: Pixels, suffix: str, encoding: Encoding) -> Encoded:
    """Measure an encoder on squares of a result, in this process."""
    side = min(SMALLEST_ENCODED, len(result))
    _encode(result[:side, :side], suffix, encoding)  # the first time is slower
    while True:
        square = result[:side, :side]
        begin, busy = time.monotonic(), time.process_time()
        _encode(square, suffix, encoding)
        found = Encoded(time.monotonic() - begin, time.process_time() - busy)
        if found.busy > LONG_ENOUGH or 2 * side > len(result):
            return Encoded(found.seconds / square.nbytes, found.busy / square.nbytes)
        side *= 2


def _encode(pixels: Pixels, suffix: str, encoding: Encoding) -> None:
    from upscale.pictures.writing.writer import Writer

    height, width, channels = pixels.shape
    with tempfile.TemporaryDirectory(prefix="upscale-") as folder:
        path = Path(folder) / f"sample{suffix}"
        with Writer(path, Layout(width, height, channels, 8), encoding=encoding) as writer:
            writer.write(np.ascontiguousarray(pixels, np.uint8))
