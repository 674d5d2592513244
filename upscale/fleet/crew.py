"""The interface of whatever makes tasks: this process, several processes, or a cluster."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self

from upscale.fleet.task import Receipt, Task
from upscale.models.choice import Choice
from upscale.models.fetching.sources import Progress

__all__ = ["Crew", "Started"]

Started = Callable[[Task, Choice], Progress]
"""Called when a task goes to a network, with its model; returns the callback for its progress."""


class Crew(Protocol):
    """Makes tasks; a context manager, which ends all work at once after an error."""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the processes."""
        for _ in self.stop():
            pass

    def work(self, tasks: Iterable[Task | None], started: Started) -> Iterator[Receipt]:
        """Make ``tasks``, and yield the receipt of each as soon as it is known.

        It reads only a few more tasks than it can work on. A None among them means that there is
        nothing for now; only a `upscale.fleet.worker.Worker` then continues to ask. After an error
        that all pictures would meet, it yields the receipt of one and raises the error.
        """

    def stop(self) -> Iterator[Receipt]:
        """End all work at once; yield finished receipts that were not reported yet."""
