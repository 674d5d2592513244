"""Enlarges a crop at once, even during a job, to choose a blend by eye."""

import io
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from upscale.batch.planning.job import Job
from upscale.batch.pool import CodecPool
from upscale.batch.run import Batch
from upscale.errors import WeightsError
from upscale.models.choice import AUTO, Choice
from upscale.models.fetching.sources import Progress
from upscale.pictures.writing.encoding import Encoding
from upscale.serving.requests.asked import Read
from upscale.serving.requests.offers import is_here
from upscale.serving.work.tickets import BusyError
from upscale.upscaling.target import Target

__all__ = ["Preview", "Previews"]

LARGEST = 256**2
"""Most pixels of a crop."""

MOST_WAITING = 4


@dataclass(frozen=True)
class Preview:
    """An enlarged crop."""

    png: bytes
    choice: Choice
    """Its model."""
    alpha: float | None


class _Quiet:
    """Ignores messages, which the job reports instead."""

    def say(self, text: str) -> None:
        pass

    def download(self, title: str) -> Progress:
        return lambda done, total: None


class Previews:
    """Makes crops one at a time; a context manager with a process that decodes them."""

    def __init__(self, folder: Path, read: Read) -> None:
        """Use ``folder`` for temporary files; ``read`` parses a request's settings."""
        self._folder, self._read = folder, read
        self._alone = threading.Lock()
        self._waiting = threading.Semaphore(MOST_WAITING)
        self._pool = CodecPool(1)

    def __enter__(self) -> "Previews":
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the process."""
        self._pool.__exit__(None, *error)

    def make(self, picture: bytes, words: Mapping[str, str]) -> Preview:
        """Enlarge a small picture with ``words``, except size and format. Raises UpscaleError.

        It fetches nothing.
        """
        if not self._waiting.acquire(blocking=False):
            raise BusyError("too many previews are waiting; try again")
        try:
            with self._alone:
                return self._make(io.BytesIO(picture), words)
        finally:
            self._waiting.release()

    def _make(self, picture: io.BytesIO, words: Mapping[str, str]) -> Preview:
        asked = self._read(words)
        if not is_here(words.get("model", AUTO)):
            raise WeightsError("this model is not on this machine yet; start a job to fetch it")
        methods = asked.find(_Quiet())
        name = secrets.token_hex(8)
        source, target = self._folder / f"{name}.in", self._folder / f"{name}.png"
        try:
            source.write_bytes(picture.getvalue())
            order = replace(asked.order, target=Target(), encoding=Encoding(), max_pixels=LARGEST)
            (result,) = Batch([Job(source, target)], methods, order, self._pool, jobs_ahead=1)
            if result.error is not None:
                text = str(result.error).replace(str(source), "the crop")
                raise type(result.error)(text, code=result.error.code)
            assert result.choice is not None
            alpha = methods[result.choice.model].alpha
            return Preview(target.read_bytes(), result.choice, alpha)
        finally:
            source.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
