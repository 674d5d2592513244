"""The driver's handle of a worker's process."""

import contextlib
import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from upscale.batch.pipe import Child
from upscale.fleet.processes.worker_process import End, Start

__all__ = ["THREADS", "Place", "Process"]

THREADS = "OMP_NUM_THREADS"
"""The variable with the number of threads of a network's process."""


@dataclass(frozen=True)
class Place:
    """The share of one worker in the machine."""

    device: str
    threads: int
    """Threads of the processor for the network."""
    processes: int
    """Number of processes that decode and encode."""


class Process(Child):
    """Gets messages by `tell`; a thread puts its answers into a queue, and None when it ends."""

    serves, named = "upscale.fleet.processes.worker_process", ("a worker", "--workers")

    def __init__(
        self, place: Place, start: Start, heard: "SimpleQueue[tuple[Process, Any]]"
    ) -> None:
        """Start it. Raises DeviceError."""
        self.place, self._heard = place, heard
        self.had_end = False
        """Whether the last message was the end of tasks."""
        self.begin({THREADS: str(place.threads)})
        self.tell(start)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def tell(self, message: Any) -> None:
        """Send a message; a dead process is noticed by its end."""
        self.had_end = isinstance(message, End)
        with contextlib.suppress(OSError, ValueError):
            self.pipe.send(message)

    def _listen(self) -> None:
        with contextlib.suppress(EOFError):
            while True:
                self._heard.put((self, self.pipe.receive()))
        self._heard.put((self, None))

    def end(self, grace: float) -> str:
        """End it if it does not end by itself within seconds, and return how it ended."""
        self.pipe.hang_up()
        how = self.wait(grace)
        self._listener.join()
        self.pipe.close()
        return how
