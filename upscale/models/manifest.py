"""Reads ``weights.toml``: entries by name. No torch here."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from upscale.errors import WeightsError, did_you_mean
from upscale.models.fetching.sources import Member, Source

__all__ = ["PACKAGE", "Entry", "find_entry", "hub_entry", "manifest_path", "read_manifest"]

PACKAGE = Path(__file__).parents[1]
"""The folder of the package."""


@dataclass(frozen=True)
class Entry:
    """One stanza of ``weights.toml``."""

    name: str
    title: str
    """A description in one line."""
    scale: int = 1
    """Scale; 0 if only the file tells it."""
    role: str = "generator"
    """``generator``, or a network of a metric: ``lpips``, ``dists``, ``niqe``, ``features``."""
    spec: dict[str, Any] = field(default_factory=dict)
    """The literal spec of the network; empty if only the file tells it."""
    psnr: str | None = None
    """The entry of the PSNR-trained end that ``--alpha`` blends with."""
    alpha: float | None = None
    """The default blend; None: the weights as they are."""
    licence: str = ""
    origin: str = ""
    """The author of the weights, and where they were published."""
    paper: str = ""
    set5: float | None = None
    """Our measured PSNR in dB on Y of Set5, border 4."""
    sources: tuple[Source, ...] = ()
    """Sources of the file, in the order in which they are tried."""

    @property
    def address(self) -> str:
        """Its name for ``--model``: its own, or hf://… ."""
        return self.origin if self.origin.startswith("hf://") else self.name

    @property
    def embedded(self) -> bool:
        """Whether the weights are in this package."""
        return any(source.kind == "embedded" for source in self.sources)


def manifest_path() -> Path:
    """Return ``weights.toml``: in the wheel beside the code, in a checkout one level up."""
    for folder in (PACKAGE, PACKAGE.parent):
        if (folder / "weights.toml").is_file():
            return folder / "weights.toml"
    raise WeightsError(f"weights.toml is missing from {PACKAGE}; install upscale again")


@cache
def read_manifest(path: Path | None = None) -> dict[str, Entry]:
    """Read the manifest: entries by name, in the order of the file."""
    path = path or manifest_path()
    try:
        stanzas = tomllib.loads(path.read_text("utf-8"))
        return {name: _entry(name, dict(stanza)) for name, stanza in stanzas.items()}
    except (tomllib.TOMLDecodeError, TypeError, KeyError, OSError) as error:
        raise WeightsError(f"{path}: cannot be read ({error})") from error


def _entry(name: str, stanza: dict[str, Any]) -> Entry:
    sources = tuple(_source(dict(source)) for source in stanza.pop("source"))
    return Entry(name=name, sources=sources, **stanza)


def _source(values: dict[str, Any]) -> Source:
    members = [Member(values.pop("file"), values.pop("sha256"))]
    if "param" in values:  # ncnn's second file
        members.append(Member(values.pop("param"), values.pop("param_sha256")))
    return Source(members=tuple(members), **values)


def find_entry(name: str, role: str = "generator") -> Entry:
    """Return the stanza called ``name``; WeightsError names those like it otherwise, or all."""
    entries = {entry.name: entry for entry in read_manifest().values() if entry.role == role}
    if name not in entries:
        near = did_you_mean(name, entries)
        known = "(see: upscale models)" if near else f"({', '.join(entries)})"
        raise WeightsError(
            f"{name!r} is neither a model nor a file{near or ';'} "
            f"give a model {known}, a file, or hf://user/repository/file"
        )
    return entries[name]


def hub_entry(address: str) -> Entry:
    """Make an entry of ``hf://user/repository[@revision]/file``."""
    parts = address.removeprefix("hf://").split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise WeightsError(f"{address}: write hf://user/repository/file or …/repository@revision/…")
    user, repository, file = parts
    repository, _, revision = repository.partition("@")
    source = Source("hub", f"{user}/{repository}", (Member(file, None),), revision or None)
    name = quote(address.removeprefix("hf://"), safe="")  # one address, one name
    return Entry(name=name, title=address, scale=0, sources=(source,), origin=address)
