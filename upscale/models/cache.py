"""Converted weights, each fetched and checked once; only a conversion imports torch.

A cached file is called ``NAME-SOURCE-CONTENT.safetensors``: the first 12 digits of the sha256 of
the source file, and the whole sha256 of its own contents. So one rename publishes the file with its
hash, and a changed byte is found before the file is opened.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upscale.errors import WeightsError
from upscale.files import locked, publish, unreadable
from upscale.models.fetching.download import download
from upscale.models.fetching.sources import (
    Notify,
    Progress,
    Source,
    SourceError,
    is_offline,
    sha256_of,
)
from upscale.models.folder import cache_folder
from upscale.models.manifest import PACKAGE, Entry, find_entry, hub_entry, read_manifest

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "Convert",
    "WeightsFile",
    "find_file",
    "in_cache",
    "locate",
    "write_converted",
]

Convert = Callable[[Path, Entry], tuple[dict[str, "Tensor"], dict[str, Any]]]
"""Reads a downloaded file of an entry: returns its tensors, and the ``spec`` that describes them.

Raises WeightsError for a file that holds something else."""


NCNN = (".param", ".bin")
"""The two files of an ncnn checkpoint."""


@dataclass(frozen=True)
class WeightsFile:
    """A file on this machine that may not have been opened yet."""

    path: Path
    sha256: str
    """The expected sha256; for ncnn's two files, both with a + between."""
    remedy: str
    """What to do if it differs."""
    fault: str = "is damaged"
    """What is wrong in that case."""

    @classmethod
    def own(cls, path: Path) -> "WeightsFile":
        """Use the user's own file as it is now. Raises WeightsError if it cannot be read."""
        return cls(path, _digest_of(path), "run it again", "has changed since this run began")

    def checked(self) -> Path:
        """Return the path. Raises WeightsError if the file has other contents."""
        if (found := _digest_of(self.path)) != self.sha256:
            raise WeightsError(
                f"{self.path}: {self.fault}: expected sha256 {self.sha256}, found {found}; "
                f"{self.remedy}"
            )
        return self.path


def _digest_of(path: Path) -> str:
    files = [path]
    if path.suffix in NCNN:
        files = [half for half in map(path.with_suffix, NCNN) if half.is_file()]
    try:
        return "+".join(map(sha256_of, files))
    except OSError as error:
        raise WeightsError(unreadable(path, error)) from error


def in_cache(entry: Entry) -> Path | None:
    """Return the entry's cached safetensors file, unchecked, or None."""
    for source in entry.sources:
        made_from = (source.members[0].sha256 or "")[:12] or "?" * 12
        found = list(cache_folder().glob(f"{entry.name}-{made_from}-{'?' * 64}.safetensors"))
        if found:
            return max(found, key=lambda path: path.stat().st_mtime)
    return None


def find_file(
    name: str | Path,
    role: str,
    convert: Convert,
    progress: Progress,
    notify: Notify,
    force: bool = False,
) -> WeightsFile:
    """Return a local file of a name in the manifest, an ``hf://`` address, or an existing file.

    It is fetched if necessary, as by `locate`, and not read. Raises WeightsError.
    """
    path, text = Path(name), str(name)
    if text.startswith("hf://"):
        return locate(hub_entry(text), convert, progress, notify, force)
    if text not in read_manifest():
        if path.is_file():
            return WeightsFile.own(path)
        if path.suffix or len(path.parts) > 1:
            raise WeightsError(f"{path}: this weights file does not exist; check the path")
    return locate(find_entry(text, role), convert, progress, notify, force)


def locate(
    entry: Entry,
    convert: Convert,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
    force: bool = False,
) -> WeightsFile:
    """Return the safetensors file of ``entry``: embedded, cached, or fetched now.

    ``convert`` reads the downloaded file after its hash has been checked. ``notify`` gets one line
    before something slow. ``force`` fetches a cached file again; the old file stays until the new
    one is complete. Raises WeightsError if every source fails.
    """
    if entry.embedded:
        return _embedded(entry)
    if not force and (found := in_cache(entry)):
        return _kept(found, entry)
    folder = cache_folder()
    waiting = partial(notify, f"{entry.address}: waiting for another process that fetches it")
    try:
        with locked(folder / f".{entry.name}.lock", waiting):
            if not force and (found := in_cache(entry)):
                return _kept(found, entry)
            for litter in folder.glob(f".{entry.name}.[0-9]*.part"):  # left by a killed process
                shutil.rmtree(litter, ignore_errors=True)
            return _kept(_fetch(entry, folder, convert, progress, notify), entry)
    except OSError as error:
        raise WeightsError(
            f"{folder}: weights cannot be stored there ({error.strerror or error}); set "
            "UPSCALE_CACHE to a folder that you can write to"
        ) from error


def write_converted(
    raw: Path, target: Path, entry: Entry, source: Source, convert: Convert
) -> None:
    """Convert ``raw`` with ``convert`` to ``target``, with its origin in the metadata."""
    from upscale.models.checkpoints.convert import write_tensors

    tensors, spec = convert(raw, entry)
    origin = {
        "name": entry.name,
        "title": entry.title,
        "licence": entry.licence,
        "origin": entry.origin,
        "paper": entry.paper,
        "source": f"{source}: {source.members[0].path}",
        "source_sha256": source.members[0].sha256 or sha256_of(raw),
    }
    write_tensors(target, tensors, {"spec": spec, "origin": origin})


def _embedded(entry: Entry) -> WeightsFile:
    source = next(source for source in entry.sources if source.kind == "embedded")
    (member,) = source.members
    path = PACKAGE / "embedded" / member.path
    if not path.is_file():
        raise WeightsError(f"{path}: is missing; install upscale again")
    assert member.sha256 is not None
    return WeightsFile(path, member.sha256, "install upscale again")


def _kept(path: Path, entry: Entry) -> WeightsFile:
    remedy = f"fetch it again with: upscale models pull --force {entry.address}"
    return WeightsFile(path, path.stem.rsplit("-", 1)[-1], remedy)


def _fetch(
    entry: Entry, folder: Path, convert: Convert, progress: Progress, notify: Notify
) -> Path:
    failures = []
    for source in entry.sources:
        prefix = f".{entry.name}.{os.getpid()}."
        with tempfile.TemporaryDirectory(".part", prefix, folder, True) as name:
            part = Path(name)
            notify(f"{entry.address}: fetching from {source}")
            try:
                raw = download(source, part, progress)[0]
            except SourceError as error:
                failures.append(f"{source}: {error}")
                continue
            converted = part / "converted.safetensors"
            made_from = sha256_of(raw)
            write_converted(raw, converted, entry, source, convert)
            content = sha256_of(converted)
            final = folder / f"{entry.name}-{made_from[:12]}-{content}.safetensors"
            older = in_cache(entry)
            publish(converted, final)
            if older and older != final:
                older.unlink(missing_ok=True)
            return final
    remedy = "unset HF_HUB_OFFLINE; or" if is_offline() else "check the network; or"
    entries = read_manifest().values()
    embedded = ", ".join(e.name for e in entries if e.embedded and e.role == "generator")
    raise WeightsError(
        f"{entry.address} is not on this machine and cannot be fetched:\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + f"{remedy} run `upscale models pull {entry.address}` on a machine with a network and "
        f"copy the file into {folder}; the embedded models ({embedded}) need no network"
    )
