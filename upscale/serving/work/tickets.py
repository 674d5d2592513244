"""The jobs of a server: waiting, running, and finished ones with their results."""

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from upscale.errors import UpscaleError
from upscale.serving.requests.asked import Asked
from upscale.serving.requests.limits import Limits
from upscale.serving.work.ticket import Ticket

__all__ = ["BusyError", "Tickets"]

TICK = 1.0
"""Seconds between checks for expired jobs."""


class BusyError(UpscaleError):
    """The queue is full, or the server is closing."""

    code = "busy"


class Tickets:
    """Every `Ticket` of a server, and the queue of waiting ones."""

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
        """Raise BusyError if the queue is full."""
        with self._changed:
            self._expire()
            at_work = sum(not ticket.ended for ticket in self._every.values())
            if not self._open or at_work + self._arriving >= self._limits.jobs:
                raise BusyError("too many jobs are waiting; try again later")

    @contextlib.contextmanager
    def place(self, asked: Asked, attended: bool) -> Iterator[Ticket]:
        """Lend a ticket to be filled, and queue it at the end. Raises BusyError.

        ``attended``: a page asks for it regularly; it is cancelled when the page stops.
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
        """Return a job; this counts as a request for it."""
        with self._changed:
            ticket = self._every.get(id)
            if ticket is not None:
                ticket.seen = time.monotonic()
            return ticket

    def ahead(self, ticket: Ticket) -> int:
        """Return the number of jobs before this one."""
        with self._changed:
            waiting = list(self._waiting)
            if ticket not in waiting:
                return 0
            at_work = any(each.state in ("fetching", "working") for each in self._every.values())
            return waiting.index(ticket) + at_work

    def cancel(self, ticket: Ticket) -> None:
        """Cancel a job and forget it; its files are removed once nothing uses them."""
        with self._changed:
            self._cancel(ticket)

    def finish(self, ticket: Ticket, error: UpscaleError | None = None) -> None:
        """Note that a job has stopped."""
        with self._changed:
            ticket.end(error)
            if ticket.id not in self._every:
                shutil.rmtree(ticket.folder, ignore_errors=True)

    def close(self) -> None:
        """Accept no more jobs, and cancel the unfinished ones."""
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
        """Cancel and forget jobs without requests."""
        self._looked = now = time.monotonic()
        for ticket in list(self._every.values()):
            if not (ticket.ended or ticket.attended):
                continue
            patience = self._limits.kept if ticket.ended else self._limits.attended
            if now - ticket.seen > patience:
                self._cancel(ticket)
