"""Whatever makes tasks: this process, several processes, or a cluster."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, Self

from upscale.fleet.task import Receipt, Task
from upscale.models.choice import Choice
from upscale.models.fetching.sources import Progress

__all__ = ["Crew", "Started"]

Started = Callable[[Task, Choice], Progress]
"""Told of a task that goes to a network, and of its model; returns what is told its progress."""


class Crew(Protocol):
    """Makes tasks; a context manager, which ends all work at once after an error."""

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the processes."""
        for _ in self.stop():
            pass

    def work(self, tasks: Iterable[Task | None], started: Started) -> Iterator[Receipt]:
        """Make ``tasks``, and yield what became of each as soon as it is known.

        Not many more of them are asked for than can be at work. A None among them says that there
        is nothing for now; only a `upscale.fleet.worker.Worker` goes on asking then.
        After an error that all pictures would meet, the receipt of one is yielded and the error
        raised.
        """

    def stop(self) -> Iterator[Receipt]:
        """End all work at once; yield what was finished, and has not been told yet."""
