"""``upscale INPUT…``: plan, load, upscale, report."""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path

from upscale.batch.codec import Codec
from upscale.batch.methods import described, find_methods
from upscale.batch.order import Method, Order
from upscale.batch.planning.job import Job
from upscale.batch.planning.naming import Naming
from upscale.batch.planning.plan import Destination, plan
from upscale.batch.planning.walk import Found
from upscale.batch.planning.watch import settled
from upscale.batch.pool import CodecPool
from upscale.batch.run import Batch, Result
from upscale.cli.reports.delivery import delivered
from upscale.cli.reports.report import Report
from upscale.cli.run.checks import check
from upscale.cli.run.local import Inputs, find, find_local, planned
from upscale.cli.run.methods import choosing, chosen, making_of, naming_of, order_of
from upscale.cli.run.options import Options
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import Interrupted
from upscale.errors import UpscaleError
from upscale.models.choice import Choice
from upscale.models.devices import devices_of
from upscale.models.fetching.sources import Progress
from upscale.upscaling.tuning import tune

__all__ = ["run"]


def run(options: Options) -> int:
    """Do what ``options`` ask for and return the exit status. Raises UpscaleError before work."""
    check(options)
    tune()
    if options.raw is not None:
        from upscale.cli.run.raw import run_raw

        return run_raw(options)
    if options.output_is_stream or "-" in options.inputs:
        from upscale.cli.run.streams import through_files

        return through_files(options, run)
    if options.is_streamed or (options.is_shared and not options.dry_run):
        from upscale.cli.run.fleet import run_fleet

        return run_fleet(options)
    inputs = find_local(options)
    with (
        Bars() as bars,
        delivered(options.report, options.receipt, lambda: report.is_whole) as file,
        Report(bars, options.json, file, inputs.many) as report,
    ):
        report.passed_over = inputs.passed_over
        return _run(options, inputs, bars, report)


def _run(options: Options, inputs: Inputs, bars: Bars, report: Report) -> int:
    left: list[Job] = []
    status = 0
    try:
        processes = options.jobs if options.watch else min(options.jobs, len(inputs.found))
        with CodecPool(0 if options.dry_run else processes, options.debug) as pool:
            order = order_of(options)
            making = making_of(options)
            methods = find_methods(making, order, bars)
            report.settings = partial(described, methods=methods, making=making)
            naming = naming_of(options, next(iter(methods.values())).scale)
            left = [] if options.watch else planned(options, inputs, naming, bars)
            candidates = order.candidates
            if candidates and report.many:
                bars.say(choosing(candidates))
            files = None if options.watch else len(left)
            bar = bars.run(files, sum(job.size for job in left))
            if options.dry_run:
                from upscale.cli.reports.dry_run import dry_run

                devices = len(devices_of(options.device))
                with Codec(options.debug) as codec:
                    return dry_run(left, methods, order, codec, report, bars, bar, devices)
            if options.watch:  # which will need them, and says at once what is wrong with them
                for method in methods.values():
                    _ = method.ready
            announce = cache(partial(_announce, left, methods, order, options, bars))

            def started(job: Job, choice: Choice) -> Progress:
                announce()
                if candidates and not report.many:
                    bars.say(chosen(choice, candidates, job.input))
                return bar.start(job.size)

            def settle(result: Result) -> None:
                nonlocal status
                report.add(result)
                left.remove(result.job)
                width, height = result.size or (0, 0)
                bar.finish(result.job.size, width * height)
                status = status or (1 if result.status == "failed" else 0)

            batch = Batch(
                _kept(_watched(options, inputs.destination, naming), left)
                if options.watch
                else list(left),
                methods,
                order,
                pool,
                jobs_ahead=options.jobs,
                started=started,
            )
            try:
                for result in batch:
                    settle(result)
            except Interrupted:
                for result in batch.collect():  # it was written while another was in the network
                    settle(result)
                raise
    except Interrupted as interrupted:
        status = interrupted.exit_code
    except UpscaleError as error:
        status = error.exit_code
        if report.told is not error:
            report.summarize(status, many=False)
            raise
    for job in left:
        report.add(Result(job, "cancelled"))
    report.summarize(status, options.watch or len(inputs.found) > 1)
    return status


def _announce(
    jobs: list[Job], methods: Mapping[str, Method], order: Order, options: Options, bars: Bars
) -> None:
    """Say how long big networks and very small tiles may take, if that is more than a minute."""
    tilings = [each.loaded.tiling for each in methods.values() if each.loaded is not None]
    wasteful = [tiling for tiling in tilings if tiling.is_wasteful]
    if options.watch or not (options.best or wasteful):
        return
    from upscale.cli.reports.duration import at_most
    from upscale.cli.terminal.console import duration

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

    def look() -> list[Found]:
        found = find(options, strict=False)
        jobs.clear()
        policy = options.on_collision
        again = plan(found, destination, naming, strict=False, on_collision=policy)
        jobs.update((job.input, job) for job in again)
        return [each for each in found if each.path in jobs]

    for found in settled(look):
        yield None if found is None else jobs[found.path]
