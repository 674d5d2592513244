"""``upscale audit IN OUT``: finds missing, stale, damaged and extra outputs."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from upscale.cli.run.options import Options
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import printable, shown
from upscale.errors import UsageError
from upscale.stores.urls import is_url
from upscale.upscaling.options import REPORT, SPEED, argument, option, shared
from upscale.upscaling.shared_options import DEBUG, JOBS, JSON, REPORT_FILE

if TYPE_CHECKING:  # the help imports this module and does not need NumPy
    from upscale.batch.planning.naming import Naming
    from upscale.fleet.auditing.finding import Finding
    from upscale.fleet.task import Task

__all__ = ["SHAPING", "AuditOptions", "audit"]

SHAPING = (
    *("format", "quality", "lossless", "suffix", "name", "on_collision"),
    *("recursive", "follow_links"),
    *("scale", "size", "fit", "long_edge", "megapixels", "wrap"),
    *("model", "best", "alpha", "psnr", "tta", "back_project"),
    *("to_srgb", "strip", "precision", "engine", "tile", "overlap"),
)
"""The options of a run that choose its pictures, their names and their contents."""

MEANINGS = {
    "inputs": "pictures for the run to enlarge",
    "up_to_date": "have an output that a run would skip",
    "missing": "have no output",
    "stale": "have an output of another input, or of other options",
    "damaged": "have an output that cannot be decoded, or is of another size",
    "extra": "pictures among the outputs without an input",
    "decoded": "outputs decoded to their end",
}
"""The lines of the table."""

SHOWN = 10
"""Findings of each kind on the terminal; a report has all."""


def _read_sample(word: str) -> int | None:
    if word != "all" and not word.isdecimal():
        raise ValueError(f"{word!r} is neither all nor a whole number")
    return None if word == "all" else int(word)


@dataclass(frozen=True)
class AuditOptions:
    """The options of ``upscale audit``, in addition to `SHAPING`."""

    inputs: tuple[str, ...] = argument("IN", "Inputs of the run: folders, addresses, or @list.txt.")
    output: str = argument("OUT", "Place of its outputs (-o): a folder, or an address.")
    sample: int | None = option(
        "Number of random outputs to decode to their end, or all.",
        *(100, SPEED),
        word="100",
        read=_read_sample,
    )
    jobs: int = shared(JOBS, text="Processes that read and decode.", default=3)
    json: bool = shared(JSON)
    report: str | None = shared(REPORT_FILE)
    debug: bool = shared(DEBUG, panel=REPORT)


def audit(options: AuditOptions, shaping: dict[str, Any]) -> None:
    """Find what a run left undone: outputs that are missing, stale, damaged, or without an input.

    Give the options of the run that choose the model, size, format and names.
    """
    from upscale.batch.methods import find_methods
    from upscale.cli.reports.delivery import delivered
    from upscale.cli.reports.lines import Lines
    from upscale.cli.run.checks import check
    from upscale.cli.run.methods import making_of, naming_of, order_of
    from upscale.cli.run.stored import find_stored
    from upscale.fleet.auditing.audit import Audit
    from upscale.fleet.auditing.finding import Status

    run = Options(options.inputs, output=options.output, report=options.report, **shaping)
    check(run)
    if not is_url(options.output) and not Path(options.output).is_dir():
        raise UsageError(
            f"{shown(options.output)}: there is no such folder; name the one given with -o"
        )
    stored = find_stored(run) if run.is_streamed else None
    with (
        Bars() as bars,
        delivered(options.report) as file,
        contextlib.closing(Lines(bars, options.json, file)) as lines,
    ):
        order = order_of(run)
        methods = find_methods(making_of(run), order, bars)
        naming = naming_of(run, next(iter(methods.values())).scale)
        tasks = _local(run, naming) if stored is None else stored.tasks(naming)
        counts = Counter[str](dict.fromkeys(get_args(Status), 0))
        with Audit(
            *(options.output, methods, order), sample=options.sample, processes=options.jobs
        ) as found:
            for finding in found.findings(tasks, bars.counter("pictures checked")):
                counts[finding.status] += 1
                lines.add(_record(finding))
                if not options.json:
                    _say(finding, counts[finding.status], bars)
        if not found.good and counts["missing"] + counts["stale"]:
            bars.say(
                "upscale: no output matches these options; give the model, size, format and names "
                "of the run"
            )
        status = 1 if counts.total() else 0
        whole = {"inputs": found.checked, "up_to_date": found.good, **counts}
        whole["decoded"] = found.decoded
        lines.add({"kind": "summary", **whole, "exit_code": status})
    if not options.json:
        _print_table(whole)
    raise SystemExit(status)


def _local(run: Options, naming: "Naming") -> Iterable["Task"]:
    """Name the outputs of files as a run does, but make nothing. Raises UsageError."""
    from upscale.batch.planning.plan import Destination, plan
    from upscale.cli.run.local import find
    from upscale.fleet.task import Task

    found = find(run, strict=True)
    problems = [each.problem for each in found if each.problem is not None and not each.walked]
    if problems and len(problems) == len(found):
        raise UsageError(f"{problems[0]}; give the inputs of the run")
    if not found:
        raise UsageError(f"{' '.join(run.inputs)}: no pictures there; give what the run was given")
    destination = Destination(Path(run.output or ""))
    jobs = plan(found, destination, naming, on_collision=run.on_collision)
    return [Task.of(job) for job in jobs if not job.skip]


def _record(finding: "Finding") -> dict[str, str]:
    told = {name: printable(text) for name, text in asdict(finding).items()}
    return {"kind": "finding", **told}


def _say(finding: "Finding", number: int, bars: Bars) -> None:
    """Print the first of each kind, and once that there are more."""
    if number <= SHOWN:
        of = f", of {shown(finding.input)}" if finding.input else ""
        why = f": {finding.reason}" if finding.reason else ""
        bars.say(f"{finding.status}: {shown(finding.output)}{of}{why}")
    elif number == SHOWN + 1:
        bars.say(f"{finding.status}: there are more; --report FILE lists all")


def _print_table(numbers: Mapping[str, int]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for justify in ("right", "left", "left"):
        table.add_column(justify=justify)
    for name, meaning in MEANINGS.items():
        table.add_row(f"{numbers[name]:,}", name.replace("_", " "), meaning)
    with contextlib.suppress(OSError):
        Console(width=160, highlight=False).print(table)
