"""Makes tasks one after the other, with one set of models in memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from upscale.batch.methods import Listener, Making, described, find_methods
from upscale.batch.order import Order
from upscale.batch.planning.plan import Job
from upscale.batch.pool import CodecPool
from upscale.batch.run import Batch
from upscale.fleet.crew import Started
from upscale.fleet.task import Receipt, Task

__all__ = ["Worker"]


class Worker:
    """Reads, enlarges and writes pictures; as a context manager it ends its codec processes."""

    def __init__(self, making: Making, order: Order, listener: Listener, processes: int) -> None:
        """Find the weights and start ``processes`` that decode and encode. Raises UpscaleError."""
        self._making, self._order, self._processes = making, order, processes
        self._methods = find_methods(making, order, listener)
        self._pool = CodecPool(processes)

    def __enter__(self) -> "Worker":
        """Give itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the codec processes, at once after an error."""
        self._pool.__exit__(kind, *error)

    def work(
        self,
        tasks: Iterable[Task | None],
        started: Started = lambda task, choice: lambda done, total: None,
    ) -> Iterator[Receipt]:
        """Make ``tasks``, and yield what became of each as soon as it is known.

        It is a `upscale.fleet.crew.Crew`.
        """
        at_work: dict[Job, Task] = {}

        def jobs() -> Iterator[Job | None]:
            for task in tasks:
                if task is None:
                    yield None
                    continue
                job = Job(Path(task.input), Path(task.output), task.size)
                at_work[job] = task
                yield job

        for result in Batch(
            *(jobs(), self._methods, self._order, self._pool),
            jobs_ahead=self._processes,
            started=lambda job, choice: started(at_work[job], choice),
        ):
            settings = described(result, self._methods, self._making)
            yield Receipt.of(result, at_work.pop(result.job), settings)

    def stop(self) -> Iterator[Receipt]:
        """Yield nothing: what it had at work has not been finished."""
        yield from ()
