"""The jobs of a server: those that wait, the one at work, and those whose results are kept."""

import contextlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from upscale.batch.planning.job import Job
from upscale.batch.planning.walk import Found
from upscale.batch.run import Result
from upscale.errors import UpscaleError
from upscale.models.choice import Choice
from upscale.models.fetching.sources import Progress
from upscale.serving.work.asked import Asked
from upscale.serving.work.limits import Limits

__all__ = ["BusyError", "CancelledError", "Ticket", "Tickets"]

ENDED = ("done", "failed", "cancelled")

TICK = 1.0
"""Seconds between looks at what has expired."""


class CancelledError(UpscaleError):
    """Nobody wants the picture any more."""

    code = "cancelled"


class BusyError(UpscaleError):
    """As many jobs wait as a server takes, or it makes no more."""

    code = "busy"


class Ticket:
    """One job of a server: some pictures, made in one way. Threads may read it at any time."""

    def __init__(self, folder: Path, asked: Asked, attended: bool) -> None:
        """Take what is asked; ``folder`` is the job's own. `Tickets.add` begins it."""
        self.id = folder.name
        self.folder, self.asked, self.attended = folder, asked, attended
        self.inputs, self.outputs = folder / "in", folder / "out"
        self.found: list[Found] = []
        self.jobs: list[Job] = []
        self.results: dict[Path, Result] = {}
        """By input."""
        self.said: list[str] = []
        self.state = "waiting"
        """``waiting``, ``fetching``, ``working``, ``done``, ``failed`` or ``cancelled``."""
        self.error: UpscaleError | None = None
        """What ended all of it."""
        self.wanted = True
        self.seen = time.monotonic()
        """When it was asked for last."""
        self.done, self.total = 0, 0
        """Bytes of weights while they are fetched; else pixels of the picture at work."""
        self.at_work: Path | None = None
        self.begin = 0.0
        """Of the first picture, on the monotonic clock."""
        self.tick: Progress = lambda done, total: None
        """Called while it is at work."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ENDED

    def say(self, text: str) -> None:
        """Keep a line for the user."""
        self.said.append(text.removeprefix("upscale: "))

    def download(self, title: str) -> Progress:
        """Return what is told bytes done and in all."""

        def progress(done: int, total: int) -> None:
            self.state = "fetching"
            self._advance(done, total)

        return progress

    def upcoming(self) -> Iterator[Job]:
        """Yield the jobs while they are wanted."""
        self.state, self.begin = "working", time.monotonic()
        for job in self.jobs:
            if not self.wanted:
                return
            yield job

    def started(self, job: Job, choice: Choice) -> Progress:
        """Return what is told the progress of a picture; it ends one that nobody wants."""
        self.at_work = job.input
        self._advance(0, 1)
        return self._advance

    def _advance(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.tick(done, total)
        if not self.wanted:
            raise CancelledError("cancelled")

    def add(self, result: Result) -> None:
        """Keep what became of a picture."""
        self.results[result.job.input] = result
        self.done, self.at_work = 0, None

    def end(self, error: UpscaleError | None = None) -> None:
        """Say that no more is made."""
        self.error = error
        made = any(each.status == "done" for each in self.results.values())
        cancelled = not self.wanted or isinstance(error, CancelledError)
        self.seen = time.monotonic()
        self.state = "cancelled" if cancelled else "done" if made and error is None else "failed"

    @property
    def share(self) -> float:
        """How much of the work is done, from 0 to 1, by the bytes of the inputs."""
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
        """How long it still takes, once that can be told."""
        share, passed = self.share, time.monotonic() - self.begin
        if self.state != "working" or share <= 0.01 or passed < 1:
            return None
        return passed * (1 - share) / share

    def clean(self, text: str) -> str:
        """Return a message without the folders of the server."""
        for folder in (self.outputs, self.inputs, self.folder):
            text = text.replace(f"{folder}{os.sep}", "")
        return text.removeprefix("upscale: ")


class Tickets:
    """Every `Ticket` of a server, and the queue of those that wait."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Keep jobs in ``folder``."""
        self._folder, self._limits = folder, limits
        self._every: dict[str, Ticket] = {}
        self._waiting: list[Ticket] = []
        self._arriving = 0
        self._open = True
        self._changed = threading.Condition()
        self._looked = 0.0

    def check_room(self) -> None:
        """Raise BusyError if no job more may wait."""
        with self._changed:
            self._expire()
            at_work = sum(not ticket.ended for ticket in self._every.values())
            if not self._open or at_work + self._arriving >= self._limits.jobs:
                raise BusyError("too many jobs wait; try again later")

    @contextlib.contextmanager
    def place(self, asked: Asked, attended: bool) -> Iterator[Ticket]:
        """Lend a ticket to be filled, and queue it in the end. Raises BusyError.

        ``attended``: somebody asks for it all the time; it is cancelled when they stop.
        """
        with self._changed:
            self.check_room()
            self._arriving += 1
        folder = self._folder / secrets.token_urlsafe(12)
        ticket = Ticket(folder, asked, attended)
        queued = False
        try:
            ticket.inputs.mkdir(parents=True)
            yield ticket
            with self._changed:
                ticket.seen = time.monotonic()
                self._every[ticket.id] = ticket
                self._waiting.append(ticket)
                self._changed.notify_all()
            queued = True
        finally:
            with self._changed:
                self._arriving -= 1
            if not queued:
                shutil.rmtree(folder, ignore_errors=True)

    def take(self) -> Ticket | None:
        """Wait for the next job; None when the server ends."""
        with self._changed:
            while self._open:
                self._expire()
                if self._waiting:
                    ticket = self._waiting.pop(0)
                    ticket.tick = self._tick
                    return ticket
                self._changed.wait(TICK)
        return None

    def find(self, id: str) -> Ticket | None:
        """Return a job, which counts as asked for."""
        with self._changed:
            ticket = self._every.get(id)
            if ticket is not None:
                ticket.seen = time.monotonic()
            return ticket

    def ahead(self, ticket: Ticket) -> int:
        """Return how many jobs are made before this one."""
        with self._changed:
            waiting = list(self._waiting)
            if ticket not in waiting:
                return 0
            at_work = any(each.state in ("fetching", "working") for each in self._every.values())
            return waiting.index(ticket) + at_work

    def cancel(self, ticket: Ticket) -> None:
        """Make no more of a job, and forget it; its files go as soon as nobody works on them."""
        with self._changed:
            self._cancel(ticket)

    def finish(self, ticket: Ticket, error: UpscaleError | None = None) -> None:
        """Note that a job is no longer at work."""
        with self._changed:
            ticket.end(error)
            if ticket.id not in self._every:
                shutil.rmtree(ticket.folder, ignore_errors=True)

    def close(self) -> None:
        """Take no more jobs, and cancel those that are not done."""
        with self._changed:
            self._open = False
            for ticket in self._unended():
                self._cancel(ticket)
            self._changed.notify_all()

    def _cancel(self, ticket: Ticket) -> None:
        ticket.wanted = False
        self._every.pop(ticket.id, None)
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            ticket.end()
        if ticket.ended:
            shutil.rmtree(ticket.folder, ignore_errors=True)

    def _unended(self) -> Iterable[Ticket]:
        return [ticket for ticket in self._every.values() if not ticket.ended]

    def _tick(self, done: int, total: int) -> None:
        if time.monotonic() - self._looked > TICK:
            with self._changed:
                self._expire()

    def _expire(self) -> None:
        """Cancel and forget what nobody asks for any more."""
        self._looked = now = time.monotonic()
        for ticket in list(self._every.values()):
            if not (ticket.ended or ticket.attended):
                continue
            patience = self._limits.kept if ticket.ended else self._limits.attended
            if now - ticket.seen > patience:
                self._cancel(ticket)
