"""``upscale data`` and ``upscale data pull``: sets of pictures to train on."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from upscale.cli.commands.models import ListOptions
from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import emit, say, shown
from upscale.errors import UsageError
from upscale.upscaling.options import argument, option

__all__ = ["PullSetsOptions", "list_sets", "pull_sets"]


@dataclass(frozen=True)
class PullSetsOptions:
    """The options of ``upscale data pull``."""

    names: tuple[str, ...] = argument("NAME", "Set to fetch; see: upscale data.")
    output: Path | None = option(
        "New folder for a set; for several sets, the folder around theirs. Default: the set's "
        "name.",
        *(None,),
        short="-o",
        metavar="DIR",
    )


def list_sets(options: ListOptions) -> None:
    """List the sets of pictures that can be fetched, or fetch some."""
    if options.context.invoked_subcommand is not None:
        return
    from upscale.training.sets.manifest import read_sets

    for entry in read_sets().values():
        if options.json:
            about = asdict(entry) | {"sources": [str(source) for source in entry.sources]}
            emit(json.dumps(about | {"bytes": entry.size}))
            continue
        size = f"{entry.size / 1e9:.2f} GB" if entry.size else "unknown size"
        number = f"{entry.pictures} pictures" if entry.pictures else "unknown number"
        emit(f"{entry.name}: {entry.title}; {number}, {size}")
        emit(f"  licence: {entry.licence}; from {entry.sources[0]}")
        if entry.note:
            emit(f"  {entry.note}")


def pull_sets(options: PullSetsOptions) -> None:
    """Fetch sets of pictures to train on, each into a folder; continue interrupted downloads."""
    from upscale.training.sets.pull import find, pull

    entries = [find(name) for name in options.names]
    if len({entry.name for entry in entries}) < len(entries):
        raise UsageError("a set is named twice; name it once")
    for entry in entries:
        folder = Path(entry.name)
        if options.output is not None:
            folder = options.output / entry.name if len(entries) > 1 else options.output
        say(f"{entry.name}: {entry.title}; licence: {entry.licence}")
        if entry.note:
            say(f"{entry.name}: {entry.note}")
        with Bars() as bars:
            pictures = pull(entry, folder, bars.download(entry.name), bars.say)
        say(f"{shown(folder)}: {pictures} pictures; train with: --data {shown(folder)}")
