"""A worker's process, as the one that drives it has it."""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from upscale.errors import DeviceError
from upscale.fleet.processes.worker_process import End, Start
from upscale.system import beside_options, ending

__all__ = ["COMMAND", "THREADS", "Place", "Process"]

COMMAND = (
    sys.executable,
    "-P",
    "-c",
    "from upscale.fleet.processes.worker_process import serve; serve()",
)

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


class Process:
    """Told what to do by `tell`; a thread puts what it says into a queue, and None when it ends."""

    def __init__(
        self, place: Place, start: Start, heard: "SimpleQueue[tuple[Process, Any]]"
    ) -> None:
        """Start it. Raises DeviceError."""
        self.place, self._heard = place, heard
        self.had_end = False
        """Whether it was told last that there is no more."""
        root = str(Path(__file__).parents[3])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        own = {"PYTHONPATH": os.pathsep.join(paths), THREADS: str(place.threads)}
        try:
            self._start({**os.environ, **own})
        except OSError as error:
            raise DeviceError(
                f"a worker cannot be started ({error.strerror}); use fewer --workers"
            ) from error
        self.tell(start)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _start(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            **beside_options(),  # Ctrl-C reaches us alone; it ends when its input does
        )

    def tell(self, message: Any) -> None:
        """Send a message; that it cannot hear any more shows by its end."""
        assert self._process.stdin is not None
        self.had_end = isinstance(message, End)
        with contextlib.suppress(OSError, ValueError):
            pickle.dump(message, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
            while True:
                self._heard.put((self, pickle.load(self._process.stdout)))
        self._heard.put((self, None))

    def hang_up(self) -> None:
        """Let it stop at once."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def end(self, grace: float) -> str:
        """End it, if it does not end by itself within seconds, and return how it did."""
        self.hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self._process.kill()
        status = self._process.wait()
        self._listener.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return ending(status)
