"""Many files: each is read ahead, upscaled, and written behind; each has its own outcome."""

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from upscale.batch.planning import Job
from upscale.batch.pool import CodecPool, Picture
from upscale.batch.worker import Decoded, Read, Skipped, Write
from upscale.errors import DeviceError, OutputError, UpscaleError
from upscale.files import part_beside, sweep
from upscale.pictures.formats import FORMATS, MAX_PIXELS, Encoding, check_format, suffix_of
from upscale.pixels.image import Image, Layout
from upscale.pixels.spool import Rows, StoredRows
from upscale.upscaling.target import Target

if TYPE_CHECKING:
    from upscale.models.model import Model
    from upscale.upscaling.engine import Tiling

__all__ = ["Making", "Means", "Progress", "Result", "run"]

PATIENCE = 0.2
"""Seconds that are waited before it is looked for new work, or for what a codec has done."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Making:
    """How every picture of a run is made; ``settings``: see `upscale.batch.resume`."""

    target: Target = field(default_factory=Target)
    encoding: Encoding = field(default_factory=Encoding)
    to_srgb: bool = False
    lenient: bool = False
    settings: str = ""
    overwrite: bool = False
    max_pixels: int = MAX_PIXELS


@dataclass(frozen=True)
class Means:
    """What a picture is made with."""

    model: "Model"
    tiling: "Tiling"
    making: Making


@dataclass(frozen=True)
class Result:
    """What became of one job; sizes are (width, height) of a frame in pixels, None where not
    known; ``status``: done, skipped, failed or cancelled.
    """

    job: Job
    status: str
    seconds: float = 0.0
    error: UpscaleError | None = None
    size: tuple[int, int] | None = None
    output_size: tuple[int, int] | None = None
    warnings: tuple[str, ...] = ()


@dataclass
class _Sent:
    """A picture that the network is done with and that is still being encoded since ``begin``."""

    picture: Picture
    result: Result
    begin: float


def run(
    jobs: Iterable[Job | None],
    means_of: Callable[[Job], Means],
    pool: CodecPool,
    *,
    jobs_ahead: int,
    started: Callable[[Job], Progress] = lambda job: lambda done, total: None,
) -> Iterator[Result]:
    """Make each picture; yield the results as they are complete.

    ``jobs`` may be endless and yield None where there is nothing to do yet. ``means_of`` is asked
    as a picture begins to be read. ``jobs_ahead``: pictures at work at a time, one for each process
    of ``pool``. ``started`` is called at each job's start and returns what is told its progress. A
    picture that fails does not stop the others; what ``means_of`` raises, OutputError for a full
    disk and DeviceError do, after their result has been yielded.
    """
    source = iter(jobs)
    swept: set[Path] = set()
    reading: deque[tuple[Job, Means, Picture]] = deque()
    encoding: list[_Sent] = []
    exhausted = idle = False
    while True:
        idle = idle and bool(reading or encoding)
        while not (exhausted or idle) and len(reading) + len(encoding) < jobs_ahead:
            try:
                job = next(source)
            except StopIteration:
                exhausted = True
                break
            if job is None:
                idle = True
                break
            if job.problem is not None:
                yield Result(job, "skipped" if job.skip else "failed", error=job.problem)
                continue
            try:
                means = means_of(job)
                if job.output.parent not in swept:
                    swept.add(job.output.parent)
                    _prepare(job.output.parent)
            except UpscaleError as error:
                yield Result(job, "failed", error=error)
                raise
            reading.append((job, means, pool.start(_request(job, means.making))))
        for sent in [each for each in encoding if each.picture.written.done()]:
            encoding.remove(sent)
            pool.release(sent.picture)
            yield from _settled(sent)
        if reading and (reading[0][2].decoded.done() or not encoding):
            job, means, picture = reading.popleft()
            begin = time.monotonic()
            try:
                encoding.append(_upscale(job, picture, means, started(job)))
            except UpscaleError as error:
                pool.release(picture)
                yield Result(job, "failed", time.monotonic() - begin, error)
                _stop_if_hopeless(error)
        elif encoding:
            _wait(encoding, [picture for _, _, picture in reading])
        elif exhausted:
            return
        elif idle:
            time.sleep(PATIENCE)


def _prepare(folder: Path) -> None:
    """Make an output's folder, below the one that has been checked, and sweep it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror})") from error
    sweep(folder)


def _wait(encoding: list[_Sent], reading: list[Picture]) -> None:
    """Wait until one of the pictures that are being encoded or decoded gets further."""
    from concurrent.futures import FIRST_COMPLETED, Future, wait

    waiting: list[Future[object]] = [sent.picture.written for sent in encoding]  # type: ignore[misc]
    waiting += [picture.decoded for picture in reading[:1]]  # type: ignore[misc]
    wait(waiting, timeout=PATIENCE, return_when=FIRST_COMPLETED)


def _settled(sent: _Sent) -> Iterator[Result]:
    """Yield the result of a picture whose encoding has ended."""
    seconds = time.monotonic() - sent.begin
    try:
        warnings = (*sent.result.warnings, *sent.picture.written.result())
    except UpscaleError as error:
        yield Result(sent.result.job, "failed", seconds, error)
        _stop_if_hopeless(error)
    else:
        yield replace(sent.result, seconds=seconds, warnings=warnings)


def _stop_if_hopeless(error: UpscaleError) -> None:
    """Raise what no further picture would escape: no memory, or no disk to write to."""
    if isinstance(error, DeviceError) or error.code == OutputError.code:
        raise error


def _request(job: Job, making: Making) -> Read:
    return Read(
        job.input,
        job.output,
        making.settings,
        making.overwrite,
        making.max_pixels,
        making.to_srgb or suffix_of(job.output) == ".gif",  # which holds no profile
        making.lenient,
        part_beside(job.output),
    )


def _upscale(job: Job, picture: Picture, means: Means, progress: Progress) -> _Sent:
    """Send one picture through the network; it may still be encoded when this returns."""
    begin = time.monotonic()
    decoded = picture.decoded.result()
    if isinstance(decoded, Skipped):
        return _Sent(picture, Result(job, "skipped"), begin)
    try:
        return _Sent(picture, _send(job, picture, decoded, means, progress), begin)
    except UpscaleError:
        picture.abandon()
        raise


def _send(
    job: Job,
    picture: Picture,
    decoded: Decoded,
    means: Means,
    progress: Progress,
) -> Result:
    from upscale.upscaling.enlarge import enlarge

    model, making = means.model, means.making
    image = decoded.image
    warnings = image.warnings
    all_rows, width, channels = image.pixels.shape
    height = all_rows // image.frames
    frames = image.frames if FORMATS[suffix_of(job.output)].frames else 1
    if frames < image.frames:
        warnings += (f"{job.input}: has {image.frames} frames; this format holds the first only",)
    sizes = making.target.sizes(width, height, model.scale)
    check_format(job.output, sizes.width, sizes.height)
    depth = image.pixels.dtype.itemsize * 8
    _check_space(job.output, sizes.width * sizes.height * frames * channels * depth // 8)
    layout = Layout(
        *(sizes.width, sizes.height, channels, depth), *(frames, image.delays, image.loop)
    )
    part = part_beside(job.output)
    picture.open(Write(job.output, layout, image.metadata, making.encoding, decoded.key, part))
    for index in range(frames):

        def advance(done: int, total: int, index: int = index) -> None:
            progress(index * total + done, frames * total)

        frame = _frame(image, index * height, height)
        for band in enlarge(frame, model, means.tiling, sizes, advance, picture.scratch):
            picture.write(band)
    picture.finish()
    return Result(
        job,
        "done",
        size=(width, height),
        output_size=(sizes.width, sizes.height),
        warnings=warnings,
    )


def _frame(image: Image, first: int, rows: int) -> Rows:
    pixels = image.pixels
    if isinstance(pixels, StoredRows):
        return pixels.part(first, rows)
    frame: Rows = pixels[first : first + rows]
    return frame


def _check_space(path: Path, raw_bytes: int) -> None:
    """Stop early where even a tenth of the uncompressed size is not free."""
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot be written to ({error.strerror})") from error
    if free < raw_bytes // 10:
        raise OutputError(
            f"{path}: will take about {raw_bytes / 1e9:.1f} GB uncompressed, and only "
            f"{free / 1e9:.2f} GB are free; free some space, or choose another folder with -o"
        )
