"""``--dry-run``: what would be done, how large it would be, and how long it would take."""

import time
from collections import Counter
from collections.abc import Mapping

from upscale.batch.codec import Codec
from upscale.batch.order import Method, Order, request
from upscale.batch.planning.job import Job
from upscale.batch.run import Result, is_hopeless
from upscale.batch.worker import Probe, Skipped
from upscale.cli.reports.duration import planned, seconds_of
from upscale.cli.reports.report import Report
from upscale.cli.terminal.bars import Bars, RunBar
from upscale.cli.terminal.console import duration
from upscale.errors import UpscaleError
from upscale.models.choice import Choice
from upscale.pictures.formats import WRITABLE, suffix_of

__all__ = ["dry_run"]


def dry_run(
    jobs: list[Job],
    methods: Mapping[str, Method],
    order: Order,
    codec: Codec,
    report: Report,
    bars: Bars,
    bar: RunBar,
    devices: int = 1,
) -> int:
    """Report each job as ``planned``; load and measure each model that is used.

    Of a picture whose model was named, only the header is read. Jobs leave ``jobs`` once they are
    reported. ``devices``: how many like the first would share the work.

    Returns the exit status.
    """
    start = time.process_time()  # which the run will need, too
    pixels: Counter[str] = Counter()
    raw_bytes = 0
    for job in list(jobs):
        try:
            if job.problem is not None:
                report.add(Result.refused(job, job.problem, job.skip))
                continue
            reply = codec.call(request(Probe, job, methods, order), job.input)
            if isinstance(reply, Skipped):
                report.add(Result(job, "skipped", choice=Choice(reply.model)))
                continue
            header = reply.header
            frames = header.frames if WRITABLE[suffix_of(job.output)].frames else 1
            result, passes = planned(job, reply, methods[reply.choice.model], order)
            report.add(result)
            width, height = result.output_size or (0, 0)
            raw_bytes += width * height * header.channels * header.depth // 8 * frames
            pixels[reply.choice.model] += passes * frames
        except UpscaleError as error:
            report.add(Result(job, "failed", error=error))
            if is_hopeless(error):
                raise
        finally:
            jobs.remove(job)
            bar.finish(job.size, 0)
    status = 1 if report.counts["failed"] else 0
    seconds = start + seconds_of(pixels, methods, devices) if pixels else 0.0
    report.summarize(
        status, True, seconds_estimated=round(seconds, 1), bytes_uncompressed=raw_bytes
    )
    models = (methods[name].ready.model for name in pixels)
    places = (f" on {each.device} ({each.precision})" for each in models)
    bars.say(
        f"about {duration(seconds)}{next(places, '')}; "
        f"at most {raw_bytes / 1e9:.2f} GB, compressed less"
    )
    return status
