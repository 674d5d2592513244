"""``--workers``, several devices: tasks from a source, through a crew, into the report."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial

from upscale.batch.methods import Listener, Making, described, find_methods
from upscale.batch.order import Order
from upscale.batch.planning.job import Job
from upscale.cli.reports.delivery import delivered
from upscale.cli.reports.report import Report
from upscale.cli.run.local import find_local, planned
from upscale.cli.run.methods import choosing, chosen, making_of, naming_of, order_of
from upscale.cli.run.options import Options
from upscale.cli.run.stored import Stored, find_stored
from upscale.cli.terminal.bars import Bars, RunBar
from upscale.cli.terminal.console import Interrupted
from upscale.errors import UpscaleError
from upscale.fleet.crew import Crew
from upscale.fleet.processes.local import LocalCrew, places
from upscale.fleet.task import Receipt, Task
from upscale.fleet.worker import Worker
from upscale.models.choice import Candidates, Choice
from upscale.models.devices import devices_of
from upscale.models.fetching.sources import Progress

__all__ = ["Course", "Source", "run_fleet"]


@dataclass(frozen=True)
class Source:
    """Where tasks come from."""

    tasks: Iterable[Task | Receipt]
    """Found as they are asked for; a receipt is of one that needs no work, or cannot be made."""
    files: int | None = None
    """How many there are; None: nobody knows yet."""
    size: int = 0
    """Bytes of all; 0: nobody knows yet."""
    in_memory: bool = False
    """They are so few that each is reported even when it is cancelled before it is begun."""


def run_fleet(options: Options) -> int:
    """Do what ``options`` ask for and return the exit status. Raises UpscaleError before work."""
    inputs = find_stored(options) if options.is_streamed else find_local(options)
    with (
        Bars() as bars,
        delivered(options.report, options.receipt, lambda: report.is_whole) as file,
        Report(bars, options.json, file, inputs.many) as report,
    ):
        report.passed_over = inputs.passed_over
        making, order, listener = making_of(options), order_of(options), _Once(bars)
        course = Course(bars, report, order.candidates)
        try:
            methods = find_methods(making, order, listener)  # fetched once, before workers need it
            report.settings = partial(described, methods=methods, making=making)
            naming = naming_of(options, next(iter(methods.values())).scale)
            source = (
                Source(inputs.tasks(naming), None if inputs.many else 1)
                if isinstance(inputs, Stored)
                else _planned(planned(options, inputs, naming, bars))
            )
            if order.candidates and report.many:
                bars.say(choosing(order.candidates))
            course.run(source, _crew(options, making, order, listener, source.files))
            if options.shard is not None and isinstance(inputs, Stored) and not report.counts:
                bars.say(f"upscale: nothing to do: none of the pictures is in part {options.shard}")
        except Interrupted as interrupted:
            course.status = interrupted.exit_code
        except UpscaleError as error:
            course.status = error.exit_code
            if report.told is not error:
                report.summarize(course.status, many=False)
                raise
        course.cancel()
        report.summarize(
            course.status, inputs.many if isinstance(inputs, Stored) else len(inputs.found) > 1
        )
        return course.status


def _planned(jobs: list[Job]) -> Source:
    """Return local jobs as a source."""
    tasks = [
        Task.of(job)
        if job.problem is None
        else Receipt.refused(Task.of(job), job.problem, job.skip)
        for job in jobs
    ]
    return Source(tasks, len(jobs), sum(job.size for job in jobs), in_memory=True)


def _crew(
    options: Options, making: Making, order: Order, listener: Listener, files: int | None
) -> Crew:
    """Return who makes the pictures: no more workers than ``files``."""
    if options.cluster is not None:
        from upscale.fleet.cluster.ray_cluster import RayCluster

        workers = options.workers if options.workers > 1 else None
        asked = (options.cluster, making, order, listener, options.jobs)
        return RayCluster(*asked, workers=workers, debug=options.debug)
    devices = devices_of(options.device)
    if not options.has_devices:
        devices *= options.workers
    devices = devices[:files]
    if len(devices) > 1:
        shares = places(devices, options.jobs)
        return LocalCrew(making, order, listener, shares, options.debug)
    return Worker(making, order, listener, min(options.jobs, files or options.jobs), options.debug)


class Course:
    """A run on its way: what is at work, and what became of the rest."""

    def __init__(self, bars: Bars, report: Report, candidates: Candidates | None) -> None:
        """Begin nothing."""
        self.status = 0
        """The exit status so far."""
        self._bars, self._report, self._candidates = bars, report, candidates
        self._bar: RunBar | None = None
        self._rest: Iterator[Task | Receipt] = iter(())
        self._at_work: dict[Task, float] = {}
        """How far each has moved the bar."""

    def run(self, source: Source, crew: Crew) -> None:
        """Let ``crew`` make everything of ``source``; `cancel` says what was left of it.

        Raises Interrupted, and the UpscaleError that ends the work.
        """
        self._bar = self._bars.run(source.files, source.size)
        tasks = iter(source.tasks)
        if source.in_memory:
            self._rest = tasks
        with crew:
            try:
                for receipt in crew.work(self._taken(tasks), self._started):
                    self._settle(receipt)
            except (Interrupted, UpscaleError):
                for receipt in crew.stop():
                    self._settle(receipt)
                raise

    def cancel(self) -> None:
        """Report what is not done: all that is at work, and what is in memory."""
        for task in [*self._at_work]:
            self._settle(Receipt(task, "cancelled"))
        for each in self._rest:
            self._settle(each if isinstance(each, Receipt) else Receipt(each, "cancelled"))

    def _taken(self, tasks: Iterator[Task | Receipt]) -> Iterator[Task]:
        for each in tasks:
            if isinstance(each, Receipt):
                self._settle(each)
            else:
                self._at_work[each] = 0.0
                yield each

    def _started(self, task: Task, choice: Choice) -> Progress:
        if self._candidates and not self._report.many:
            self._bars.say(chosen(choice, self._candidates, task.input))

        def move(done: int, total: int) -> None:
            if self._bar and task in self._at_work:
                self._at_work[task] = self._bar.share(task.size) * done / max(1, total)
                self._bar.show(sum(self._at_work.values()))

        return move

    def _settle(self, receipt: Receipt) -> None:
        self._at_work.pop(receipt.task, None)
        self._report.add(receipt)
        if self._bar and receipt.status != "cancelled":
            width, height = receipt.size or (0, 0)
            self._bar.finish(receipt.task.size, width * height)
        self.status = self.status or (1 if receipt.status == "failed" else 0)


class _Once:
    """A `Listener` that says each line once, whichever of several workers it comes from."""

    def __init__(self, bars: Bars) -> None:
        self.say = cache(bars.say)
        self.download = bars.download
