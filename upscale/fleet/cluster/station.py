"""A remote worker: one call brings tasks and returns receipts."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from upscale.batch.methods import Making, find_methods
from upscale.batch.order import Order
from upscale.errors import UpscaleError
from upscale.fleet.task import Receipt, Task
from upscale.fleet.worker import Worker
from upscale.models.fetching.sources import Progress
from upscale.upscaling.tuning import tune

__all__ = ["Reply", "Station", "Terms"]

PAUSE, PATIENCE = 0.1, 1.0
"""Seconds for receipts to gather, and seconds until a call returns without any."""


@dataclass(frozen=True)
class Terms:
    """The settings of a station."""

    making: Making
    order: Order
    processes: int
    """Number of codec processes."""
    threads: int
    """Threads of the network on the CPU."""
    folder: str
    """Folder of relative paths, if the machine has it."""


@dataclass(frozen=True)
class Reply:
    """The answer of a station. It is small, since pictures go directly to their outputs."""

    receipts: tuple[Receipt, ...] = ()
    hungry: bool = False
    """Whether it has started all its tasks."""
    notes: tuple[str, ...] = ()
    """Lines for the user."""
    error: UpscaleError | None = None
    """The reason why it makes no more pictures."""


class Station:
    """A `Worker` in a thread, with waiting tasks and waiting receipts."""

    def __init__(self, terms: Terms) -> None:
        """Start to find the weights."""
        self._terms = terms
        self._changed = threading.Condition()
        self._tasks: deque[Task] = deque()
        self._receipts: list[Receipt] = []
        self._notes: list[str] = []
        self._open = self._closed = self._ended = False
        self._running: Future[None] = ThreadPoolExecutor(1).submit(self._run)

    def exchange(self, tasks: Sequence[Task]) -> Reply:
        """Take tasks; return receipts of earlier ones, within a second.

        The first call waits until the weights are found.
        """
        begin = time.monotonic()
        with self._changed:
            self._tasks.extend(tasks)
            self._changed.wait_for(lambda: self._open or self._ended)
            self._changed.wait_for(self._has_news, PATIENCE)
            if (rest := begin + PAUSE - time.monotonic()) > 0:
                self._changed.wait_for(lambda: self._ended, rest)
            return self._reply()

    def close(self) -> Reply:
        """Give up the current tasks; return the finished ones."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended, PATIENCE)
            return self._reply()

    def say(self, text: str) -> None:
        """Keep a line for the next call."""
        self._notes.append(text)

    def download(self, title: str) -> Progress:
        """Draw no bar, since nobody sees it."""
        return lambda done, total: None

    def _has_news(self) -> bool:
        return bool(self._receipts) or self._closed or self._ended

    def _reply(self) -> Reply:
        receipts, self._receipts = self._receipts, []
        notes, self._notes = self._notes, []
        error = self._running.exception() if self._ended else None
        if error is not None and not isinstance(error, UpscaleError | _ClosedError):
            raise error
        told = error if isinstance(error, UpscaleError) else None
        return Reply(tuple(receipts), not self._tasks, tuple(notes), told)

    def _run(self) -> None:
        try:
            tune()
            import torch

            torch.set_num_threads(self._terms.threads)
            terms = self._terms
            methods = find_methods(terms.making, terms.order, self)
            with Worker(terms.making, terms.order, methods, terms.processes) as worker:
                with self._changed:
                    self._open = True
                    self._changed.notify_all()
                try:
                    self._tell(worker.work(self._waiting()))
                except (_ClosedError, UpscaleError):
                    self._tell(worker.stop())
                    raise
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _tell(self, receipts: Iterator[Receipt]) -> None:
        for receipt in receipts:
            with self._changed:
                self._receipts.append(receipt)
                self._changed.notify_all()

    def _waiting(self) -> Iterator[Task | None]:
        while True:
            with self._changed:
                if self._closed:
                    raise _ClosedError
                task = self._tasks.popleft() if self._tasks else None
            yield task


class _ClosedError(Exception):
    """The current pictures are no longer needed."""
