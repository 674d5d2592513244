"""Fetches ahead of a batch and stores behind it, so that the network need not wait."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue

from upscale.batch.work import Result
from upscale.errors import UpscaleError
from upscale.fleet.carrying.arrival import arrive
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.departure import concerns_all, depart
from upscale.fleet.carrying.depot import Depot
from upscale.fleet.task import Task
from upscale.system import undisturbed

__all__ = ["AHEAD", "Carrier"]

AHEAD, BEHIND = 16, 8
"""Simultaneous downloads, and uploads. Each has a thread, which mostly waits."""

BYTES_BEHIND = 2**30
"""Most bytes of simultaneous uploads; a single one may have more."""

PATIENCE = 0.2
"""Seconds after which an idle batch gets an answer, and Ctrl-C is heard."""


class Carrier:
    """Turns tasks into jobs, and returns the result of each once it is stored.

    Ctrl-C may end any step, and `rest` continues from there. So a result is held until whoever
    asked for it asks for the next one: what is stored is yielded once, whenever Ctrl-C comes.
    """

    def __init__(self, settings: Mapping[str, str], overwrite: bool) -> None:
        """Take the digests of the settings by model. Start nothing."""
        self._settings, self._overwrite = settings, overwrite
        self._depot = Depot()
        self._heard: SimpleQueue[tuple[int, Cargo | Result | BaseException]] = SimpleQueue()
        """What threads say when a download or upload ends. Unlike a `Future`, it has no lock that
        Ctrl-C could leave locked."""
        self._arriving: set[int] = set()
        self._arrived: deque[Cargo | Result] = deque()
        self._in_batch: set[int] = set()
        self._leaving: dict[int, int] = {}
        """Bytes of each upload."""
        self._left: dict[int, Result] = {}
        """Results of uploads that nobody has got yet."""
        self._hopeless: UpscaleError | None = None

    def jobs(self, tasks: Iterable[Task | None]) -> Iterator[Cargo | Result | None]:
        """Yield each job of a batch as soon as its input is fetched; None while there is none.

        Results are among them: of tasks that need no work, and of stored pictures. The batch passes
        them on to `through`.
        """
        coming = iter(tasks)
        more = True
        while more or self._arriving or self._arrived:
            while more and len(self._arriving) + len(self._arrived) < AHEAD:
                try:
                    task = next(coming)
                except StopIteration:
                    more = False
                    break
                if task is None:
                    break
                cargo = self._depot.cargo(task)
                if cargo.arrives or cargo.departs:
                    with undisturbed():
                        self._arriving.add(cargo.number)
                        self._beside(cargo, self._bring)
                else:
                    yield self._handed(cargo)
            if more or self._arriving or self._arrived:
                yield self._next()

    def _bring(self, cargo: Cargo) -> Cargo | Result:
        return arrive(cargo, self._depot, self._settings, self._overwrite)

    def _next(self) -> Cargo | Result | None:
        if not (self._arrived or self._left):
            idle = not self._in_batch and (self._arriving or self._leaving)
            self._hear(PATIENCE if idle else 0)
        if self._arrived:
            found = self._arrived.popleft()
            return self._handed(found) if isinstance(found, Cargo) else found
        return next(iter(self._left.values()), None)  # `through` removes it

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
            yield from self._settled(cargo.number, result)
            return
        with undisturbed():
            self._in_batch.remove(cargo.number)
            warnings = tuple(map(cargo.told, result.warnings))
            error = None if result.error is None else cargo.tell(result.error)
            result = replace(result, warnings=warnings, error=error)
            if result.status != "done" or not cargo.departs:
                self._depot.drop(cargo)
                yield result
                return
            self._depot.drop_input(cargo)
        size = 0
        with contextlib.suppress(OSError):  # reported when it is stored
            size = cargo.output.stat().st_size
        while self._leaving and not self._has_room(size):
            yield from self._departed()
        with undisturbed():
            self._leaving[cargo.number] = size
            self._beside(cargo, partial(self._send, result))

    def _has_room(self, size: int) -> bool:
        return len(self._leaving) < BEHIND and sum(self._leaving.values()) + size <= BYTES_BEHIND

    def _send(self, result: Result, cargo: Cargo) -> Result:
        return depart(result, cargo, self._depot, self._settings, self._overwrite)

    def _departed(self) -> Iterator[Result]:
        """Wait for an upload, not for long; yield the results of those that have ended."""
        if not self._left:
            self._hear(PATIENCE)
        for number, result in [*self._left.items()]:
            yield from self._settled(number, result)

    def _settled(self, number: int, result: Result) -> Iterator[Result]:
        """Yield a result and forget it; Ctrl-C waits until the next one is asked for."""
        with undisturbed():
            self._left.pop(number, None)
            if concerns_all(result.error):
                self._hopeless = result.error
            yield result

    def rest(self) -> Iterator[Result]:
        """Wait for all uploads; yield their results. Fetch nothing more."""
        while self._leaving or self._left:
            yield from self._departed()

    def close(self) -> None:
        """Remove all files; later downloads find no folder."""
        self._depot.close()

    def _beside(self, cargo: Cargo, call: Callable[[Cargo], Cargo | Result]) -> None:
        """Call in a thread that ends with the process; `_hear` takes its answer."""

        def run() -> None:
            try:
                self._heard.put((cargo.number, call(cargo)))
            except BaseException as error:
                self._heard.put((cargo.number, error))

        threading.Thread(target=run, daemon=True).start()

    def _hear(self, seconds: float) -> None:
        """Take the answer of a thread, if one comes within ``seconds``."""
        with undisturbed(), contextlib.suppress(Empty):
            number, found = self._heard.get(timeout=seconds)
            if isinstance(found, BaseException):
                raise found
            if self._leaving.pop(number, None) is None:
                self._arriving.remove(number)
                self._arrived.append(found)
            else:
                assert isinstance(found, Result)
                self._left[number] = found
