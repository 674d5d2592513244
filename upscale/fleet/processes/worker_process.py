"""A process with a `Worker`: it requests tasks on standard output and gets them on standard input.

What it hears: a `Start`; then, behind each `Ask`, a task, None (nothing for now) or `End`. What it
says: `Ask`, `Said`, `Begun` and `Moved` as it works, a `Receipt` for each task, and the
`UpscaleError` that ended its work. All are pickled.
"""

import _thread
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from queue import SimpleQueue

from upscale.batch.methods import Making, find_methods
from upscale.batch.order import Order
from upscale.batch.pipe import Pipe
from upscale.errors import UpscaleError
from upscale.fleet.task import Task
from upscale.fleet.worker import Worker
from upscale.models.choice import Choice
from upscale.models.fetching.sources import Progress
from upscale.system import disturb
from upscale.upscaling.tuning import tune

__all__ = ["Ask", "Begun", "End", "Moved", "Said", "Start", "serve"]

OFTEN = 0.2
"""Seconds between two messages on the progress of a picture."""


@dataclass(frozen=True)
class Start:
    """The settings for all tasks."""

    making: Making
    order: Order
    processes: int
    """Number of processes that decode and encode."""
    debug: bool
    """Whether to show the output of their libraries."""


@dataclass(frozen=True)
class Ask:
    """A request for one more task."""


@dataclass(frozen=True)
class End:
    """There are no more tasks."""


@dataclass(frozen=True)
class Said:
    """A line for the user."""

    text: str


@dataclass(frozen=True)
class Begun:
    """A task goes to the network."""

    task: Task
    choice: Choice


@dataclass(frozen=True)
class Moved:
    """The progress of the last task that went to the network."""

    done: int
    total: int


def serve() -> None:
    """Work until there are no more tasks; stop at once if standard input ends before."""
    pipe = Pipe.of_this_process()
    # a shell's & may make the process ignore it
    signal.signal(signal.SIGINT, lambda number, frame: disturb(KeyboardInterrupt()))
    tune()
    says = _Says(pipe)
    try:
        start: Start = pipe.receive()
        asked = _Asked(pipe)
        methods = find_methods(start.making, start.order, says)
        given = (start.making, start.order, methods, start.processes)
        with Worker(*given, debug=start.debug) as worker:
            try:
                for receipt in worker.work(asked.tasks(says), says.begun):
                    says.tell(receipt)
            except (KeyboardInterrupt, UpscaleError):
                for receipt in worker.stop():
                    says.tell(receipt)
                raise
    except UpscaleError as error:
        says.tell(error)
    except (KeyboardInterrupt, EOFError, BrokenPipeError):
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Asked:
    """Incoming messages, read by a separate thread, since the main one may be in the network."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._heard: SimpleQueue[Task | End | None] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def tasks(self, says: "_Says") -> Iterator[Task | None]:
        while True:
            says.tell(Ask())
            if isinstance(answer := self._heard.get(), End):
                return
            yield answer

    def _listen(self) -> None:
        try:
            while True:
                self._heard.put(self._pipe.receive())
        except EOFError:
            _thread.interrupt_main()
            self._heard.put(End())


class _Says:
    """A `Listener` that passes everything to the other process."""

    def __init__(self, pipe: Pipe) -> None:
        self.tell = pipe.send

    def say(self, text: str) -> None:
        self.tell(Said(text))

    def download(self, title: str) -> Progress:
        """Ignore it: weights have been fetched before."""
        return lambda done, total: None

    def begun(self, task: Task, choice: Choice) -> Progress:
        self.tell(Begun(task, choice))
        last = time.monotonic()

        def move(done: int, total: int) -> None:
            nonlocal last
            if (now := time.monotonic()) - last > OFTEN:
                last = now
                self.tell(Moved(done, total))

        return move
