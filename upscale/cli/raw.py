"""``upscale - -o - --raw 640x360``: frames through a pipe."""

import contextlib
import sys
from collections.abc import Iterator
from typing import IO

from upscale.cli.console import Bars, Interrupted
from upscale.cli.options import Options
from upscale.errors import InputError, OutputError, UsageError
from upscale.raw_video import enlarge_frames
from upscale.target import parse_size

__all__ = ["run_raw"]


def run_raw(options: Options) -> int:
    """Enlarge raw rgb24 frames; returns the exit status. Raises UpscaleError."""
    assert options.raw is not None
    size = parse_size(options.raw)
    if len(options.inputs) != 1:
        raise UsageError("--raw takes one stream of frames: - or a file")
    if options.output is None and options.inputs[0] != "-":
        raise UsageError("--raw needs -o: - or a file for the frames")
    with _opened_input(options) as source, _opened_output(options) as sink, Bars() as bars:
        from upscale.model import load_model
        from upscale.upscaler import plan_tiling

        model = load_model(
            options.model,
            options.alpha,
            options.psnr,
            options.device,
            options.precision,
            tta=options.tta,
            progress=bars.download(options.model),
            notify=bars.say,
        )
        sizes = options.target.sizes(*size, model.scale)
        tiling = plan_tiling(model, options.tile, options.overlap)
        bars.say(f"upscale: frames of {sizes.width}x{sizes.height}, rgb24")
        move = bars.counter("frames")
        try:
            frames = enlarge_frames(source, sink, size, sizes, model, tiling, move)
        except Interrupted as interrupted:
            bars.say(f"upscale: stopped by {interrupted}")
            return interrupted.exit_code
    bars.say(f"upscale: {frames} frames")
    return 0


@contextlib.contextmanager
def _opened_input(options: Options) -> Iterator[IO[bytes]]:
    path = options.inputs[0]
    if path == "-":
        if sys.stdin is None:
            raise InputError("standard input is closed")
        yield sys.stdin.buffer
        return
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


@contextlib.contextmanager
def _opened_output(options: Options) -> Iterator[IO[bytes]]:
    path = options.output
    if path is None or str(path) == "-":
        if sys.stdout is None:
            raise OutputError("standard output is closed")
        yield sys.stdout.buffer
        return
    if path.exists() and not options.overwrite:
        raise OutputError(f"{path}: is there already; add --overwrite", code="output-exists")
    try:
        with open(path, "wb") as file:
            yield file
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
