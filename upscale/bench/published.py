"""Figures that others have published, each with its source and the protocol behind it."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from upscale.metrics.protocol import Protocol
from upscale.models.manifest import read_manifest

__all__ = ["Published", "beside", "others", "read_published"]


@dataclass(frozen=True)
class Published:
    """One system on one set, as ``source`` states it.

    ``figures``: by the keys of `upscale.metrics.protocol.METRICS`, and ``pi`` (perceptual index)
    and ``mos`` (mean opinion score); ``ssim_kind``: which SSIM, None where there is none.
    ``beside``: names of our models and baselines; ``instead``: names that it stands in for, with
    the reason. ``listed``: stands among a table's other systems. ``picture``: of the set, whose
    figures these are; None: means over the set. ``apart``: why PSNR and SSIM are not to be compared
    with ours. ``note``: what a reader must know of this row.
    """

    system: str
    source: str
    set: str
    figures: dict[str, float]
    address: str = ""
    scale: int = 4
    channels: str = "y"
    border: int = 4
    ssim_kind: str | None = None
    beside: tuple[str, ...] = ()
    instead: dict[str, str] = field(default_factory=dict)
    listed: bool = True
    picture: str | None = None
    apart: str = ""
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from all others of its kind."""
        return self.system, self.source, self.set

    def comparable(self, protocol: Protocol) -> frozenset[str]:
        """Return the figures that were made as ``protocol`` makes them.

        LPIPS sees whole pictures in colour, whatever channels and border are.
        """
        if self.scale != protocol.scale:
            return frozenset()
        if self.apart:
            return frozenset()
        same = {"lpips-alex", "lpips-vgg"}
        if (self.channels, self.border) == (protocol.channels, protocol.border):
            same.add("psnr")
            if self.ssim_kind == protocol.ssim:
                same.add("ssim")
        return frozenset(same & self.figures.keys())


@cache
def read_published() -> tuple[Published, ...]:
    """Read ``published.toml``, in the order of the file, which explains the fields."""
    path = Path(__file__).parent / "published.toml"
    tables = tomllib.loads(path.read_text("utf-8"))["table"]
    return tuple(row for table in tables for row in _rows(dict(table)))


def _rows(table: dict[str, Any]) -> Iterable[Published]:
    rows, apart = table.pop("row"), table.pop("apart", {})
    ssim = table.pop("ssim", None)
    for row in rows:
        common = {
            "system": row["system"],
            "beside": tuple(row.get("beside", ())),
            "instead": row.get("instead", {}),
            "listed": row.get("listed", True),
        }
        for name, figures in row.items():
            if name in common:
                continue
            yield Published(
                set=name,
                figures={key: float(value) for key, value in figures.items()},
                ssim_kind=ssim if "ssim" in figures else None,
                apart=apart.get(name, ""),
                **common,
                **table,
            )


def beside(model: str, alpha: float | None, set: str) -> list[Published]:
    """Return what is published of the system that ``model`` at ``alpha`` is, on ``set``.

    Only the pure ends have been published: a model as it comes or at alpha 1 is itself, at 0 it is
    its PSNR end; between them there is nothing. A row that stands in says so in its ``note``.
    """
    entry = read_manifest().get(model)
    if alpha == 0:
        model = (entry.psnr if entry is not None else None) or ""
    elif alpha not in (None, 1, entry.alpha if entry is not None else None):
        return []
    means = [row for row in read_published() if row.set == set and row.picture is None]
    return [row for row in means if model in row.beside] + [
        replace(row, note=row.instead[model]) for row in means if model in row.instead
    ]


def others(set: str, shown: Iterable[Published]) -> list[Published]:
    """Return the other systems that papers list on ``set``, without those that are ``shown``."""
    known = {row.key for row in shown}
    return [
        row
        for row in read_published()
        if row.set == set and row.listed and row.picture is None and row.key not in known
    ]
