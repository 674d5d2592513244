"""``--dry-run``: reports the planned work, its size and its time."""

import time
from collections.abc import Iterable, Iterator, Mapping

from upscale.batch.codec import Codec
from upscale.batch.methods import Making
from upscale.batch.order import Method, Order, request
from upscale.batch.planning.job import Job
from upscale.batch.run import Result, is_hopeless
from upscale.batch.worker import Probe, Skipped
from upscale.cli.reports.duration import Work, planned, seconds_of
from upscale.cli.reports.report import Report
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import duration
from upscale.errors import UpscaleError
from upscale.fleet.crew import Started
from upscale.fleet.worker import Worker
from upscale.models.choice import Choice
from upscale.pictures.formats import WRITABLE, suffix_of

__all__ = ["DryRun"]


class DryRun(Worker):
    """A worker that makes nothing and reports each picture as ``planned``.

    If the user named the model, it reads only headers; pictures in a store are fetched.
    """

    def __init__(
        self,
        making: Making,
        order: Order,
        methods: Mapping[str, Method],
        devices: int = 1,
        processes: int = 1,
        debug: bool = False,
    ) -> None:
        """Start nothing.

        ``devices``: how many devices like the first would share the work, beside ``processes`` that
        decode and encode.
        """
        self._start = time.process_time()  # the run will need it, too
        super().__init__(making, order, methods, 0)
        self._codec = Codec(debug)
        self._shared = devices, processes
        self._work = Work()

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End its process."""
        self._codec.__exit__(kind, *error)
        super().__exit__(kind, *error)

    def _results(self, jobs: Iterator[Job | Result | None], started: Started) -> Iterable[Result]:
        for job in jobs:
            if isinstance(job, Result):
                yield job
            elif job is not None:
                try:
                    result = self._probed(job)
                except UpscaleError as error:
                    yield Result(job, "failed", error=error)
                    if is_hopeless(error):
                        raise
                else:
                    yield result

    def _probed(self, job: Job) -> Result:
        reply = self._codec.call(request(Probe, job, self._methods, self._order), job.input)
        if isinstance(reply, Skipped):
            return Result(job, "skipped", choice=Choice(reply.model))
        header, model = reply.header, reply.choice.model
        frames = header.frames if WRITABLE[suffix_of(job.output)].frames else 1
        result, passes = planned(job, reply, self._methods[model], self._order)
        width, height = result.output_size or (0, 0)
        suffix = suffix_of(job.output)
        self._work.raw[suffix] += width * height * header.channels * header.depth // 8 * frames
        self._work.pictures[suffix] += 1
        self._work.pixels[model] += passes * frames
        return result

    def summarize(self, report: Report, bars: Bars, status: int) -> None:
        """Load and measure each planned model, and report the time and space of all."""
        work, methods = self._work, self._methods
        raw_bytes, seconds = work.raw.total(), 0.0
        if work.pixels:
            encoding = self._order.encoding
            seconds = self._start + seconds_of(work, methods, encoding, *self._shared)
        report.summarize(
            status, True, seconds_estimated=round(seconds, 1), bytes_uncompressed=raw_bytes
        )
        models = (methods[name].ready.model for name in work.pixels)
        places = (f" on {each.place} ({each.precision}, {each.engine})" for each in models)
        bars.say(
            f"about {duration(seconds)}{next(places, '')}; "
            f"at most {raw_bytes / 1e9:.2f} GB, compressed less"
        )
