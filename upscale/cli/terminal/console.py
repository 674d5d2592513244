"""What a person sees: bars on a terminal, plain lines elsewhere; everything on standard error."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

from upscale.errors import UpscaleError
from upscale.system import stop_signals

if TYPE_CHECKING:
    from rich.progress import Progress

    from upscale.bench.tables.table import Table

__all__ = [
    "Bars",
    "Interrupted",
    "RunBar",
    "called",
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
    """Turn the first SIGINT or SIGTERM into `Interrupted`; a second one ends the process."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in stop_signals():
            signal.signal(each, lambda again, frame: os._exit(128 + again))
        raise Interrupted(number)

    for number in stop_signals():
        signal.signal(number, stop)
    yield


@contextlib.contextmanager
def exit_on_error(debug: bool = False) -> Iterator[None]:
    """Print an UpscaleError as one sentence and exit with its code; with ``debug`` raise it."""
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
"""What people know files by that stand in for a stream."""


@contextlib.contextmanager
def called(path: "os.PathLike[str]", name: str) -> Iterator[None]:
    """Say ``name`` where a line would say ``path``, until the block ends."""
    _NAMES[os.fspath(path)] = name
    try:
        yield
    finally:
        del _NAMES[os.fspath(path)]


def shown(path: "os.PathLike[str] | str") -> str:
    """Return a path as text that any terminal and JSON can hold; odd bytes are escaped."""
    return printable(os.fspath(path))


def printable(text: str) -> str:
    """Escape what stands for bytes that are not UTF-8 in a path or a message; see `called`."""
    for path, name in _NAMES.items():
        text = text.replace(path, name)
    return os.fsencode(text).decode("utf-8", "backslashreplace") if _has_bytes(text) else text


def _has_bytes(text: str) -> bool:
    return not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text)


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
    """Print a benchmark's table on standard output; what is published is dim."""
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


class Bars:
    """Progress bars on a terminal; with none, nothing but the lines that are said."""

    def __init__(self) -> None:
        """Draw nothing before the first task."""
        terminal = (
            sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        )
        self._progress: Progress | None = None
        self._lock = threading.Lock()
        if terminal:
            from rich import progress
            from rich.console import Console

            columns = (
                progress.TextColumn("{task.description}", markup=False),
                progress.BarColumn(),
                progress.TextColumn("{task.percentage:3.0f} %"),
                progress.TimeRemainingColumn(),
            )
            self._progress = progress.Progress(
                *columns,
                console=Console(stderr=True),
                transient=True,
                speed_estimate_period=600,  # seconds: a step of a training may take some
            )

    def __enter__(self) -> "Bars":
        """Start drawing."""
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Take the bars off the screen."""
        if self._progress:
            self._progress.stop()

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        if self._progress:
            self._progress.console.print(
                printable(text), markup=False, highlight=False, soft_wrap=True
            )
        else:
            say(text)

    def task(self, title: str, total: int | None = None) -> Callable[[int, int], None]:
        """Add a bar; return what moves it: (done, total). At the end it disappears."""
        if not (progress := self._progress):
            return lambda done, total: None
        task = progress.add_task(title, total=total)

        def move(done: int, total: int) -> None:
            with self._lock:
                progress.update(task, completed=done, total=total or None)
                if total and done >= total:
                    progress.update(task, visible=False)

        return move

    def counter(self, title: str) -> Callable[[int], None]:
        """Add a line that counts without an end in sight; return what moves it."""
        if not (progress := self._progress):
            return lambda done: None
        task = progress.add_task(f"0 {title}", total=None)
        return lambda done: progress.update(task, completed=done, description=f"{done} {title}")

    def run(self, files: int | None, size: int = 0) -> "RunBar":
        """Add the one bar of a run over ``files`` of ``size`` bytes; None: no end is in sight."""
        return RunBar(self._progress, files, size)

    @property
    def on_terminal(self) -> bool:
        """Whether bars are drawn."""
        return self._progress is not None

    def steps(self, total: int) -> Callable[[int, int, str], None]:
        """Return what moves the one bar of a training: steps done, of how many, and a text."""
        if not (progress := self._progress):
            return lambda done, total, text: None
        task = progress.add_task("", total=total)
        return lambda done, total, text: progress.update(
            task, completed=done, total=total, description=text
        )

    def download(self, title: str, verb: str = "fetching ") -> Callable[[int, int], None]:
        """Return what moves a bar that appears with the first bytes: (done, total)."""
        move: list[Callable[[int, int], None]] = []

        def first(done: int, total: int) -> None:
            if not move:
                move.append(self.task(f"{verb}{title}", total or None))
            move[0](done, total)

        return first


class RunBar:
    """Files and megapixels done, and the time left.

    It moves with the bytes of the inputs, or with their number where their bytes are not known.
    """

    def __init__(self, progress: "Progress | None", files: int | None, size: int) -> None:
        """Draw on ``progress``, if there is one."""
        self._progress = progress
        self._of = "" if files is None else f" of {files}"
        self._by_number = files is not None and not size
        self._files = 0
        self._done = 0.0
        self._pixels = 0
        total = None if files is None else max(1, size or files)
        self._task = progress.add_task("", total=total) if progress else None
        self.show(0)

    def start(self, size: int) -> Callable[[int, int], None]:
        """Return what is told (done, total) of the file of ``size`` bytes that is at work alone."""
        return lambda done, total: self.show(self.share(size) * done / max(1, total))

    def finish(self, size: int, pixels: int) -> None:
        """Count a file of ``size`` bytes and ``pixels`` as done."""
        self._files += 1
        self._done += self.share(size)
        self._pixels += pixels
        self.show(0)

    def share(self, size: int) -> int:
        """Return how far a file of ``size`` bytes moves the bar."""
        return 1 if self._by_number else size

    def show(self, more: float) -> None:
        """Draw; ``more``: how far the files at work move it."""
        if self._progress is None or self._task is None:
            return
        text = f"{self._files}{self._of} files, {self._pixels / 1e6:.1f} MP"
        self._progress.update(self._task, completed=self._done + more, description=text)
