"""Checks all outputs of a run: which are missing, stale, damaged, or without an input."""

import os
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from upscale.batch.order import Method, Order
from upscale.errors import UsageError
from upscale.fleet.auditing.finding import Finding, Good
from upscale.fleet.auditing.inspection import Inspection
from upscale.fleet.auditing.lying import Lying, pictures_in
from upscale.fleet.task import Receipt, Task
from upscale.stores.urls import is_url, join, relative

__all__ = ["Audit"]

Found = Finding | Good

Tasks = Iterable[Task | Receipt]
"""A receipt stands for an input that needs no output (``skipped``) or cannot have one."""

ASKED = 32
"""Number of simultaneous requests to a store."""

AHEAD = 4
"""Number of pictures that wait for each thread."""


class Audit:
    """Compares outputs with those of a run; a context manager, which ends its processes.

    Memory does not grow with the number of pictures: the existing ones are in a table on disk
    (`Lying`), tasks are read on demand, and the sample is drawn from them on the way.
    """

    def __init__(
        self,
        root: str,
        methods: Mapping[str, Method],
        order: Order,
        *,
        sample: int | None,
        processes: int,
    ) -> None:
        """Check the outputs in the folder or at the address ``root``.

        ``methods``: any of them may have made an output. ``sample``: number of outputs to decode;
        None for all. ``processes``: number of decoding processes.
        """
        self._root, self._most = root, sample
        self._inspection = Inspection(methods, order, processes)
        self._threads = ASKED if is_url(root) else processes
        self._pool = ThreadPoolExecutor(self._threads)
        self._sample: list[Good] = []
        self.checked = self.good = self.decoded = 0
        """Numbers of inputs so far, of outputs up to date, and of decoded outputs."""

    def __enter__(self) -> "Audit":
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the processes, at once after an error."""
        self._pool.shutdown(wait=kind is None, cancel_futures=True)
        self._inspection.close(at_once=kind is not None)

    def findings(self, tasks: Tasks, seen: Callable[[int], None]) -> Iterator[Finding]:
        """Check the output of each task, and then the other files there.

        ``seen`` gets the number of checked inputs. Raises UpscaleError if something cannot be
        listed or a store does not answer.
        """
        with Lying(pictures_in(self._root)) as lying:
            for found in self._beside(self._looks(tasks, lying)):
                if isinstance(found, Good):
                    self.good += 1
                    self._draw(found)
                else:
                    yield found
                if self._most is None and (isinstance(found, Good) or found.status == "damaged"):
                    self.decoded += 1
                seen(self.checked)
            decode = self._inspection.decode
            for found in self._beside(partial(decode, each) for each in self._sample):
                self.decoded += 1
                if isinstance(found, Finding):
                    self.good -= 1
                    yield found
            for name in lying.unexplained():
                yield Finding("extra", _joined(self._root, name))

    def _looks(self, tasks: Tasks, lying: Lying) -> Iterator[Callable[[], Found]]:
        for task in tasks:
            if isinstance(task, Receipt):
                if task.status != "skipped":
                    self.checked += 1
                    yield partial(_missing, task.task, str(task.error))
                continue
            self.checked += 1
            if (name := _below(task.input, self._root)) is not None:
                lying.explain(name)
            name = _below(task.output, self._root)
            there = name is not None and lying.explain(name)
            yield partial(self._look, task) if there else partial(_missing, task)

    def _look(self, task: Task) -> Found:
        found = self._inspection.standing(task)
        if self._most is None and isinstance(found, Good):
            return self._inspection.decode(found)
        return found

    def _beside(self, looks: Iterable[Callable[[], Found]]) -> Iterator[Found]:
        """Call ``looks`` in parallel; yield their results in order."""
        waiting: deque[Future[Found]] = deque()
        for look in looks:
            if len(waiting) >= AHEAD * self._threads:
                yield waiting.popleft().result()
            waiting.append(self._pool.submit(look))
        while waiting:
            yield waiting.popleft().result()

    def _draw(self, good: Good) -> None:
        """Keep each output with the same chance: A. Waterman's algorithm R, in Knuth, 3.4.2."""
        if self._most is None:
            return
        if len(self._sample) < self._most:
            self._sample.append(good)
        elif self._most and (place := random.randrange(self.good)) < self._most:
            self._sample[place] = good


def _missing(task: Task, reason: str = "") -> Finding:
    return Finding("missing", task.output, task.input, reason)


def _below(place: str, root: str) -> str | None:
    """Return the path below ``root``, with slashes; None if it is elsewhere."""
    if is_url(root):
        try:
            return relative(place, root)
        except UsageError:
            return None
    if is_url(place):
        return None
    below = os.path.relpath(place, root).replace(os.sep, "/")
    return None if below == ".." or below.startswith("../") else below


def _joined(root: str, name: str) -> str:
    return join(root, name) if is_url(root) else os.path.join(root, name)
