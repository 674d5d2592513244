"""Worker processes on this machine, each with its own device and threads, with one queue."""

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any

from upscale.batch.methods import Listener, Making
from upscale.batch.order import Order
from upscale.batch.run import AHEAD, PATIENCE, is_hopeless
from upscale.errors import DeviceError, UpscaleError
from upscale.fleet.crew import Crew, Started
from upscale.fleet.dispatch import Dispatch
from upscale.fleet.processes.process import THREADS, Place, Process
from upscale.fleet.processes.worker_process import Ask, Begun, End, Moved, Said, Start
from upscale.fleet.task import Receipt, Task
from upscale.models.fetching.sources import Progress
from upscale.system import undisturbed, usable_processors

__all__ = ["LocalCrew", "places"]

GRACE = 1.2
"""Seconds for a worker to clean up after a request to stop."""

MOST_DEATHS = 5
"""Most successive deaths of workers of one place without a picture in between."""


def places(devices: Sequence[str], processes: int) -> list[Place]:
    """Divide the processor's threads and ``processes`` among workers, one for each of ``devices``.

    All get the same number of threads: the fastest precision, and so the result, may depend on it.
    """
    asked = os.environ.get(THREADS, "")
    threads = int(asked) if asked.isdecimal() else usable_processors()
    each, more = divmod(processes, len(devices))
    return [
        Place(device, max(1, threads // len(devices)), max(1, each + (index < more)))
        for index, device in enumerate(devices)
    ]


class LocalCrew(Crew):
    """A `upscale.fleet.crew.Crew` of processes; one that dies is replaced."""

    def __init__(
        self,
        making: Making,
        order: Order,
        listener: Listener,
        places: Sequence[Place],
        debug: bool = False,
    ) -> None:
        """Start nothing. ``listener`` gets all workers' messages; ``making`` has no device yet."""
        self._making, self._order, self._listener = making, order, listener
        self._places, self._debug = places, debug
        self._heard: SimpleQueue[tuple[Process, Any]] = SimpleQueue()
        self._running: list[Process] = []
        self._progress: dict[Process, Progress] = {}
        self._deaths: Counter[Place] = Counter()
        self._dispatch = Dispatch(iter(()))

    def work(self, tasks: Iterable[Task | None], started: Started) -> Iterator[Receipt]:
        """Make ``tasks``, and yield the receipt of each; see `upscale.fleet.crew.Crew`."""
        most = max(AHEAD, *(place.processes for place in self._places))
        self._dispatch = Dispatch(iter(tasks), ahead=most * len(self._places))
        for place in self._places:
            self._start(place)
        while self._running:
            with undisturbed():  # until a receipt that it has heard is recorded
                try:
                    process, message = self._heard.get(timeout=PATIENCE)
                except Empty:
                    continue
                if isinstance(message, Receipt):
                    yield from self._settle(process, message)
                    continue
            match message:
                case Ask():
                    process.tell(self._answer(process))
                case Said(text):
                    self._listener.say(text)
                case Begun(task, choice):
                    self._progress[process] = started(task, choice)
                case Moved(done, total):
                    self._progress[process](done, total)
                case UpscaleError():
                    raise message
                case None:
                    yield from self._bury(process)

    def stop(self) -> Iterator[Receipt]:
        """End all work at once; yield finished receipts that were not reported yet."""
        for process in self._running:
            process.pipe.hang_up()
        until = time.monotonic() + GRACE
        while self._running:
            try:
                process, message = self._heard.get(timeout=max(0, until - time.monotonic()))
            except Empty:
                for process in self._running:
                    process.end(0)
                self._running.clear()
                return
            if isinstance(message, Receipt) and self._dispatch.settle(process, message.task):
                yield message
            elif message is None:
                self._running.remove(process)
                process.end(GRACE)

    def _start(self, place: Place) -> None:
        making = replace(self._making, device=place.device)
        start = Start(making, self._order, place.processes, self._debug)
        self._running.append(Process(place, start, self._heard))

    def _answer(self, process: Process) -> Task | End | None:
        """Return a task, or the reason why there is none."""
        held = len(self._dispatch.at_work(process))
        share = self._dispatch.share(len(self._running))
        if self._dispatch.is_exhausted:
            return End()
        taken = self._dispatch.take(process, held + 1) if held < max(1, share) else []
        return taken[0] if taken else None

    def _settle(self, process: Process, receipt: Receipt) -> Iterator[Receipt]:
        if self._dispatch.settle(process, receipt.task):
            del self._deaths[process.place]
            yield receipt
            if receipt.error is not None and is_hopeless(receipt.error):
                raise receipt.error

    def _bury(self, process: Process) -> Iterator[Receipt]:
        """Remove a dead process, and replace it if there is work."""
        self._running.remove(process)
        self._progress.pop(process, None)
        how = process.end(GRACE)
        was_done = process.had_end and not self._dispatch.at_work(process)
        for task in self._dispatch.lose(process):
            yield Receipt.crashed(task, how)
        if was_done or self._dispatch.is_exhausted:
            return
        self._deaths[process.place] += 1
        if self._deaths[process.place] >= MOST_DEATHS:
            raise DeviceError(
                f"{process.place.device}: its process has ended {MOST_DEATHS} times in a row "
                f"({how}); run: upscale doctor --device {process.place.device}"
            )
        self._start(process.place)
