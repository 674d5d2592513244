"""Published figures of others, each with its source and its protocol."""

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from upscale.metrics.protocol import Protocol, Row
from upscale.models.manifest import read_manifest
from upscale.pixels.baselines import BASELINES

__all__ = ["Published", "beside", "others", "pictures_of", "read_published", "to_plot"]


@dataclass(frozen=True)
class Published:
    """One system on one set, as ``source`` states it."""

    system: str
    """Its name in the source."""
    source: str
    """Paper or program that states the figures."""
    set: str
    """A key of `read_datasets`."""
    figures: dict[str, float]
    """Figures by the keys of `METRICS`, and ``mos`` (mean opinion score)."""
    address: str = ""
    """Address of the source."""
    scale: int = 4
    """Factor from LR to HR."""
    channels: str = "y"
    """``y`` or ``rgb``."""
    border: int = 4
    """HR pixels that are left out at each edge."""
    ssim_kind: str | None = None
    """Which SSIM; None if there is none."""
    beside: tuple[str, ...] = ()
    """Our models and baselines that stand beside it."""
    instead: dict[str, str] = field(default_factory=dict)
    """Our models that it replaces, each with the reason."""
    listed: bool = True
    """Whether tables show it among the other systems."""
    picture: str | None = None
    """The one picture measured; None for means over the set."""
    apart: str = ""
    """The reason why its PSNR and SSIM cannot be compared with ours."""
    note: str = ""
    """A note for readers of this row."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Return its identity."""
        return self.system, self.source, self.set

    def belongs(self, protocol: Protocol) -> bool:
        """Return whether a table with ``protocol`` shows it: of one scale, and RGB beside RGB only.

        Papers measure on Y; their figures also stand beside RGB, with a note.
        """
        return self.scale == protocol.scale and self.channels in ("y", protocol.channels)

    def comparable(self, protocol: Protocol) -> frozenset[str]:
        """Return the figures whose rules are those of ``protocol``.

        LPIPS is measured on whole colour pictures, whatever the channels and the border.
        """
        if self.scale != protocol.scale:
            return frozenset()
        if self.apart or protocol.degradation == "gaussian":
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


def beside(
    model: str, alpha: float | None, set: str, picture: str | None = None
) -> list[Published]:
    """Return the figures that are published for ``model`` at ``alpha`` on ``set``.

    Papers publish only the ends: a model without alpha or at 1 is itself, at 0 its PSNR end. A
    model that no table knows, such as the pictures of another program, is the system of its name. A
    row that replaces another says so in its ``note``. ``picture``: the one measured, or None for
    the means.
    """
    entry = read_manifest().get(model)
    if alpha == 0:
        model = (entry.psnr if entry is not None else None) or ""
    elif alpha not in (None, 1, entry.alpha if entry is not None else None):
        return []
    there = [row for row in read_published() if row.set == set and row.picture == picture]
    foreign = entry is None and model not in BASELINES
    return [
        row
        for row in there
        if model in row.beside or (foreign and model.casefold() == row.system.casefold())
    ] + [replace(row, note=row.instead[model]) for row in there if model in row.instead]


def others(set: str, shown: Iterable[Published], picture: str | None = None) -> list[Published]:
    """Return the other systems that papers list on ``set``, except those already ``shown``."""
    known = {row.key for row in shown}
    return [
        row
        for row in read_published()
        if row.set == set and row.listed and row.picture == picture and row.key not in known
    ]


def pictures_of(set: str) -> list[str]:
    """Return the single pictures of a set for which papers have figures."""
    found = [row.picture for row in read_published() if row.set == set and row.picture is not None]
    return list(dict.fromkeys(found))


def to_plot(sets: Collection[str], x: str, y: str) -> list[Row]:
    """Return the published figures of networks on ``sets`` that have both ``x`` and ``y``."""
    return [
        Row(each.set, f"{each.system} ({each.source})", each.system, figures=each.figures)
        for each in read_published()
        if each.set in sets
        and each.picture is None
        and {x, y} <= each.figures.keys()
        and not set(each.beside) & set(BASELINES)
    ]
