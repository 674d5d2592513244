"""Many files: reading ahead, upscaling and writing behind, with a result for each."""

import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

from upscale.batch.order import Method, Order, request
from upscale.batch.planning.job import Job
from upscale.batch.pool import CodecPool
from upscale.batch.work import Result, Work, share
from upscale.batch.worker import Read, Skipped, Write
from upscale.errors import DeviceError, OutputError, UpscaleError, WeightsError
from upscale.files import part_beside, sweep
from upscale.models.choice import Choice
from upscale.models.fetching.sources import Progress
from upscale.pictures.limits import check_format
from upscale.pixels.image import Layout
from upscale.upscaling.tuning import import_network

__all__ = ["AHEAD", "PATIENCE", "Batch", "Result", "is_hopeless"]

PATIENCE = 0.2
"""Seconds between polls for new jobs and for the codecs."""

SMALL, AHEAD = 2**17, 24
"""Bytes of a small file, and how many such are at work at a time: they share passes."""


class Batch:
    """Jobs at work; as an iterable, it yields each `Result` as soon as it is complete.

    A picture is read ahead, goes through the network, and is written behind; small ones of one size
    that come one after the other share a pass of the network. One that fails does not stop the
    others. After an error that `is_hopeless` the failed result is yielded and the
    error raised.
    """

    def __init__(
        self,
        jobs: Iterable[Job | Result | None],
        methods: Mapping[str, Method],
        order: Order,
        pool: CodecPool,
        *,
        jobs_ahead: int,
        asks_on: bool = False,
        started: Callable[[Job, Choice], Progress] = lambda job, choice: lambda done, total: None,
    ) -> None:
        """Take the jobs; begin none.

        ``jobs`` may be endless, and yield None while there is nothing to do, and the result of a
        job that needs no work, which is passed on. ``asks_on``: asking for a job costs nothing, so
        that after a None it is asked for while others are at work. ``methods`` go by
        model, and load it when a picture needs it; where there are several, ``order`` has the
        candidates among which pixels choose.
        ``jobs_ahead``: pictures at work at a time, one for each process of ``pool``; of small files
        there may be more. ``started`` is
        called when a picture goes to the network, and returns what is told its progress.
        """
        self._jobs = iter(jobs)
        self._methods, self._order, self._pool = methods, order, pool
        self._jobs_ahead, self._asks_on, self._started = jobs_ahead, asks_on, started
        self._reading: deque[Work] = deque()
        self._writing: list[Work] = []
        self._more, self._paused = True, False
        self._swept: set[Path] = set()
        self._has_network = False

    def __iter__(self) -> Iterator[Result]:
        """Work until there are no more jobs."""
        while True:
            yield from self.fill()
            yield from self.collect()
            if self._reading or self._writing:
                yield from self.advance()
                self._paused = self._paused and not self._asks_on
            elif self._more:
                time.sleep(PATIENCE)
                self._paused = False
            else:
                return

    def fill(self) -> Iterator[Result]:
        """Begin to read as many pictures as may be at work; yield jobs that have failed already.

        After a None, all jobs at work are done before the next is asked for, but where asking costs
        nothing: looking for new files would keep the network waiting.
        """
        while not self._paused and self._has_room():
            try:
                job = next(self._jobs)
            except StopIteration:
                self._more = False
                return
            if job is None:
                self._paused = True
            elif isinstance(job, Result):
                yield job
            elif job.problem is not None:
                yield Result.refused(job, job.problem, job.skip)
            else:
                try:
                    self._prepare(job.output.parent)
                except UpscaleError as error:
                    yield Result(job, "failed", error=error)
                    raise
                picture = self._pool.start(request(Read, job, self._methods, self._order))
                self._reading.append(Work(job, picture))

    def _has_room(self) -> bool:
        works = [*self._reading, *self._writing]
        small = all(work.job.size <= SMALL for work in works)
        return len(works) < (max(AHEAD, self._jobs_ahead) if small else self._jobs_ahead)

    def collect(self) -> Iterator[Result]:
        """Yield the results of the pictures that are written."""
        for work in [each for each in self._writing if each.picture.written.done()]:
            self._writing.remove(work)
            self._pool.release(work.picture)
            seconds = work.seconds
            try:
                warnings = (*work.result.warnings, *work.picture.written.result())
            except UpscaleError as error:
                yield Result(work.job, "failed", seconds, error)
                if is_hopeless(error):
                    raise
            else:
                yield replace(work.result, seconds=seconds, warnings=warnings)

    def advance(self) -> Iterator[Result]:
        """Send the next picture through the network, or wait until a codec gets further."""
        if not (self._reading and self._reading[0].picture.decoded.done()):
            self._wait()
            return
        work = self._reading.popleft()
        work.begin = time.monotonic()
        try:
            work.result = self._upscale(work)
        except UpscaleError as error:
            work.picture.abandon()
            self._pool.release(work.picture)
            yield Result(work.job, "failed", work.seconds, error)
            if is_hopeless(error):
                while self._writing:  # what is through the network loses nothing
                    wait([each.picture.written for each in self._writing])
                    yield from self.collect()
                raise
        else:
            self._writing.append(work)

    def _upscale(self, work: Work) -> Result:
        """Send a picture through the network; it may still be encoded when this returns."""
        job, picture = work.job, work.picture
        decoded = picture.decoded.result()
        if isinstance(decoded, Skipped):
            return Result(job, "skipped", choice=Choice(decoded.model))
        method = self._methods[decoded.choice.model]
        image, model, tiling = decoded.image, method.ready.model, method.ready.tiling
        progress = self._started(job, decoded.choice)
        work.begin = time.monotonic()
        warnings = image.warnings
        _, width, channels = image.pixels.shape
        height = image.height
        frames = image.frames if check_format(job.output, 1, 1).frames else 1
        if frames < image.frames:
            warnings += (
                f"{job.input}: has {image.frames} frames; this format holds only the first",
            )
        sizes = self._order.target.sizes(width, height, model.scale)
        check_format(job.output, sizes.width, sizes.height)
        _check_pixels(job.output, sizes.width, sizes.height, frames, self._order.max_output_pixels)
        depth = image.pixels.dtype.itemsize * 8
        _check_space(job.output, sizes.width * sizes.height * frames * channels * depth // 8)
        if not (work.tried or self._order.wrap):
            share([work, *self._reading], model, tiling, sizes)
        layout = Layout(
            *(sizes.width, sizes.height, channels, depth), *(frames, image.delays, image.loop)
        )
        part = part_beside(job.output)
        from upscale.upscaling.enlarge import enlarge

        encoding = self._order.encoding
        picture.open(Write(job.output, layout, image.metadata, encoding, decoded.key, part))
        for index in range(frames):

            def advance(done: int, total: int, index: int = index) -> None:
                progress(index * total + done, frames * total)

            frame = image.frame(index)
            bands = work.made or enlarge(
                *(frame, model, tiling, sizes, advance, picture.scratch), self._order.wrap
            )
            for band in bands:
                picture.write(band)
            if work.made:
                advance(1, 1)
        picture.finish()
        output_size = (sizes.width, sizes.height)
        return Result(
            job,
            "done",
            size=(width, height),
            output_size=output_size,
            warnings=warnings,
            choice=decoded.choice,
            key=decoded.key,
        )

    def _prepare(self, folder: Path) -> None:
        """Make the folder of an output, and remove what killed runs left there, once."""
        if folder in self._swept:
            return
        self._swept.add(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be made ({error.strerror}); choose another folder with -o"
            ) from error
        sweep(folder)

    def _wait(self) -> None:
        """Wait until a codec gets further.

        Until the first picture is decoded, import what runs the network; not if its output exists,
        which may be up to date.
        """
        first = [*self._reading][:1]
        if not self._has_network and not any(os.path.lexists(work.job.output) for work in first):
            self._has_network = True
            import_network()
            return
        waiting: list[Future[Any]] = [work.picture.written for work in self._writing]
        waiting += [work.picture.decoded for work in [*self._reading][:1]]
        wait(waiting, timeout=PATIENCE, return_when=FIRST_COMPLETED)


def is_hopeless(error: UpscaleError) -> bool:
    """Say whether every other picture would meet an error: no model, no memory, a full disk."""
    return isinstance(error, (DeviceError, WeightsError)) or error.code == OutputError.code


def _check_pixels(path: Path, width: int, height: int, frames: int, most: int | None) -> None:
    if most is not None and width * height * frames > most:
        raise OutputError(
            f"{path}: would have {width * height * frames:,} pixels, and {most:,} are allowed; "
            "ask for a smaller size",
            code="too-large",
        )


def _check_space(path: Path, raw_bytes: int) -> None:
    """Raise OutputError if not even a tenth of the uncompressed size is free."""
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot be written to ({error.strerror})") from error
    if free < raw_bytes // 10:
        raise OutputError(
            f"{path}: has {raw_bytes / 1e9:.1f} GB uncompressed, and only "
            f"{free / 1e9:.2f} GB of disk are free; make room, or choose another folder with -o"
        )
