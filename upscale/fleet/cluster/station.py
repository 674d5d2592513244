"""A worker that somebody far away asks: tasks come in and receipts go out in the same call."""

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
"""Seconds for receipts to gather, and until a call returns without any."""


@dataclass(frozen=True)
class Terms:
    """What a station needs to make pictures."""

    making: Making
    order: Order
    processes: int
    """How many decode and encode."""
    threads: int
    """Of the network on the CPU."""
    folder: str
    """That in which relative paths begin, where the machine has it."""


@dataclass(frozen=True)
class Reply:
    """What a station answers. It is small: pictures are where their outputs lie."""

    receipts: tuple[Receipt, ...] = ()
    hungry: bool = False
    """It has begun everything that it was given."""
    notes: tuple[str, ...] = ()
    """Lines for the user."""
    error: UpscaleError | None = None
    """Why it makes no more pictures."""


class Station:
    """A `Worker` in a thread, with tasks that wait for it and receipts that wait for a call."""

    def __init__(self, terms: Terms) -> None:
        """Begin to find the weights."""
        self._terms = terms
        self._changed = threading.Condition()
        self._tasks: deque[Task] = deque()
        self._receipts: list[Receipt] = []
        self._notes: list[str] = []
        self._open = self._closed = self._ended = False
        self._running: Future[None] = ThreadPoolExecutor(1).submit(self._run)

    def exchange(self, tasks: Sequence[Task]) -> Reply:
        """Take tasks; return what has become of earlier ones, after a second at the latest.

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
        """Give up what is at work; return what has been finished."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended, PATIENCE)
            return self._reply()

    def say(self, text: str) -> None:
        """Keep a line for the next call."""
        self._notes.append(text)

    def download(self, title: str) -> Progress:
        """Draw no bar: nobody is here to see it."""
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
    """Nobody waits any more for the pictures that are at work."""
