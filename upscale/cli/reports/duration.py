"""Estimates the time of pictures, measured on this machine before the work begins."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace

from upscale.batch.codec import Codec
from upscale.batch.order import Method, Order, request
from upscale.batch.planning.job import Job
from upscale.batch.run import Result
from upscale.batch.worker import Probe, Probed, Skipped
from upscale.errors import UpscaleError
from upscale.pictures.limits import check_format
from upscale.upscaling.target import Sizes

__all__ = ["at_most", "planned", "seconds_a_pixel", "seconds_of"]

SMALLEST, LONG_ENOUGH = 48, 0.5
"""Side of the first measured square in LR pixels; seconds after which no larger one is measured."""

LARGEST = 256
"""Side of the largest square in LR pixels, without tiles."""


def at_most(
    jobs: Iterable[Job], methods: Mapping[str, Method], order: Order, codec: Codec
) -> float:
    """Return the seconds that ``jobs`` take if the slowest of ``methods`` makes all of them.

    Only headers are read. Pictures that are up to date or cannot be made take no time.
    """
    pixels = 0
    headers_only = replace(order, candidates=None)
    for job in jobs:
        try:
            if job.problem is None:
                reply = codec.call(request(Probe, job, methods, headers_only), job.input)
                if not isinstance(reply, Skipped):
                    pixels += planned(job, reply, methods[reply.choice.model], order)[1]
        except UpscaleError:
            continue  # reported when its turn comes
    return pixels * max(map(seconds_a_pixel, methods.values())) if pixels else 0.0


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


def seconds_of(pixels: Mapping[str, int], methods: Mapping[str, Method], devices: int = 1) -> float:
    """Return the seconds for LR pixels by model, including the loading of these models.

    ``devices``: how many devices like the measured one share the work.
    """
    begin = time.monotonic()
    for name in pixels:
        _ = methods[name].ready
    loading = time.monotonic() - begin
    seconds = sum(count * seconds_a_pixel(methods[name]) for name, count in pixels.items())
    return loading + seconds / devices


def seconds_a_pixel(method: Method) -> float:
    """Measure squares up to a tile; return a pixel's time with its share of tiles' context."""
    import torch

    model, tiling = method.ready.model, method.ready.tiling
    largest = tiling.tile + 2 * tiling.overlap if tiling.tile else LARGEST
    side = min(SMALLEST, largest)
    model(torch.rand(1, 3, side, side))  # the first run is slower
    while True:
        begin = time.monotonic()
        model(torch.rand(1, 3, side, side)).cpu()
        seconds = time.monotonic() - begin
        if seconds > LONG_ENOUGH or 2 * side > largest:
            return seconds / side**2 * tiling.effort
        side *= 2
