"""One job of a server, from its start to its end."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from upscale.batch.planning.job import Job
from upscale.batch.planning.walk import Found
from upscale.batch.run import Result
from upscale.errors import UpscaleError
from upscale.models.choice import Choice
from upscale.models.fetching.sources import Progress
from upscale.serving.requests.asked import Asked

__all__ = ["CancelledError", "Ticket"]

ENDED = ("done", "failed", "cancelled")


class CancelledError(UpscaleError):
    """The picture is no longer wanted."""

    code = "cancelled"


class Ticket:
    """One job of a server: pictures with the same settings. Threads may read it at any time."""

    def __init__(self, folder: Path, asked: Asked, attended: bool) -> None:
        """Take the settings; ``folder`` is the job's own. `Tickets.add` starts it."""
        self.id = folder.name
        self.folder, self.asked, self.attended = folder, asked, attended
        self.inputs, self.outputs = folder / "in", folder / "out"
        self.found: list[Found] = []
        self.jobs: list[Job] = []
        self.results: dict[Path, Result] = {}
        """Results by input."""
        self.said: list[str] = []
        self.state = "waiting"
        """``waiting``, ``fetching``, ``working``, ``done``, ``failed`` or ``cancelled``."""
        self.error: UpscaleError | None = None
        """The error that ended the job."""
        self.wanted = True
        self.seen = time.monotonic()
        """Time of the last request for it."""
        self.done, self.total = 0, 0
        """Bytes of weights during a download, otherwise pixels of the current picture."""
        self.at_work: Path | None = None
        self.begin = 0.0
        """Start of the first picture, on the monotonic clock."""
        self.tick: Progress = lambda done, total: None
        """Called during the work."""

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return self.state in ENDED

    def say(self, text: str) -> None:
        """Keep a line for the user."""
        self.said.append(text.removeprefix("upscale: "))

    def download(self, title: str) -> Progress:
        """Return the callback for the progress of a download."""

        def progress(done: int, total: int) -> None:
            self.state = "fetching"
            self._advance(done, total)

        return progress

    def upcoming(self) -> Iterator[Job]:
        """Yield the pictures as long as they are wanted."""
        self.state, self.begin = "working", time.monotonic()
        for job in self.jobs:
            if not self.wanted:
                return
            yield job

    def started(self, job: Job, choice: Choice) -> Progress:
        """Return the callback for the progress of a picture; it ends an unwanted one."""
        self.at_work = job.input
        self._advance(0, 1)
        return self._advance

    def _advance(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.tick(done, total)
        if not self.wanted:
            raise CancelledError("cancelled")

    def add(self, result: Result) -> None:
        """Keep the result of a picture."""
        self.results[result.job.input] = result
        self.done, self.at_work = 0, None

    def end(self, error: UpscaleError | None = None) -> None:
        """Mark the job as ended."""
        self.error = error
        made = any(each.status == "done" for each in self.results.values())
        cancelled = not self.wanted or isinstance(error, CancelledError)
        self.seen = time.monotonic()
        self.state = "cancelled" if cancelled else "done" if made and error is None else "failed"

    @property
    def share(self) -> float:
        """The finished share of the work, from 0 to 1, by the bytes of the inputs."""
        if self.state == "fetching":
            return self.done / self.total if self.total else 0.0
        every = sum(each.size for each in self.found) or 1
        results = dict(self.results)
        made = sum(each.size for each in self.found if each.path in results)
        if (at_work := self.at_work) is not None and self.total:
            size = next((each.size for each in self.found if each.path == at_work), 0)
            made += size * self.done // self.total
        return 1.0 if self.state == "done" else made / every

    @property
    def seconds_left(self) -> float | None:
        """Remaining seconds, once they are known."""
        share, passed = self.share, time.monotonic() - self.begin
        if self.state != "working" or share <= 0.01 or passed < 1:
            return None
        return passed * (1 - share) / share

    def clean(self, text: str) -> str:
        """Return a message without the folders of the server."""
        for folder in (self.outputs, self.inputs, self.folder):
            text = text.replace(f"{folder}{os.sep}", "")
        return text.removeprefix("upscale: ")
