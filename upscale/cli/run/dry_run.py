"""``--dry-run``: what would be done, how large it would be, and how long it would take."""

import time
from collections import Counter
from collections.abc import Callable, Iterable

import torch

from upscale.batch.planning import Job
from upscale.batch.pool import Codec
from upscale.batch.run import Method, Result
from upscale.batch.worker import Probe, Skipped
from upscale.cli.run.report import Report
from upscale.cli.terminal.console import Bars, RunBar
from upscale.errors import UpscaleError
from upscale.pictures.formats import WRITABLE, check_format, suffix_of
from upscale.pixels.image import Header

__all__ = ["dry_run"]

DEFAULT_TILE = 256
"""LR pixels a side that are measured where tiles are as large as the pictures."""


def dry_run(
    jobs: Iterable[Job],
    method_of: Callable[[Job], Method],
    codec: Codec,
    report: Report,
    bars: Bars,
    bar: RunBar,
) -> int:
    """Report each job as ``planned`` from its header; measure two tiles of each model that is used.

    Returns the exit status.
    """
    pixels: Counter[str] = Counter()
    used: dict[str, Method] = {}
    raw_bytes = 0
    for job in jobs:
        try:
            if job.problem is not None:
                report.add(Result(job, "skipped" if job.skip else "failed", error=job.problem))
                continue
            method = used[job.model] = method_of(job)
            reply = codec.call(
                Probe(job.input, job.output, method.settings, method.overwrite, method.max_pixels),
                job.input,
            )
            if isinstance(reply, Skipped):
                report.add(Result(job, "skipped"))
                continue
            frames = reply.frames if WRITABLE[suffix_of(job.output)].frames else 1
            result, passes = _planned(job, reply, method)
            report.add(result)
            width, height = result.output_size or (0, 0)
            raw_bytes += width * height * reply.channels * reply.depth // 8 * frames
            pixels[job.model] += passes * frames
        except UpscaleError as error:
            report.add(Result(job, "failed", error=error))
        finally:
            bar.finish(job.size, 0)
    status = 1 if report.counts["failed"] else 0
    seconds = sum(number * _seconds_a_pixel(used[name]) for name, number in pixels.items())
    report.summarize(
        status, True, seconds_estimated=round(seconds, 1), bytes_uncompressed=raw_bytes
    )
    models = (f" on {each.model.device} ({each.model.precision})" for each in used.values())
    bars.say(
        f"about {_duration(seconds)}{next(models, '')}; "
        f"at most {raw_bytes / 1e9:.2f} GB, compressed less"
    )
    return status


def _planned(job: Job, header: Header, method: Method) -> tuple[Result, int]:
    """Return the job's result and the LR pixels of all passes of the network over a frame."""
    scale = method.model.scale
    sizes = method.target.sizes(header.width, header.height, scale)
    check_format(job.output, sizes.width, sizes.height)
    area = header.width * header.height
    pixels = sum(area * scale ** (2 * n) for n in range(sizes.passes))
    output_size = (sizes.width, sizes.height)
    return Result(
        job, "planned", size=(header.width, header.height), output_size=output_size
    ), pixels


def _seconds_a_pixel(method: Method) -> float:
    """Run two tiles with their context; the second one's time, by LR pixel of its core."""
    model, tiling = method.model, method.tiling
    core = tiling.tile or DEFAULT_TILE
    side = core + 2 * tiling.overlap
    tile = torch.rand(1, 3, side, side)
    model(tile)
    begin = time.monotonic()
    model(tile).cpu()
    return (time.monotonic() - begin) / core**2


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
