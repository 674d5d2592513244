"""``upscale - -o - --raw 640x360``: frames through a pipe."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from upscale.batch.methods import find_method
from upscale.cli.run.methods import making_of, order_of
from upscale.cli.run.options import Options
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import Interrupted
from upscale.errors import InputError, OutputError, UsageError
from upscale.files import unreadable, unwritable, whole
from upscale.pictures.limits import check_pixels
from upscale.upscaling.raw_video import enlarge_frames
from upscale.upscaling.target import parse_size

__all__ = ["run_raw"]

STANDARD_INPUT, STANDARD_OUTPUT = 0, 1


def run_raw(options: Options) -> int:
    """Enlarge raw rgb24 frames; returns the exit status. Raises UpscaleError."""
    assert options.raw is not None
    width, height = parse_size(options.raw)
    if len(options.inputs) != 1:
        raise UsageError("--raw takes one stream of frames: - or a file")
    source, target = Path(options.inputs[0]), options.output_path
    check_pixels(source, width, height, options.max_pixels)
    if target is None and str(source) != "-":
        raise UsageError("--raw needs -o: - or a file for the frames")
    if options.output_is_stream:
        target = None
    if target is not None and target.exists():
        if source.exists() and target.samefile(source):
            raise UsageError(f"{source}: is both input and output; choose another -o")
        if not options.overwrite:
            raise OutputError(f"{target}: is there already; add --overwrite", code="output-exists")
    with Bars() as bars:
        making = making_of(options)
        candidates = making.candidates
        chosen = candidates.damaged if candidates else options.asked
        ready = find_method(chosen, making, order_of(options), bars, bars.say).ready
        model, tiling = ready.model, ready.tiling
        sizes = options.target.sizes(width, height, model.scale)
        move = bars.counter("frames")
        try:
            with _input(source) as frames_in, _output(target) as frames_out:
                bars.say(f"upscale: frames of {sizes.width}x{sizes.height}, rgb24")
                if candidates:
                    bars.say(
                        f"upscale: {chosen}, as most video is lossy; give --model "
                        f"{candidates.clean} if this one is not"
                    )
                count = enlarge_frames(
                    frames_in, frames_out, (width, height), sizes, model, tiling, move, options.wrap
                )
        except Interrupted as interrupted:
            bars.say(f"upscale: stopped by {interrupted}")
            return interrupted.exit_code
        bars.say(f"upscale: {count} frames")
    return 0


@contextlib.contextmanager
def _input(path: Path) -> Iterator[IO[bytes]]:
    try:
        piped = str(path) == "-"
        file = open(STANDARD_INPUT if piped else path, "rb", buffering=0, closefd=not piped)  # noqa: SIM115 - closed below
    except OSError as error:
        raise InputError(unreadable(path, error)) from error
    with file:
        yield file


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[IO[bytes]]:
    """Open standard output, a pipe or a device directly, or a file that appears when complete."""
    if path is None:
        with open(STANDARD_OUTPUT, "wb", buffering=0, closefd=False) as stream:
            yield stream
        return
    if not path.exists() or path.is_file():
        with whole(path) as part, part.open("xb", buffering=0) as file:
            yield file
        return
    try:
        device = path.open("wb", buffering=0)
    except OSError as error:
        raise unwritable(path, error) from error
    with device:
        yield device
