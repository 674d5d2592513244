"""``upscale INPUT…``: plan, load, upscale, report."""

import gc
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, partial

from upscale.batch.codec import Codec
from upscale.batch.methods import Listener, Making, described, find_methods
from upscale.batch.order import Method, Order
from upscale.cli.reports.delivery import delivered
from upscale.cli.reports.dry_run import DryRun
from upscale.cli.reports.duration import at_most
from upscale.cli.reports.report import Report
from upscale.cli.run.checks import check
from upscale.cli.run.course import Course
from upscale.cli.run.local import Inputs, find_local
from upscale.cli.run.methods import choosing, making_of, naming_of, order_of
from upscale.cli.run.options import Options
from upscale.cli.run.stored import Stored, find_stored
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import Interrupted, duration
from upscale.errors import UpscaleError
from upscale.fleet.crew import Crew
from upscale.fleet.worker import Worker
from upscale.models.devices import devices_of

__all__ = ["run"]


def run(options: Options) -> int:
    """Run with ``options`` and return the exit status. Raises UpscaleError before work."""
    check(options)
    if options.raw is not None:
        from upscale.cli.run.raw import run_raw

        return run_raw(options)
    if options.output_is_stream or "-" in options.inputs:
        from upscale.cli.run.streams import through_files

        return through_files(options, run)
    inputs = find_stored(options) if options.is_streamed else find_local(options)
    with (
        Bars() as bars,
        delivered(options.report, options.receipt, lambda: report.is_whole) as file,
        Report(bars, options.json, file, inputs.many) as report,
    ):
        report.passed_over = inputs.passed_over
        return _run(options, inputs, bars, report)


def _run(options: Options, inputs: Inputs | Stored, bars: Bars, report: Report) -> int:
    making, order, listener = making_of(options), order_of(options), _Once(bars)
    course: Course | None = None
    try:
        methods = find_methods(making, order, listener)  # fetched once, before workers need it
        report.settings = partial(described, methods=methods, making=making)
        source = inputs.source(naming_of(options, next(iter(methods.values())).scale), bars)
        course = Course(bars, report, order.candidates, source)
        if order.candidates and report.many:
            bars.say(choosing(order.candidates))
        if options.watch:  # it will need them, and reports at once what is wrong with them
            for method in methods.values():
                _ = method.ready
        crew = _crew(options, making, order, methods, listener, source.files)
        announce = partial(_announce, course, order, options, bars)
        if isinstance(crew, Worker):
            course.run(crew, cache(partial(announce, methods)))
        else:  # its processes need the memory of the models that are measured
            announce({name: replace(each) for name, each in methods.items()})
            _free_cache()
            course.run(crew)
        if isinstance(crew, DryRun):
            crew.summarize(report, bars, course.status)
            return course.status
        if options.shard is not None and isinstance(inputs, Stored) and not report.counts:
            bars.say(f"upscale: nothing to do: none of the pictures is in part {options.shard}")
        status = course.status
    except Interrupted as interrupted:
        status = interrupted.exit_code
    except UpscaleError as error:
        status = error.exit_code
        if error not in report.told:
            report.summarize(status, many=False)
            raise
    if course is not None:
        course.cancel()
    report.summarize(status, inputs.is_summed_up)
    return status


def _crew(
    options: Options,
    making: Making,
    order: Order,
    methods: Mapping[str, Method],
    listener: Listener,
    files: int | None,
) -> Crew:
    """Return the crew, with no more workers than ``files``."""
    if options.cluster is not None and not options.dry_run:
        from upscale.fleet.cluster.ray_cluster import RayCluster

        asked = (options.cluster, making, order, listener, options.jobs)
        return RayCluster(*asked, workers=options.workers, debug=options.debug)
    devices = devices_of(options.device)
    if options.dry_run:
        return DryRun(making, order, methods, len(devices), options.jobs, options.debug)
    if not options.has_devices:
        devices *= options.workers or 1
    devices = devices[:files]
    if len(devices) > 1:
        from upscale.fleet.processes.local import LocalCrew, places

        shares = places(devices, options.jobs)
        return LocalCrew(making, order, listener, shares, options.debug)
    processes = options.jobs if files is None else min(options.jobs, files)
    asks_on = not options.watch  # looking for new files would delay the network
    return Worker(making, order, methods, processes, asks_on=asks_on, debug=options.debug)


def _announce(
    course: Course, order: Order, options: Options, bars: Bars, methods: Mapping[str, Method]
) -> None:
    """Warn if big networks or very small tiles may take more than a minute."""
    if options.watch or options.is_streamed or options.cluster:
        return
    wasteful = options.tile is not None and _is_wasteful(options.tile)
    if not (options.best or wasteful):
        return
    jobs = [task.job for task in course.left]
    move = bars.task("estimating the time", len(jobs) + len(methods))
    with Codec(options.debug) as codec:
        seconds = at_most(jobs, methods, order, codec, move) / len(devices_of(options.device))
    if seconds > 60:
        bars.say(f"upscale: at most about {duration(seconds)}; it can be stopped and resumed")
        if wasteful:
            tiling = next(iter(methods.values())).ready.tiling
            bars.say(
                f"upscale: warning: with --tile {tiling.tile} the network reads "
                f"{tiling.effort:.0f} pixels for each pixel of the picture, because a tile needs "
                f"{tiling.overlap} pixels around it; --tile auto is faster"
            )


def _is_wasteful(tile: int) -> bool:
    if not tile:
        return False
    from upscale.upscaling.tiling import Tiling

    return Tiling(tile, 0).is_wasteful


def _free_cache() -> None:
    """Give the memory of measured models back to the GPU, for the processes that use it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()


class _Once:
    """A `Listener` that prints each line once, even if several workers send it."""

    def __init__(self, bars: Bars) -> None:
        self.say = cache(bars.say)
        self.download = bars.download
