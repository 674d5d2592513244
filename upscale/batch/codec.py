"""A process beside the network that reads and writes pictures, and may crash."""

from pathlib import Path
from typing import Any

from upscale.batch.pipe import Child
from upscale.batch.worker import Look, Read, Write
from upscale.errors import InputError, UpscaleError

__all__ = ["Codec"]

GRACE = 2.0
"""Seconds for a process that has closed its streams to end."""


class Codec(Child):
    """One process, asked by `call`; after a crash another takes its place."""

    serves, named = "upscale.batch.worker", ("a process for decoding", "--jobs")

    def __init__(self, debug: bool = False) -> None:
        """Start the process; ``debug`` shows what its libraries print. Raises DeviceError."""
        self._debug = debug
        self._over = False
        self.begin({}, quiet=not debug)

    def __enter__(self) -> "Codec":
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the process, at once after an error."""
        if kind is not None:
            self.kill()
        self.close()

    def call(self, message: Any, path: Path) -> Any:
        """Return the reply. Raises a reply that is an error, and InputError ``crashed``.

        A `Read`, `Look` or `Write` goes to a new process if this one has ended while idle.
        """
        if isinstance(message, Read | Look | Write):
            try:
                self.pipe.send(message)
            except OSError:  # EPIPE, or EINVAL on Windows
                self._replace()
                self.pipe.send(message)
        try:
            if not isinstance(message, Read | Look | Write):
                self.pipe.send(message)
            reply = self.pipe.receive()
        except (EOFError, OSError) as error:
            raise InputError(
                f"{path}: made the decoder or encoder crash ({self._replace(GRACE)}); "
                "convert it with another program first",
                code="crashed",
            ) from error
        if isinstance(reply, UpscaleError):
            raise reply
        return reply

    def _replace(self, grace: float = 0) -> str:
        """End the process, start another unless this is closed, and return how the first one ended.

        ``grace``: seconds for it to end by itself.
        """
        how = self.wait(grace)
        self.pipe.close()
        if not self._over:
            self.begin({}, quiet=not self._debug)
        return how

    def restart(self) -> None:
        """Replace the process at once."""
        self._replace()

    def kill(self) -> None:
        """End the process at once, for good; a call that waits for it fails."""
        self._over = True
        super().kill()

    def close(self) -> None:
        """Let the process end by itself, for good."""
        self._over = True
        self.pipe.close()
        self.wait()
