"""The thread that makes pictures, one job after the other, through `upscale.batch`."""

import threading

from upscale.batch.planning.plan import Destination, plan
from upscale.batch.pool import CodecPool
from upscale.batch.run import Batch
from upscale.errors import UpscaleError
from upscale.serving.work.ticket import Ticket
from upscale.serving.work.tickets import Tickets

__all__ = ["Maker"]

PATIENCE = 5.0
"""Seconds to wait for a part of a picture when the server ends."""


class Maker:
    """Makes jobs as they arrive; a context manager, which starts and ends it."""

    def __init__(self, tickets: Tickets, processes: int) -> None:
        """Take jobs from ``tickets``; ``processes`` decode and encode."""
        self._tickets, self._processes = tickets, processes
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Maker":
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Cancel the current job, and end."""
        self._tickets.close()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            while self._serve():
                pass
        finally:
            self._tickets.close()  # also if an error of ours has ended this thread

    def _serve(self) -> bool:
        """Make jobs until there are no more, or until a failure requires new processes."""
        try:
            with CodecPool(self._processes) as pool:
                while (ticket := self._tickets.take()) is not None:
                    self._make(ticket, pool)
        except UpscaleError:
            return True
        return False

    def _make(self, ticket: Ticket, pool: CodecPool) -> None:
        """Make a job. Raises the UpscaleError that ended it amid its pictures."""
        try:
            methods = ticket.asked.find(ticket)
            naming = ticket.asked.naming(next(iter(methods.values())).scale)
            ticket.outputs.mkdir(exist_ok=True)
            destination = Destination(ticket.outputs)
            ticket.jobs = plan(ticket.found, destination, naming, on_collision="rename")
        except UpscaleError as error:
            self._tickets.finish(ticket, error)
            return
        ended: UpscaleError | None = None
        try:
            for result in Batch(
                *(ticket.upcoming(), methods, ticket.asked.order, pool),
                jobs_ahead=self._processes,
                started=ticket.started,
            ):
                ticket.add(result)
        except UpscaleError as error:
            ended = error
            raise
        finally:
            self._tickets.finish(ticket, ended)
