"""``upscale models``, ``upscale models pull`` and ``upscale convert``."""

import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from upscale.cli.terminal.bars import Bars
from upscale.cli.terminal.console import emit, say, shown
from upscale.errors import UsageError
from upscale.files import whole
from upscale.models.manifest import Entry, read_manifest
from upscale.upscaling.options import argument, option

if TYPE_CHECKING:
    from upscale.models.cache import Convert

__all__ = ["ConvertOptions", "ListOptions", "PullOptions", "convert", "list_models", "pull"]


@dataclass(frozen=True)
class ListOptions:
    """The options of ``upscale models`` and ``upscale data``."""

    context: typer.Context
    json: bool = option("Print one JSON object per line.", False)


@dataclass(frozen=True)
class PullOptions:
    """The options of ``upscale models pull``."""

    names: tuple[str, ...] = argument("NAME", "Model to fetch; see: upscale models.")
    force: bool = option("Fetch files in the cache again.", False)


@dataclass(frozen=True)
class ConvertOptions:
    """The options of ``upscale convert``."""

    source: Path = argument("IN", "Any checkpoint that --model takes.")
    target: Path = argument("OUT.safetensors", "File to write.")


def _row(entry: Entry) -> dict[str, object]:
    from upscale.models.cache import in_cache

    found = in_cache(entry)
    return {
        "name": entry.name,
        "title": entry.title,
        "role": entry.role,
        "scale": entry.scale,
        "bytes": max((source.size for source in entry.sources[:1]), default=0),
        "licence": entry.licence,
        "origin": entry.origin,
        "paper": entry.paper,
        "sources": [str(source) for source in entry.sources],
        "local": "embedded" if entry.embedded else "cached" if found else "no",
        "set5_psnr_y": entry.set5,
        "psnr_end": entry.psnr,
    }


def list_models(options: ListOptions) -> None:
    """List the models, or fetch some."""
    if options.context.invoked_subcommand is not None:
        return
    rows = [_row(entry) for entry in read_manifest().values()]
    if options.json:
        for row in rows:
            emit(json.dumps(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("name", "what it is", "×", "MB", "licence", "from", "here", "Set5 dB"):
        table.add_column(title, justify="right" if title in ("×", "MB", "Set5 dB") else "left")
    for row, entry in zip(rows, read_manifest().values(), strict=True):
        set5 = "–" if entry.set5 is None else f"{entry.set5:.2f}"
        size = sum(s.size for s in entry.sources[:1])
        table.add_row(
            entry.name,
            entry.title,
            str(entry.scale) if entry.role == "generator" else "–",
            "–" if entry.embedded else f"{size / 1e6:.0f}",
            entry.licence,
            str(entry.sources[0]),
            str(row["local"]),
            set5,
        )
    width = None if sys.stdout is not None and sys.stdout.isatty() else 160
    with contextlib.suppress(OSError):
        Console(width=width).print(table)
    say("Set5: our measured PSNR on Y, 4 px border; –: not measured.")


def pull(options: PullOptions) -> None:
    """Fetch models into the cache, so that they can be used without a network."""
    from upscale.models.cache import find_file

    for name in options.names:
        with Bars() as bars:
            role, reads = _reading(name)
            found = find_file(name, role, reads, bars.download(name), bars.say, options.force)
            say(f"{name}: {shown(found.checked())}")


def _reading(name: str) -> "tuple[str, Convert]":
    """Return the role of ``name``, and what reads its file: each kind of weights has its own."""
    entry = read_manifest().get(name)
    role = entry.role if entry else "generator"
    if role == "generator":
        from upscale.models.weights import convert_generator

        return role, convert_generator
    if role == "features":
        from upscale.training.losses.vgg import convert_vgg

        return role, convert_vgg
    from upscale.metrics.by_name import CONVERTS

    return role, CONVERTS[role]


def convert(options: ConvertOptions) -> None:
    """Convert a checkpoint to safetensors, with its network's description inside."""
    source, target = options.source, options.target
    if target.suffix != ".safetensors":
        raise UsageError(f"{shown(target)}: the output must end in .safetensors")
    from upscale.models.checkpoints.convert import read_checkpoint, write_checkpoint
    from upscale.networks.spec import spec_to_dict

    checkpoint = read_checkpoint(source)
    with whole(target) as part:
        write_checkpoint(part, checkpoint)
    spec = ", ".join(f"{key} {value}" for key, value in spec_to_dict(checkpoint.spec).items())
    say(f"{shown(target)}: {spec}")
