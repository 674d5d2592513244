"""A process beside the network that reads and writes pictures, and may crash."""

import contextlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from upscale.batch.worker import Look, Read, Write
from upscale.errors import DeviceError, InputError, UpscaleError
from upscale.system import beside_options, ending

__all__ = ["COMMAND", "Codec"]

COMMAND = (sys.executable, "-P", "-c", "from upscale.batch.worker import serve; serve()")

GRACE = 2.0
"""Seconds for a process that has closed its streams to end."""


class Codec:
    """One process, asked by `call`; after a crash another takes its place."""

    def __init__(self, debug: bool = False) -> None:
        """Start the process; ``debug`` shows what its libraries print."""
        self._debug = debug
        self._over = False
        self._start()

    def _start(self) -> None:
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        try:
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None if self._debug else subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                **beside_options(),  # Ctrl-C reaches us alone; it ends when its input does
            )
        except OSError as error:
            raise DeviceError(
                f"a process for decoding cannot be started ({error.strerror}); use fewer --jobs"
            ) from error

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
                self._send(message)
            except OSError:  # EPIPE, or EINVAL on Windows
                self._replace()
                self._send(message)
        try:
            if not isinstance(message, Read | Look | Write):
                self._send(message)
            assert self._process.stdout is not None
            reply = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise InputError(
                f"{path}: made the decoder or encoder crash ({self._replace(GRACE)}); "
                "convert it with another program first",
                code="crashed",
            ) from error
        if isinstance(reply, UpscaleError):
            raise reply
        return reply

    def _send(self, message: Any) -> None:
        assert self._process.stdin is not None
        pickle.dump(message, self._process.stdin, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()

    def _replace(self, grace: float = 0) -> str:
        """End the process, start another unless this is closed, and return how the first one ended.

        ``grace``: seconds for it to end by itself.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace)
        self._process.kill()
        self._close_streams()
        status = self._process.wait()
        if not self._over:
            self._start()
        return ending(status)

    def restart(self) -> None:
        """Replace the process at once."""
        self._replace()

    def kill(self) -> None:
        """End the process at once, for good; a call that waits for it fails."""
        self._over = True
        self._process.kill()

    def close(self) -> None:
        """Let the process end by itself, for good."""
        self._over = True
        self._close_streams()
        self._process.wait()

    def _close_streams(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
