"""A worker's process, as the one that drives it has it."""

import contextlib
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from upscale.batch.pipe import Child
from upscale.fleet.processes.worker_process import End, Start

__all__ = ["THREADS", "Place", "Process"]

THREADS = "OMP_NUM_THREADS"
"""The variable that says how many threads a network's process has."""


@dataclass(frozen=True)
class Place:
    """What one worker has of the machine."""

    device: str
    threads: int
    """Of the processor, for the network."""
    processes: int
    """That decode and encode."""


class Process(Child):
    """Told what to do by `tell`; a thread puts what it says into a queue, and None when it ends."""

    serves, named = "upscale.fleet.processes.worker_process", ("a worker", "--workers")

    def __init__(
        self, place: Place, start: Start, heard: "SimpleQueue[tuple[Process, Any]]"
    ) -> None:
        """Start it. Raises DeviceError."""
        self.place, self._heard = place, heard
        self.had_end = False
        """Whether it was told last that there is no more."""
        self.begin({THREADS: str(place.threads)})
        self.tell(start)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def tell(self, message: Any) -> None:
        """Send a message; that it cannot hear any more shows by its end."""
        self.had_end = isinstance(message, End)
        with contextlib.suppress(OSError, ValueError):
            self.pipe.send(message)

    def _listen(self) -> None:
        with contextlib.suppress(EOFError):
            while True:
                self._heard.put((self, self.pipe.receive()))
        self._heard.put((self, None))

    def end(self, grace: float) -> str:
        """End it, if it does not end by itself within seconds, and return how it did."""
        self.pipe.hang_up()
        how = self.wait(grace)
        self._listener.join()
        self.pipe.close()
        return how
