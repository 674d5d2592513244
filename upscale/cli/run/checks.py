"""Checks of the options of a run, before anything is read or made."""

from pathlib import Path

from upscale.batch.planning.walk import is_pattern
from upscale.cli.run.options import Options
from upscale.errors import UsageError
from upscale.fleet.cluster.address import check_cluster
from upscale.models.choice import AUTO, check_psnr
from upscale.models.devices import check_devices, check_precision
from upscale.models.engines import check_engine
from upscale.pictures.formats import WRITABLE, suffix_of
from upscale.stores.store import store_of
from upscale.stores.urls import is_url
from upscale.upscaling.options import check_limits

__all__ = ["check"]


def check(options: Options) -> None:
    """Raise UsageError for options that make no sense, before any work."""
    options.target.check()
    options.encoding.check(options.format_suffix)
    check_limits(options)
    check_devices(options.device)
    check_precision(options.precision)
    check_engine(options.engine)
    if options.cluster is not None:
        check_cluster(options.cluster)
    if options.wrap and options.fit == "fill":
        raise UsageError(
            "--wrap and --fit fill contradict each other: a result whose edges are cut off "
            "does not repeat; use --fit stretch"
        )
    if options.best and options.model != AUTO:
        raise UsageError("--best chooses the model, and so does --model: give one of them")
    check_psnr(options.asked, options.psnr)
    if options.suffix is not None and options.name is not None:
        raise UsageError("--suffix and --name contradict each other: give one of them")
    if options.watch and "@-" in options.inputs:
        raise UsageError("--watch cannot read a list from standard input again; use @list.txt")
    if options.report is not None and suffix_of(Path(options.report)) in WRITABLE:
        raise UsageError(
            f"{options.report}: the report is not a picture; give it a name that ends in .jsonl"
        )
    if options.report is not None and options.report.endswith("/") and options.receipt is None:
        raise UsageError(
            f"{options.report}: is a folder; give a file name for the report, such as "
            f"{options.report}a.jsonl"
        )
    ignored = {
        "--dry-run": options.dry_run,
        "--watch": options.watch,
        "--shard": options.shard,
        "--json": options.json,
        "--report": options.report,
        "--format": options.format,
    }
    for word, asked in ignored.items():
        if options.raw is not None and asked:
            raise UsageError(f"--raw and {word} contradict each other: give one of them")
    if options.workers is not None and options.has_devices:
        raise UsageError(
            "--workers and several devices contradict each other: each device has one worker"
        )
    if options.cluster is not None and options.has_devices:
        raise UsageError("--cluster and several devices contradict each other: give one of them")
    if options.is_shared and (options.watch or options.raw is not None):
        raise UsageError(
            f"{'--watch' if options.watch else '--raw'} sends pictures one by one to one network; "
            "leave out --workers, --cluster and further devices"
        )
    if options.watch and options.dry_run:
        raise UsageError("--watch and --dry-run contradict each other: give one of them")
    if options.watch and options.shard is not None:
        raise UsageError("--watch and --shard contradict each other: give one of them")
    if options.shard is not None and (options.output_is_stream or "-" in options.inputs):
        raise UsageError("- is a single picture without parts; leave --shard out")
    if options.output_is_stream and options.json:
        raise UsageError("-o - and --json would share standard output; use --report FILE")
    if options.is_streamed:
        _check_stream(options)


def _check_stream(options: Options) -> None:
    """Raise UsageError for options that work with local files only.

    An address with a secret is refused before any message names it.
    """
    places = (word.removeprefix("@") for word in (*options.inputs, options.output or ""))
    for word in filter(is_url, places):
        store_of(word)
        if options.is_shared and word.startswith("memory://"):
            raise UsageError(
                f"{word}: exists only in this process, and other processes cannot see it"
            )
    words = {"--watch": options.watch, "--raw": options.raw}
    for word, asked in words.items():
        if asked:
            raise UsageError(
                f"{word} works with local files only, not with a manifest or an address"
            )
    if "-" in (*options.inputs, options.output):
        raise UsageError("- works with local files only, not with a manifest or an address")
    for word in filter(is_url, options.inputs):
        if is_pattern(word):
            raise UsageError(
                f"{word}: a pattern works with local files only; give the folder around the "
                "pictures, or @list.txt with one address per line"
            )
    if options.output is None:
        raise UsageError("a manifest, or an input in a storage, needs -o: a folder or an address")
