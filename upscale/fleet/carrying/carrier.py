"""Fetches ahead of a batch and stores behind it, so that the network need not wait."""

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from upscale.batch.work import Result
from upscale.errors import UpscaleError
from upscale.fleet.carrying.arrival import arrive
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.departure import concerns_all, depart
from upscale.fleet.carrying.depot import Depot
from upscale.fleet.task import Task

__all__ = ["AHEAD", "Carrier"]

AHEAD, BEHIND = 16, 8
"""Simultaneous downloads, and uploads. Each has a thread, which mostly waits."""

BYTES_BEHIND = 2**30
"""Most bytes of simultaneous uploads; a single one may have more."""

PATIENCE = 0.2
"""Seconds after which an idle batch gets an answer."""

Answer = TypeVar("Answer")


class Carrier:
    """Turns tasks into jobs, and returns the result of each once it is stored."""

    def __init__(self, settings: Mapping[str, str], overwrite: bool) -> None:
        """Take the digests of the settings by model. Start nothing."""
        self._settings, self._overwrite = settings, overwrite
        self._depot = Depot()
        self._arriving: list[Future[Cargo | Result]] = []
        self._leaving: dict[Future[Result], int] = {}
        self._in_batch: set[int] = set()
        self._hopeless: UpscaleError | None = None

    def jobs(self, tasks: Iterable[Task | None]) -> Iterator[Cargo | Result | None]:
        """Yield each job of a batch as soon as its input is fetched; None while there is none.

        Results are among them: of tasks that need no work, and of stored pictures. The batch passes
        them on to `through`.
        """
        coming = iter(tasks)
        more = True
        while more or self._arriving:
            while more and len(self._arriving) < AHEAD:
                try:
                    task = next(coming)
                except StopIteration:
                    more = False
                    break
                if task is None:
                    break
                cargo = self._depot.cargo(task)
                if cargo.arrives or cargo.departs:
                    self._arriving.append(_beside(partial(self._bring, cargo)))
                else:
                    yield self._handed(cargo)
            if not self._in_batch:
                moving: list[Future[Any]] = [*self._arriving, *self._leaving]
                wait(moving, PATIENCE, FIRST_COMPLETED)
            yield from self._next()

    def _bring(self, cargo: Cargo) -> Cargo | Result:
        return arrive(cargo, self._depot, self._settings, self._overwrite)

    def _next(self) -> Iterator[Cargo | Result | None]:
        arrived = [each for each in self._arriving if each.done()]
        left = [each for each in self._leaving if each.done()]
        for each in arrived:
            self._arriving.remove(each)
            found = each.result()
            if isinstance(found, Cargo):
                yield self._handed(found)
            else:
                yield found
        for one in left:
            if self._leaving.pop(one, None) is not None:
                yield one.result()
        if not (arrived or left):
            yield None

    def _handed(self, cargo: Cargo) -> Cargo:
        self._in_batch.add(cargo.number)
        return cargo

    def through(self, batch: Iterable[Result]) -> Iterator[Result]:
        """Yield the results of a batch for `jobs`, each when it is stored.

        Raises an error of a store that every other picture would meet.
        """
        for result in batch:
            yield from self._take(result)
            if self._hopeless is not None:
                raise self._hopeless
        yield from self.rest()
        if self._hopeless is not None:
            raise self._hopeless

    def _take(self, result: Result) -> Iterator[Result]:
        cargo = result.job
        assert isinstance(cargo, Cargo)
        if cargo.number not in self._in_batch:
            yield self._noted(result)
            return
        self._in_batch.remove(cargo.number)
        warnings = tuple(map(cargo.told, result.warnings))
        error = None if result.error is None else cargo.tell(result.error)
        result = replace(result, warnings=warnings, error=error)
        if result.status != "done" or not cargo.departs:
            self._depot.drop(cargo)
            yield result
        else:
            self._depot.drop_input(cargo)
            size = 0
            with contextlib.suppress(OSError):  # reported when it is stored
                size = cargo.output.stat().st_size
            while self._leaving and not self._has_room(size):
                yield from self._departed()
            self._leaving[_beside(partial(self._send, result, cargo))] = size

    def _has_room(self, size: int) -> bool:
        return len(self._leaving) < BEHIND and sum(self._leaving.values()) + size <= BYTES_BEHIND

    def _send(self, result: Result, cargo: Cargo) -> Result:
        return depart(result, cargo, self._depot, self._settings, self._overwrite)

    def _departed(self) -> Iterator[Result]:
        """Wait for an upload; yield its result and those of others."""
        for one in wait(self._leaving, return_when=FIRST_COMPLETED).done:
            del self._leaving[one]
            yield self._noted(one.result())

    def _noted(self, result: Result) -> Result:
        if concerns_all(result.error):
            self._hopeless = result.error
        return result

    def rest(self) -> Iterator[Result]:
        """Wait for all uploads; yield their results. Fetch nothing more."""
        while self._leaving:
            yield from self._departed()

    def close(self) -> None:
        """Remove all files; later downloads find no folder."""
        self._depot.close()


def _beside(call: Callable[[], Answer]) -> "Future[Answer]":
    """Call in a thread that ends with the process."""
    future: Future[Answer] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
