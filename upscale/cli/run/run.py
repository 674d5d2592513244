"""``upscale INPUT…``: plan, load, upscale, report."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from upscale.batch.codec import Codec
from upscale.batch.methods import described, find_methods
from upscale.batch.order import Method, Order
from upscale.batch.planning.inputs import find_inputs
from upscale.batch.planning.naming import Naming
from upscale.batch.planning.plan import Destination, Job, plan, prepare_output
from upscale.batch.planning.walk import Found
from upscale.batch.planning.watch import settled
from upscale.batch.pool import CodecPool
from upscale.batch.run import Batch, Result
from upscale.cli.run.methods import making_of, naming_of, order_of
from upscale.cli.run.options import Options
from upscale.cli.run.report import Report, counted
from upscale.cli.terminal.console import Bars, Interrupted, shown
from upscale.cli.terminal.tuning import tune
from upscale.errors import UpscaleError, UsageError
from upscale.models.choice import Choice
from upscale.models.fetching.sources import Progress

__all__ = ["run"]


def run(options: Options) -> int:
    """Do what ``options`` ask for and return the exit status. Raises UpscaleError before work."""
    options.check()
    tune()
    if options.raw is not None:
        from upscale.cli.run.raw import run_raw

        return run_raw(options)
    if options.output_is_stream or "-" in options.inputs:
        from upscale.cli.run.streams import through_files

        return through_files(options, run)
    passed_over: Counter[str] = Counter()
    found = _find(options, not options.watch, lambda kind: passed_over.update([kind]))
    if not (found or options.watch):
        there = f" (there are {counted(passed_over)}, which are not read)" if passed_over else ""
        raise UsageError(f"no pictures there{there}; give picture files, or folders that hold some")
    many = options.watch or len(found) > 1 or any(map(os.path.isdir, options.inputs))
    report_at = options.report
    if report_at is not None and report_at.exists():
        for each in found:
            if each.problem is None and report_at.samefile(each.path):
                raise UsageError(f"{report_at}: is an input; name another file for the report")
    destination = prepare_output(options.output, many, found, make=not options.dry_run)
    with Bars() as bars, Report(bars, options.json, options.report, many) as report:
        report.passed_over = passed_over
        return _run(options, found, destination, bars, report)


def _find(
    options: Options, strict: bool, passed_over: Callable[[str], None] = lambda kind: None
) -> list[Found]:
    return find_inputs(
        options.inputs,
        recursive=options.recursive,
        follow_links=options.follow_links,
        exclude=options.output,
        strict=strict,
        passed_over=passed_over,
    )


def _run(
    options: Options,
    found: list[Found],
    destination: Destination | None,
    bars: Bars,
    report: Report,
) -> int:
    left: list[Job] = []
    status = 0
    try:
        processes = options.jobs if options.watch else min(options.jobs, len(found))
        with CodecPool(0 if options.dry_run else processes, options.debug) as pool:
            order = order_of(options)
            making = making_of(options)
            methods = find_methods(making, order, bars)
            report.settings = partial(described, methods=methods, making=making)
            naming = naming_of(options, next(iter(methods.values())).scale)
            left = [] if options.watch else _planned(options, found, destination, naming)
            _say_renamed(left, bars)
            candidates = order.candidates
            if candidates and report.many:
                same = candidates.drawing == candidates.damaged
                bars.say(
                    f"upscale: {candidates.clean} for clean photographs, {candidates.damaged} for "
                    f"damaged ones{' and' if same else f', {candidates.drawing} for'} drawings; "
                    "--model chooses for all"
                )
            bar = bars.run(None if options.watch else [job.size for job in left])
            if options.dry_run:
                from upscale.cli.run.dry_run import dry_run

                with Codec(options.debug) as codec:
                    return dry_run(left, methods, order, codec, report, bars, bar)
            if options.watch:  # which will need them, and says at once what is wrong with them
                for method in methods.values():
                    _ = method.ready
            announce = cache(partial(_announce, left, methods, order, options, bars))

            def started(job: Job, choice: Choice) -> Progress:
                announce()
                if candidates and not report.many:
                    others = (name for name in candidates.names if name != choice.model)
                    bars.say(
                        f"upscale: {choice} for {shown(job.input)}; --model chooses another "
                        f"({', '.join(others)})"
                    )
                return bar.start(job.size)

            for result in Batch(
                _kept(_watched(options, destination, naming), left)
                if options.watch
                else list(left),
                methods,
                order,
                pool,
                jobs_ahead=options.jobs,
                started=started,
            ):
                report.add(result)
                left.remove(result.job)
                width, height = result.size or (0, 0)
                bar.finish(result.job.size, width * height)
                status = status or (1 if result.status == "failed" else 0)
    except Interrupted as interrupted:
        status = interrupted.exit_code
    except UpscaleError as error:
        status = error.exit_code
        if report.told is not error:
            report.summarize(status, many=False)
            raise
    for job in left:
        report.add(Result(job, "cancelled"))
    report.summarize(status, options.watch or len(found) > 1)
    return status


def _planned(
    options: Options, found: list[Found], destination: Destination | None, naming: Naming
) -> list[Job]:
    policy = options.on_collision
    return plan(found, destination, naming, strict=not options.watch, on_collision=policy)


def _say_renamed(jobs: list[Job], bars: Bars) -> None:
    """Say in one line which outputs have another name than usual."""
    renamed = [(job, job.beside) for job in jobs if job.beside is not None]
    if renamed:
        job, first = renamed[0]
        more = f" (and {len(renamed) - 1} more like it)" if len(renamed) > 1 else ""
        bars.say(
            f"upscale: {shown(job.input)} becomes {shown(job.output)}, because {shown(first)} gets "
            f"the usual name{more}; --on-collision skip or fail does otherwise"
        )


def _announce(
    jobs: list[Job], methods: Mapping[str, Method], order: Order, options: Options, bars: Bars
) -> None:
    """Say how long big networks and very small tiles may take, if that is more than a minute."""
    tilings = [each.loaded.tiling for each in methods.values() if each.loaded is not None]
    wasteful = [tiling for tiling in tilings if tiling.is_wasteful]
    if options.watch or not (options.best or wasteful):
        return
    from upscale.cli.run.duration import at_most, duration

    with Codec(options.debug) as codec:
        seconds = at_most(jobs, methods, order, codec)
    if seconds > 60:
        bars.say(f"upscale: at most about {duration(seconds)}; it can be stopped and resumed")
        for tiling in wasteful[:1]:
            bars.say(
                f"upscale: warning: with --tile {tiling.tile} the network reads "
                f"{tiling.effort:.0f} pixels for each of the picture, because a tile needs "
                f"{tiling.overlap} around it; --tile auto is quicker"
            )


def _kept(jobs: Iterator[Job | None], left: list[Job]) -> Iterator[Job | None]:
    """Hand jobs on, and keep those that are at work in ``left``."""
    for job in jobs:
        if job is not None:
            left.append(job)
        yield job


def _watched(
    options: Options, destination: Destination | None, naming: Naming
) -> Iterator[Job | None]:
    """Yield the jobs of files as they settle, and None where there are none for now."""
    jobs: dict[Path, Job] = {}

    def find() -> list[Found]:
        found = _find(options, strict=False)
        jobs.clear()
        planned = _planned(options, found, destination, naming)
        jobs.update((job.input, job) for job in planned)
        return [each for each in found if each.path in jobs]

    for found in settled(find):
        yield None if found is None else jobs[found.path]
