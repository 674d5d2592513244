"""``weights.toml`` → entries; an entry → a verified safetensors file in the cache. No torch here.

A cached file is called ``NAME-SOURCE-CONTENT.safetensors``: the first 12 digits of the sha256 of
the file that it was made from, and the whole sha256 of what it holds. So one rename publishes the
file and its hash together, and a changed byte is found before the file is opened.
"""

import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from upscale.errors import WeightsError
from upscale.locks import locked
from upscale.models.sources import (
    Member,
    Progress,
    Source,
    SourceError,
    download,
    is_offline,
    sha256_of,
)

__all__ = [
    "Convert",
    "Entry",
    "cache_folder",
    "cached_file",
    "find_entry",
    "hub_entry",
    "local_file",
    "manifest_path",
    "origin_of",
    "read_manifest",
]

Convert = Callable[[Path, Path, "Entry", Source], None]
"""Called with (downloaded file, safetensors file to write, entry, source)."""


@dataclass(frozen=True)
class Entry:
    """One stanza of ``weights.toml``; the file itself explains the fields.

    ``role``: ``generator``, or what measures pictures: ``lpips``, ``niqe``, ``features``.
    """

    name: str
    title: str
    scale: int = 1
    role: str = "generator"
    spec: dict[str, Any] = field(default_factory=dict)
    psnr: str | None = None
    alpha: float | None = None
    licence: str = ""
    origin: str = ""
    paper: str = ""
    set5: float | None = None
    sources: tuple[Source, ...] = ()

    @property
    def address(self) -> str:
        """What ``--model`` calls it: its name, or hf://… ."""
        return self.origin if self.origin.startswith("hf://") else self.name

    @property
    def embedded(self) -> bool:
        """Whether the weights came with this package."""
        return any(source.kind == "embedded" for source in self.sources)


def manifest_path() -> Path:
    """Return ``weights.toml``: in the wheel beside the code, in a checkout one level up."""
    package = Path(__file__).parents[1]
    for folder in (package, package.parent):
        if (folder / "weights.toml").is_file():
            return folder / "weights.toml"
    raise WeightsError(f"weights.toml is missing from {package}; install upscale again")


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
    """Return the stanza called ``name``; WeightsError lists the known ones otherwise."""
    entries = {entry.name: entry for entry in read_manifest().values() if entry.role == role}
    if name not in entries:
        raise WeightsError(
            f"{name!r} is no model and no file; models: {', '.join(entries)}; "
            "or give a file, or hf://user/repository/file"
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


def cache_folder() -> Path:
    """Return the folder of converted weights: ``UPSCALE_CACHE``, or the platform's own place."""
    import platformdirs

    chosen = os.environ.get("UPSCALE_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_path("upscale"))


def cached_file(entry: Entry) -> Path | None:
    """Return the entry's cached safetensors file, unchecked, or None."""
    for source in entry.sources:
        made_from = (source.members[0].sha256 or "")[:12] or "?" * 12
        found = list(cache_folder().glob(f"{entry.name}-{made_from}-{'?' * 64}.safetensors"))
        if found:
            return max(found, key=lambda path: path.stat().st_mtime)
    return None


def local_file(
    entry: Entry,
    convert: Convert,
    progress: Progress = lambda done, total: None,
    notify: Callable[[str], None] = lambda text: None,
    force: bool = False,
) -> Path:
    """Return a verified safetensors file of ``entry``: embedded, cached, or fetched now.

    ``convert`` turns the downloaded file into safetensors; its hash has been checked by then.
    ``notify`` gets one line when something takes time. ``force`` fetches what is cached again;
    the cached file stays until there is a new one. Raises WeightsError when a file is not
    what it should be, or every source fails.
    """
    if entry.embedded:
        return _embedded_file(entry)
    if not force and (found := cached_file(entry)):
        return _verified(found, entry)
    folder = cache_folder()
    waiting = partial(notify, f"{entry.name}: another process is fetching it; waiting")
    try:
        with locked(folder / f".{entry.name}.lock", waiting):
            if not force and (found := cached_file(entry)):
                return _verified(found, entry)
            for litter in folder.glob(f".{entry.name}.[0-9]*.part"):  # of a process that was killed
                shutil.rmtree(litter, ignore_errors=True)
            return _fetch(entry, folder, convert, progress, notify)
    except OSError as error:
        raise WeightsError(
            f"{folder}: weights cannot be kept there ({error.strerror or error}); "
            "set UPSCALE_CACHE to a folder that can be written"
        ) from error


def origin_of(entry: Entry, source: Source, raw: Path) -> dict[str, str]:
    """Say where weights come from, for the metadata of the converted file."""
    return {
        "name": entry.name,
        "title": entry.title,
        "licence": entry.licence,
        "origin": entry.origin,
        "paper": entry.paper,
        "source": f"{source}: {source.members[0].path}",
        "source_sha256": source.members[0].sha256 or sha256_of(raw),
    }


def _embedded_file(entry: Entry) -> Path:
    (source,) = (source for source in entry.sources if source.kind == "embedded")
    (member,) = source.members
    path = Path(__file__).parents[1] / "embedded" / member.path
    if not path.is_file():
        raise WeightsError(f"{path}: is missing; install upscale again")
    if (found := sha256_of(path)) != member.sha256:
        raise WeightsError(
            f"{path}: is damaged: expected sha256 {member.sha256}, found {found}; "
            "install upscale again"
        )
    return path


def _verified(path: Path, entry: Entry) -> Path:
    expected = path.stem.rsplit("-", 1)[-1]
    if (found := sha256_of(path)) != expected:
        raise WeightsError(
            f"{path}: is damaged: expected sha256 {expected}, found {found}; "
            f"fetch it again with: upscale models pull --force {entry.address}"
        )
    return path


def _fetch(
    entry: Entry,
    folder: Path,
    convert: Convert,
    progress: Progress,
    notify: Callable[[str], None],
) -> Path:
    failures = []
    for source in entry.sources:
        prefix = f".{entry.name}.{os.getpid()}."
        with tempfile.TemporaryDirectory(".part", prefix, folder, True) as name:
            part = Path(name)
            notify(f"{entry.name}: fetching from {source}")
            try:
                raw = download(source, part, progress)[0]
            except SourceError as error:
                failures.append(f"{source}: {error}")
                continue
            converted = part / "converted.safetensors"
            made_from = sha256_of(raw)
            convert(raw, converted, entry, source)
            content = sha256_of(converted)
            final = folder / f"{entry.name}-{made_from[:12]}-{content}.safetensors"
            with converted.open("rb") as file:
                os.fsync(file.fileno())
            older = cached_file(entry)
            os.replace(converted, final)
            if older and older != final:
                older.unlink(missing_ok=True)
            return final
    remedy = "unset HF_HUB_OFFLINE; or" if is_offline() else "check the network; or"
    here = (each for each in read_manifest().values() if each.embedded)
    embedded = ", ".join(each.name for each in here if each.role == "generator")
    raise WeightsError(
        f"{entry.name} is not in the cache and no source delivered it:\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + f"{remedy} run `upscale models pull {entry.address}` on a machine that is connected and "
        f"copy its file into {folder}; the embedded models ({embedded}) need no network"
    )
