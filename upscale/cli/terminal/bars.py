"""Shows progress: bars on a terminal, plain lines elsewhere."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from upscale.cli.terminal.console import printable, say

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Bars", "RunBar"]


class Bars:
    """Progress bars on a terminal; without a terminal, only lines."""

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
        """Remove the bars from the screen."""
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
        """Add a bar; return the callback that moves it: (done, total). It disappears at the end."""
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
        """Add a line that counts without a known end; return its callback."""
        if not (progress := self._progress):
            return lambda done: None
        task = progress.add_task(f"0 {title}", total=None)
        return lambda done: progress.update(task, completed=done, description=f"{done} {title}")

    def run(self, files: int | None, size: int = 0) -> "RunBar":
        """Add the bar of a run over ``files`` of ``size`` bytes; None if the number is unknown."""
        return RunBar(self._progress, files, size)

    @property
    def on_terminal(self) -> bool:
        """Whether bars are drawn."""
        return self._progress is not None

    def steps(self, total: int) -> Callable[[int, int, str], None]:
        """Return the callback for the bar of a training: steps done, their total, and a text."""
        if not (progress := self._progress):
            return lambda done, total, text: None
        task = progress.add_task("", total=total)
        return lambda done, total, text: progress.update(
            task, completed=done, total=total, description=text
        )

    def download(self, title: str, verb: str = "fetching ") -> Callable[[int, int], None]:
        """Return the callback for a bar that appears with the first bytes: (done, total)."""
        move: list[Callable[[int, int], None]] = []

        def first(done: int, total: int) -> None:
            if not move:
                move.append(self.task(f"{verb}{title}", total or None))
            move[0](done, total)

        return first


class RunBar:
    """Shows files and megapixels done, and the time left.

    It moves with the bytes of the inputs, or with their number if the bytes are unknown.
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
        """Draw; ``more``: how far the current files move it."""
        if self._progress is None or self._task is None:
            return
        text = f"{self._files}{self._of} files, {self._pixels / 1e6:.1f} MP"
        self._progress.update(self._task, completed=self._done + more, description=text)
