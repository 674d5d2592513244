"""Finds inputs and plans outputs on this machine."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from upscale.batch.planning.inputs import find_inputs
from upscale.batch.planning.job import Job
from upscale.batch.planning.naming import Naming
from upscale.batch.planning.plan import Destination, plan, prepare_output
from upscale.batch.planning.walk import Found
from upscale.batch.planning.watch import settled
from upscale.cli.reports.report import counted
from upscale.cli.run.course import Source
from upscale.cli.run.options import Options
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import shown
from upscale.errors import UsageError
from upscale.fleet.task import Receipt, Task

__all__ = ["Inputs", "find", "find_local", "no_pictures"]


@dataclass(frozen=True)
class Inputs:
    """The inputs on the command line."""

    options: Options
    found: list[Found]
    """The inputs; for --watch, those that were there when it began."""
    passed_over: Counter[str]
    """Numbers of files in folders that no reader supports, by kind."""
    many: bool
    """Whether there may be several pictures."""
    destination: Destination | None
    """Place of the outputs; None: beside their inputs."""

    @property
    def is_summed_up(self) -> bool:
        """Whether a last line sums up all results."""
        return self.options.watch or len(self.found) > 1

    def source(self, naming: Naming, bars: Bars) -> Source:
        """Choose the outputs, and name those with an unusual name in one line.

        It has only one part of them if the user asks for a part.
        """
        if self.options.watch:
            return Source(self._watched(naming))
        return Source.of([*map(_asked, self._planned(naming, bars))])

    def _planned(self, naming: Naming, bars: Bars) -> list[Job]:
        options = self.options
        jobs = self._plan(self.found, naming, strict=True)
        if options.shard is not None:
            every = len(jobs)
            places = {each.path: each.relative.as_posix() for each in self.found}
            jobs = [job for job in jobs if options.shard.has(places[job.input])]
            if not jobs:
                bars.say(
                    f"upscale: nothing to do: none of {every} pictures is in part {options.shard}"
                )
        renamed = [(job, job.beside) for job in jobs if job.beside is not None]
        if renamed:
            job, first = renamed[0]
            more = f" (and {len(renamed) - 1} more like it)" if len(renamed) > 1 else ""
            bars.say(
                f"upscale: {shown(job.input)} becomes {shown(job.output)}, because {shown(first)} "
                f"gets the usual name{more}; to change this: --on-collision skip or fail"
            )
        return jobs

    def _plan(self, found: list[Found], naming: Naming, strict: bool) -> list[Job]:
        policy = self.options.on_collision
        return plan(found, self.destination, naming, strict=strict, on_collision=policy)

    def _watched(self, naming: Naming) -> Iterator[Task | Receipt | None]:
        """Yield files as they settle, and None where there are none for now."""
        jobs: dict[Path, Job] = {}

        def look() -> list[Found]:
            found = find(self.options, strict=False)
            jobs.clear()
            jobs.update((job.input, job) for job in self._plan(found, naming, strict=False))
            return [each for each in found if each.path in jobs]

        for found in settled(look):
            yield None if found is None else _asked(jobs[found.path])


def _asked(job: Job) -> Task | Receipt:
    task = Task.of(job)
    return task if job.problem is None else Receipt.refused(task, job.problem, job.skip)


def find_local(options: Options) -> Inputs:
    """Find inputs, and check that outputs can be written. Raises UpscaleError."""
    passed_over: Counter[str] = Counter()
    found = find(options, not options.watch, lambda kind: passed_over.update([kind]))
    if not (found or options.watch):
        raise no_pictures(options, passed_over)
    many = options.watch or len(found) > 1 or any(map(os.path.isdir, options.inputs))
    report_at = None if options.report is None else Path(options.report)
    if report_at is not None and report_at.exists():
        for each in found:
            if each.problem is None and report_at.samefile(each.path):
                raise UsageError(f"{report_at}: is an input; name another file for the report")
    destination = prepare_output(options.output_path, many, found, make=not options.dry_run)
    return Inputs(options, found, passed_over, many, destination)


def no_pictures(options: Options, passed_over: Counter[str]) -> UsageError:
    """Return the error for inputs that hold only ``passed_over``."""
    more = len(options.inputs) - 3
    words = ", ".join(options.inputs[:3]) + (f" and {more} more" if more > 0 else "")
    there = f" (there are {counted(passed_over)}, which are not read)" if passed_over else ""
    return UsageError(
        f"{words}: no pictures there{there}; give picture files, or folders that hold some"
    )


def find(
    options: Options, strict: bool, passed_over: Callable[[str], None] = lambda kind: None
) -> list[Found]:
    """Return the inputs; ``strict``: a pattern without a match is an error."""
    return find_inputs(
        options.inputs,
        recursive=options.recursive,
        follow_links=options.follow_links,
        exclude=options.output_path,
        strict=strict,
        passed_over=passed_over,
    )
