"""Makes tasks one after the other with one set of models in memory."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping

from upscale.batch.methods import Making, described
from upscale.batch.order import Method, Order
from upscale.batch.planning.job import Job
from upscale.batch.pool import CodecPool
from upscale.batch.run import Batch
from upscale.batch.work import Result
from upscale.errors import UpscaleError
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.carrier import Carrier
from upscale.fleet.crew import Crew, Started
from upscale.fleet.task import Receipt, Task

__all__ = ["Worker"]


class Worker(Crew):
    """Reads, enlarges and writes pictures; as a context manager it ends its codec processes."""

    def __init__(
        self,
        making: Making,
        order: Order,
        methods: Mapping[str, Method],
        processes: int,
        *,
        asks_on: bool = True,
        debug: bool = False,
    ) -> None:
        """Start ``processes`` that decode and encode. Raises DeviceError.

        ``methods`` are those of ``making`` and ``order``; ``asks_on`` is as `Batch` has it;
        ``debug`` shows the output of their libraries.
        """
        self._making, self._order, self._methods = making, order, methods
        self._processes, self._asks_on = processes, asks_on
        self._carrier = self._new_carrier()
        self._pool = CodecPool(processes, debug)
        self._batch: Batch | None = None

    def _new_carrier(self) -> Carrier:
        settings = {name: method.settings for name, method in self._methods.items()}
        return Carrier(settings, self._order.overwrite)

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the codec processes, at once after an error, and remove pictures in transfer."""
        self._pool.__exit__(kind, *error)
        self._carrier.close()

    def work(
        self,
        tasks: Iterable[Task | None],
        started: Started = lambda task, choice: lambda done, total: None,
    ) -> Iterator[Receipt]:
        """Make ``tasks``, and yield the receipt of each as soon as it is known.

        Pictures in a store are fetched ahead and stored behind.
        """
        self._carrier.close()
        carrier = self._carrier = self._new_carrier()
        results = self._results(carrier.jobs(tasks), started)
        yield from map(self._receipt, carrier.through(results))

    def _results(self, jobs: Iterator[Job | Result | None], started: Started) -> Iterable[Result]:
        self._batch = Batch(
            *(jobs, self._methods, self._order, self._pool),
            jobs_ahead=self._processes,
            asks_on=self._asks_on,
            started=lambda job, choice: started(_task_of(job), choice),
        )
        return self._batch

    def stop(self) -> Iterator[Receipt]:
        """Yield receipts of written and stored pictures; nothing else is finished."""
        if self._batch is not None:
            with contextlib.suppress(UpscaleError):  # another error has ended the work
                yield from map(self._receipt, self._carrier.through(self._batch.collect()))
        yield from map(self._receipt, self._carrier.rest())

    def _receipt(self, result: Result) -> Receipt:
        settings = described(result, self._methods, self._making)
        return Receipt.of(result, _task_of(result.job), settings)


def _task_of(job: Job) -> Task:
    assert isinstance(job, Cargo)
    return job.task
