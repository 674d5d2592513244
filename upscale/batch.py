"""Many files: plan every output first, then make them one after the other and report each."""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from upscale import image
from upscale.errors import DeviceError, OutputError, UpscaleError, UsageError
from upscale.image import suffix_of
from upscale.image_writer import Writer, sweep

if TYPE_CHECKING:
    from upscale.model import Model
    from upscale.upscaler import Tiling

__all__ = ["Job", "Result", "find_inputs", "plan", "prepare_output", "run"]

PICTURE_SUFFIXES = {
    *image.FORMATS,
    *image.ALIASES,
    *(".gif", ".bmp", ".ppm", ".pgm", ".pnm", ".jp2", ".jxl", ".heic", ".heif", ".avif"),
}

LONGEST_NAME = 255
"""Bytes that a file's name may have on the usual file systems."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """One picture to make."""

    input: Path
    output: Path


@dataclass(frozen=True)
class Result:
    """What became of one job; sizes are (width, height) in pixels, None where not known."""

    job: Job
    status: str
    seconds: float = 0.0
    error: UpscaleError | None = None
    size: tuple[int, int] | None = None
    output_size: tuple[int, int] | None = None
    warnings: tuple[str, ...] = field(default=())


def prepare_output(output: Path | None, many: bool) -> Path | None:
    """Make sure, before anything else is done, that ``output`` can be written to.

    ``many``: there are several inputs, so that it must be a folder. With one input a name with a
    suffix is a file. Folders are made. Raises OutputError for what cannot be written, UsageError
    for a file where a folder is needed or a format that is not known.
    """
    if output is None:
        return None
    is_file = not many and not output.is_dir() and output.suffix != ""
    if many and output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is a file; several pictures need a folder")
    if is_file and suffix_of(output) not in image.FORMATS:
        raise UsageError(f"{output}: write one of {', '.join(image.FORMATS)}, or name a folder")
    folder = output.parent if is_file else output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror})") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: cannot be written to; choose another folder with -o")
    return output


def find_inputs(inputs: Iterable[Path]) -> list[Path]:
    """Replace each folder by the pictures that lie directly in it, by name; others stay."""
    found: list[Path] = []
    for path in inputs:
        if path.is_dir():
            try:
                inside = sorted(path.iterdir())
            except OSError as error:
                raise UsageError(f"{path}: cannot be listed ({error.strerror})") from error
            found += [
                file
                for file in inside
                if file.suffix.lower() in PICTURE_SUFFIXES
                and not file.name.startswith(".")
                and file.is_file()
            ]
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def plan(inputs: list[Path], output: Path | None, scale: int, suffix: str | None) -> list[Job]:
    """Choose every output's name; find what would collide before anything is made.

    ``output``: a file for one input, a folder, or None for beside each input; ``suffix``: the
    format to write, such as ``.webp``, or None for the input's own. Pictures that are the
    outputs of others (of an earlier run) are left out. Raises UsageError.
    """
    jobs = [Job(path, _output_of(path, output, scale, suffix)) for path in inputs]
    made = {job.output for job in jobs}
    jobs = [job for job in jobs if job.input not in made or job.input == job.output]
    taken: dict[str, Job] = {}
    for job in jobs:
        if job.output == job.input or (
            job.output.exists() and job.input.exists() and job.output.samefile(job.input)
        ):
            raise UsageError(f"{job.input}: would be written over itself; choose another -o")
        first = taken.setdefault(str(job.output).casefold(), job)
        if first is not job:
            raise UsageError(
                f"{first.input} and {job.input} would both become {job.output}; "
                "rename one, or run them into different folders"
            )
    return jobs


def _output_of(path: Path, output: Path | None, scale: int, suffix: str | None) -> Path:
    if output is not None and not output.is_dir():
        return output
    own = path.suffix if suffix_of(path) in image.FORMATS else ".png"
    stem, end = path.stem, f"_x{scale}{suffix or own}"
    while len(os.fsencode(stem + end)) > LONGEST_NAME:
        stem = stem[:-1]
    return (path.parent if output is None else output) / (stem + end)


def run(
    jobs: Iterable[Job],
    model: "Model",
    tiling: "Tiling",
    *,
    overwrite: bool = False,
    max_pixels: int = image.MAX_PIXELS,
    started: Callable[[Job], Progress] = lambda job: lambda done, total: None,
) -> Iterator[Result]:
    """Make each picture; yield its result in turn.

    ``started`` is called at each job's start and returns what is told LR pixels done and in all.
    A picture that fails does not stop the others; OutputError for a full disk and DeviceError
    do, after their result has been yielded.
    """
    jobs = list(jobs)
    for folder in {job.output.parent for job in jobs}:
        sweep(folder)
    for job in jobs:
        begin = time.monotonic()
        try:
            result = _make(job, model, tiling, overwrite, max_pixels, started(job))
        except UpscaleError as error:
            yield Result(job, "failed", time.monotonic() - begin, error)
            if isinstance(error, DeviceError) or error.code == OutputError.code:
                raise
            continue
        yield replace(result, seconds=time.monotonic() - begin)


def _make(
    job: Job, model: "Model", tiling: "Tiling", overwrite: bool, max_pixels: int, progress: Progress
) -> Result:
    from upscale.upscaler import upscale_bands

    if job.output.exists() and not overwrite:
        raise OutputError(f"{job.output}: is there already; add --overwrite", code="output-exists")
    picture = image.read(job.input, max_pixels)
    height, width, channels = picture.pixels.shape
    warnings = list(picture.warnings)
    output_size = (width * model.scale, height * model.scale)
    image.check_format(job.output, *output_size)
    _check_space(job.output, picture.pixels.nbytes * model.scale**2)
    depth = picture.pixels.dtype.itemsize * 8
    with Writer(job.output, *output_size, channels, depth, picture.metadata) as writer:
        warnings += writer.losses
        for band in upscale_bands(picture.pixels, model, tiling, progress):
            writer.write(band)
    return Result(
        job,
        "done",
        size=(width, height),
        output_size=output_size,
        warnings=tuple(warnings),
    )


def _check_space(path: Path, raw_bytes: int) -> None:
    """Stop early where even a tenth of the uncompressed size is not free."""
    if shutil.disk_usage(path.parent).free < raw_bytes // 10:
        raise OutputError(f"{path}: {os.strerror(errno.ENOSPC)}; free some space, or use -o")
