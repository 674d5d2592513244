"""Runs tasks from a source through a crew into the report."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Self

from upscale.cli.reports.report import Report
from upscale.cli.run.methods import chosen
from upscale.cli.terminal.bars import Bars, RunBar
from upscale.cli.terminal.console import Interrupted
from upscale.errors import UpscaleError
from upscale.fleet.crew import Crew
from upscale.fleet.task import Receipt, Task
from upscale.models.choice import Candidates, Choice
from upscale.models.fetching.sources import Progress
from upscale.system import undisturbed

__all__ = ["Course", "Source"]


@dataclass(frozen=True)
class Source:
    """A source of tasks, in memory or found on demand."""

    tasks: Iterator[Task | Receipt | None]
    """Tasks, which are found on demand, behind those in ``left``; a receipt for one that needs no
    work or cannot be made; None if there is nothing for now."""
    files: int | None = None
    """Number of tasks; None if unknown."""
    size: int = 0
    """Bytes of all; 0 if unknown."""
    left: deque[Task | Receipt] = field(default_factory=deque)
    """Tasks in memory, few enough to report each; whoever reads one removes it."""

    @classmethod
    def of(cls, tasks: Collection[Task | Receipt]) -> Self:
        """Return a source of tasks in memory."""
        size = sum(each.size if isinstance(each, Task) else each.task.size for each in tasks)
        return cls(iter(()), len(tasks), size, deque(tasks))


class Course:
    """A run in progress: its current tasks, and the results of the others."""

    def __init__(
        self, bars: Bars, report: Report, candidates: Candidates | None, source: Source
    ) -> None:
        """Start nothing."""
        self.status = 0
        """The exit status so far."""
        self._bars, self._report, self._candidates = bars, report, candidates
        self._source = source
        self._bar: RunBar | None = None
        self._at_work: dict[Task, float] = {}
        """How far each task has moved the bar."""

    def run(self, crew: Crew, begin: Callable[[], None] = lambda: None) -> None:
        """Let ``crew`` make everything; `cancel` reports the rest.

        ``begin`` is called when a picture goes to a network. Raises Interrupted, and the
        UpscaleError that ends the work.
        """
        self._bar = self._bars.run(self._source.files, self._source.size)

        def started(task: Task, choice: Choice) -> Progress:
            begin()
            return self._started(task, choice)

        with crew:
            try:
                for receipt in crew.work(self._tasks(), started):
                    self._settle(receipt)
            except (Interrupted, UpscaleError):
                with undisturbed():
                    for receipt in crew.stop():
                        self._settle(receipt)
                raise

    @property
    def left(self) -> list[Task]:
        """All remaining tasks in memory."""
        return [*self._at_work, *(each for each in self._source.left if isinstance(each, Task))]

    def cancel(self) -> None:
        """Report the unfinished tasks: the current ones, and those in memory."""
        for each in [*self._at_work, *self._source.left]:
            task = each if isinstance(each, Task) else each.task
            self._settle(Receipt(task, "cancelled"))

    def _tasks(self) -> Iterator[Task | None]:
        left = self._source.left
        while left:
            with undisturbed():  # it is in one of the two, or recorded
                each = left.popleft()
                self._take(each)
            if isinstance(each, Task):
                yield each
        for found in self._source.tasks:
            self._take(found)
            if not isinstance(found, Receipt):
                yield found

    def _take(self, each: Task | Receipt | None) -> None:
        if isinstance(each, Receipt):
            self._settle(each)
        elif each is not None:
            self._at_work[each] = 0.0

    def _started(self, task: Task, choice: Choice) -> Progress:
        if self._candidates and not self._report.many:
            self._bars.say(chosen(choice, self._candidates, task.input))

        def move(done: int, total: int) -> None:
            if self._bar and task in self._at_work:
                self._at_work[task] = self._bar.share(task.size) * done / max(1, total)
                self._bar.show(sum(self._at_work.values()))

        return move

    def _settle(self, receipt: Receipt) -> None:
        with undisturbed():
            self._at_work.pop(receipt.task, None)
            self._report.add(receipt)
            if self._bar and receipt.status != "cancelled":
                width, height = receipt.size or (0, 0)
                self._bar.finish(receipt.task.size, width * height)
            self.status = self.status or (1 if receipt.status == "failed" else 0)
