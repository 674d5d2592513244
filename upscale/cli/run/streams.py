"""``-``: a picture from standard input or to standard output, through temporary files."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from upscale.cli.run.options import Options
from upscale.cli.terminal.console import called
from upscale.errors import InputError, OutputError, UsageError
from upscale.files import unreadable, unwritable
from upscale.pictures.formats import own_suffix

__all__ = ["through_files"]


def through_files(options: Options, run: Callable[[Options], int]) -> int:
    """Run with ``options``, with a file in place of each ``-``."""
    if len(options.inputs) != 1:
        raise UsageError("- stands for a single picture; give no other inputs")
    if options.watch or options.dry_run:
        raise UsageError("- does not work with --watch or --dry-run; leave them out")
    reads, writes = options.inputs[0] == "-", options.output_is_stream
    if writes and os.path.isdir(options.inputs[0]):
        raise UsageError(f"{options.inputs[0]}: is a folder; -o - takes one picture")
    if writes and (sys.stdout is None or sys.stdout.isatty()):
        raise UsageError(
            "standard output is a terminal; send the picture to a file: upscale … -o - > big.png"
        )
    try:
        folder = tempfile.TemporaryDirectory(prefix="upscale-", ignore_cleanup_errors=True)
    except OSError as error:
        raise OutputError(
            f"no folder for temporary files is available ({error.strerror})"
        ) from error
    with folder as name, contextlib.ExitStack() as names:
        source = _from_input(Path(name)) if reads else Path(options.inputs[0])
        if reads:
            names.enter_context(called(source, "standard input"))
        target = options.output_path
        if writes:
            target = Path(name) / f"out{options.format_suffix or _own_suffix(source)}"
            names.enter_context(called(target, "standard output"))
        output = str(target) if writes else options.output
        status = run(replace(options, inputs=(os.path.join(".", source),), output=output))
        if writes and target is not None and status == 0:
            _to_output(target)
    return status


def _from_input(folder: Path) -> Path:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("no picture on standard input; give a file, or: … | upscale - -o -")
    path = folder / "standard-input"
    try:
        with open(path, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def _own_suffix(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return own_suffix(file.read(512), file.fileno())
    except OSError as error:
        raise InputError(unreadable(path, error)) from error


def _to_output(path: Path) -> None:
    try:
        with open(path, "rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except OSError as error:
        raise OutputError(f"standard output: cannot be written ({error.strerror})") from error
