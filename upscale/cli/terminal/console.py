"""Prints lines, tables and names of files, and ends commands."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from upscale.errors import UpscaleError
from upscale.system import disturb, stop_signals

if TYPE_CHECKING:
    from upscale.bench.tables.table import Table

__all__ = [
    "Interrupted",
    "called",
    "duration",
    "emit",
    "exit_on_error",
    "interruptible",
    "print_table",
    "printable",
    "say",
    "shown",
]


class Interrupted(BaseException):
    """SIGINT or SIGTERM came; ``exit_code`` is 128 plus the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into `Interrupted`; a second one ends the process.

    It is raised anywhere but in a block of `upscale.system.undisturbed`.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        for each in stop_signals():
            signal.signal(each, lambda again, frame: os._exit(128 + again))
        disturb(Interrupted(number))

    for number in stop_signals():
        signal.signal(number, stop)
    yield


@contextlib.contextmanager
def exit_on_error(debug: bool = False) -> Iterator[None]:
    """Print the message of an UpscaleError and exit with its code; with ``debug`` raise it."""
    try:
        with interruptible():
            yield
    except UpscaleError as error:
        if debug:
            raise
        say(f"upscale: {error}")
        raise SystemExit(error.exit_code) from error
    except Interrupted as interrupted:
        say(f"upscale: stopped by {interrupted}")
        raise SystemExit(interrupted.exit_code) from interrupted


_NAMES: dict[str, str] = {}
"""Names for people of files that stand in for a stream."""


@contextlib.contextmanager
def called(path: "os.PathLike[str]", name: str) -> Iterator[None]:
    """Print ``name`` in place of ``path`` until the block ends."""
    _NAMES[os.fspath(path)] = name
    try:
        yield
    finally:
        del _NAMES[os.fspath(path)]


def shown(path: "os.PathLike[str] | str") -> str:
    """Return a path as text that any terminal and JSON can hold; odd bytes are escaped."""
    return printable(os.fspath(path))


def printable(text: str) -> str:
    """Escape bytes that are not UTF-8 in a path or a message; see `called`."""
    for path, name in _NAMES.items():
        text = text.replace(path, name)
    return os.fsencode(text).decode("utf-8", "backslashreplace") if _has_bytes(text) else text


def _has_bytes(text: str) -> bool:
    return not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text)


def duration(seconds: float) -> str:
    """Return a time in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def say(text: str) -> None:
    """Print a line on standard error; a closed stream is not a failure."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(printable(text), file=sys.stderr, flush=True)


def emit(line: str) -> None:
    """Print a line of the report on standard output; a closed or full one is not a failure."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process


def print_table(table: "Table") -> None:
    """Print a benchmark's table on standard output, with published figures dim."""
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    shown_table = RichTable(box=None, pad_edge=False)
    for number, title in enumerate(table.columns):
        shown_table.add_column(title, justify="right" if number else "left", overflow="fold")
    for line in table.lines:
        style = "" if line.kind == "measured" else "dim"
        shown_table.add_row(*(Text(printable(cell)) for cell in line.cells), style=style)
    width = None if sys.stdout is not None and sys.stdout.isatty() else 160
    console = Console(width=width, highlight=False, markup=False)
    with contextlib.suppress(OSError):
        console.print(printable(table.title))
        console.print(shown_table)
        for note in table.notes:
            console.print(printable(note), style="dim")
        console.print()
