"""Messages between this program and processes that it starts, pickled, over standard streams."""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Self

from upscale.errors import DeviceError
from upscale.system import beside_options, ending, undisturbed

__all__ = ["Child", "Pipe"]


class Pipe:
    """Messages from one stream and to another. Several threads may send."""

    def __init__(self, source: IO[bytes], target: IO[bytes]) -> None:
        """Take the stream that messages come from, and the one that they go to."""
        self._source, self._target = source, target
        self._lock = threading.Lock()

    @classmethod
    def of_this_process(cls) -> Self:
        """Take standard input and output; from now on prints go to standard error."""
        pipe = cls(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
        os.dup2(2, 1)  # so that no print of a library is taken for a message
        return pipe

    def send(self, message: Any) -> None:
        """Send it whole. Raises OSError if the other side is gone, ValueError after `close`."""
        with undisturbed(), self._lock:
            pickle.dump(message, self._target, pickle.HIGHEST_PROTOCOL)
            self._target.flush()

    def receive(self) -> Any:
        """Wait for a message and return it. Raises EOFError if the other side is gone."""
        try:
            return pickle.load(self._source)
        except (OSError, ValueError, pickle.UnpicklingError) as error:
            raise EOFError from error

    def hang_up(self) -> None:
        """Tell the other side that nothing more will be sent."""
        with contextlib.suppress(OSError):
            self._target.close()

    def close(self) -> None:
        """Close both streams."""
        self.hang_up()
        with contextlib.suppress(OSError):
            self._source.close()


class Child:
    """A process that this one starts; it runs ``serve`` of a module."""

    serves: ClassVar[str]
    """The name of the module."""
    named: ClassVar[tuple[str, str]]
    """What messages call the process, and the option that says how many there are."""

    def begin(self, variables: Mapping[str, str], *, quiet: bool = False) -> None:
        """Start it, or another in its place. Raises DeviceError.

        ``variables``: what is added to its environment; ``quiet``: discard what it prints.
        """
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        own = {"PYTHONPATH": os.pathsep.join(paths), **variables}
        try:
            self._start({**os.environ, **own}, quiet)
        except OSError as error:
            what, option = self.named
            raise DeviceError(
                f"{what} cannot be started ({error.strerror}); use fewer {option}"
            ) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.pipe = Pipe(self._process.stdout, self._process.stdin)

    def _start(self, environment: Mapping[str, str], quiet: bool) -> None:
        self._process = subprocess.Popen(
            (sys.executable, "-P", "-c", f"from {self.serves} import serve; serve()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            env=environment,
            **beside_options(),  # Ctrl-C reaches us alone; it ends when its input does
        )

    def kill(self) -> None:
        """End it at once; a thread that waits for its message gets an EOFError."""
        self._process.kill()

    def wait(self, grace: float | None = None) -> str:
        """Wait until it ends, at most ``grace`` seconds (None: for ever), and kill it then.

        Returns how it has ended, as `upscale.system.ending` says.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self._process.kill()
        return ending(self._process.wait())
