"""Codec processes seen from outside, and what they are asked to read."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from upscale.batch.worker import Read
from upscale.pictures.limits import MAX_PIXELS
from upscale.pixels.image import Pixels

SOON = 10
"""Seconds that nothing here takes; a wait that lasts longer is one without end."""


def noise(height: int, width: int) -> Pixels:
    found: Pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    return found


class Endless:
    """An input that is never read to its end: a FIFO that somebody could still write to."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._descriptor = -1

    def await_reader(self) -> None:
        """Wait until a process reads."""

        def open_it() -> bool:
            with contextlib.suppress(OSError):
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
            return self._descriptor >= 0

        wait_until(open_it)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


def request(path: Path, output: Path | None = None) -> Read:
    output = output or path.with_name(f"{path.stem}_x4.png")
    scratch = output.with_name(f".{output.name}.scratch")
    return Read(path, output, {"a": "settings"}, None, False, MAX_PIXELS, False, False, scratch)


def children() -> set[int]:
    own, found = os.getpid(), set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
            if int(parent) == own and state != "Z":
                found.add(int(path.parent.name))
    return found


def codecs(before: set[int]) -> list[int]:
    return sorted(children() - before)


def kill(pids: list[int], number: int = signal.SIGSEGV) -> None:
    """End processes and see them end."""
    for pid in pids:
        os.kill(pid, number)
    deadline = time.monotonic() + SOON
    while children() & {*pids}:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + SOON
    while not (found := condition()):
        assert time.monotonic() < deadline, "this takes too long"
        time.sleep(0.01)
    return found
