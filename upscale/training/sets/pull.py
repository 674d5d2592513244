"""Fetches a set's archive, checks it, and unpacks it to a folder, which appears complete.

A partial archive stays beside the folder, and the next attempt continues it.
"""

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from upscale.bench.sets.archives import unpack
from upscale.errors import OutputError, UsageError, WeightsError, did_you_mean
from upscale.files import locked, publish, unwritable, whole
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
from upscale.training.sets.manifest import TrainingSet, read_sets

__all__ = ["NOTE_FILE", "find", "pull"]

NOTE_FILE = "source.json"
"""File in a folder that describes its set."""

SPARE = 256 * 2**20
"""Bytes of disk that stay free."""

MOST = 1_000_000
"""Most pictures in an archive of unknown size."""


def find(name: str) -> TrainingSet:
    """Return the set called ``name``. Raises UsageError for another word."""
    known = read_sets()
    if name.casefold() not in known:
        raise UsageError(
            f"{name}: is not a set of upscale data: "
            f"{', '.join(known)}{did_you_mean(name.casefold(), known)}"
        )
    return known[name.casefold()]


def pull(
    entry: TrainingSet,
    folder: Path,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> int:
    """Fetch ``entry`` into the new folder ``folder``, and return how many pictures it has.

    A folder that already holds the set stays unchanged. Archives are checked against the hash in
    the manifest, or the one pinned by the first download on this machine. Raises UsageError if
    ``folder`` holds something else, OutputError if the disk has too little space or cannot be
    written, WeightsError if no source delivers.
    """
    if (there := _there(folder, entry)) is not None:
        notify(f"{folder}: already holds {entry.title}")
        return there
    staging = folder.with_name(f".{folder.name}.{entry.name}.part")
    waiting = partial(notify, f"{folder}: another process is fetching it; waiting")
    try:
        with locked(staging / ".lock", waiting):
            pictures = _there(folder, entry)
            if pictures is None:
                pictures = _fetch(entry, staging, folder, progress, notify)
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        if folder.exists() or not _arrived(staging):
            shutil.rmtree(staging, ignore_errors=True)
    return pictures


def _arrived(staging: Path) -> int:
    """Return the bytes of archives that have arrived."""
    return sum(path.stat().st_size for path in staging.glob("[0-9]*/*") if path.is_file())


def _there(folder: Path, entry: TrainingSet) -> int | None:
    """Return the number of the set's pictures in ``folder``; None if it does not exist."""
    if not folder.exists():
        return None
    try:
        note = json.loads((folder / NOTE_FILE).read_text("utf-8"))
        if note["name"] == entry.name:
            return int(note["pictures"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"{folder}: already exists; give another folder with -o, or move it away")


def _fetch(
    entry: TrainingSet, staging: Path, folder: Path, progress: Progress, notify: Notify
) -> int:
    failures = []
    for number, source in enumerate(entry.sources):
        place = staging / str(number)
        place.mkdir(exist_ok=True)
        _check_room(place, source)
        notify(f"{entry.name}: fetching from {source}")
        try:
            (archive,) = download(_pinned(source), place, progress)
            return _unpacked(entry, source, archive, staging, folder)
        except SourceError as error:
            failures.append(f"{source}, {source.members[0].path}: {error}")
    remedy = "unset HF_HUB_OFFLINE, or" if is_offline() else "check the network, or"
    goes_on = f"; the same command then continues with {staging}" if _arrived(staging) else ""
    raise WeightsError(
        f"{entry.name} cannot be fetched:\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + f"{remedy} fetch it by hand ({entry.paper}){goes_on}",
        code="dataset",
    )


def _check_room(place: Path, source: Source) -> None:
    """Raise OutputError if archive and pictures, which are as large, do not fit on the disk."""
    have = sum(path.stat().st_size for path in place.glob("*") if path.is_file())
    needed = 2 * source.size - have + SPARE
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OutputError(
            f"{place.parent.parent}: the archive and its pictures need {needed / 1e9:.1f} GB, and "
            f"{free / 1e9:.1f} GB are free; free some disk space, or give another folder with -o",
            code="disk-full",
        )


def _unpacked(
    entry: TrainingSet, source: Source, archive: Path, staging: Path, folder: Path
) -> int:
    made = staging / "set"
    shutil.rmtree(made, ignore_errors=True)

    def place(path: PurePosixPath) -> PurePosixPath | None:
        return path if not entry.part or entry.part in path.parts[:-1] else None

    pictures = unpack(archive, made, entry.pictures or MOST, place)
    if pictures != (entry.pictures or pictures) or not pictures:
        raise SourceError(f"it holds {pictures} pictures, not {entry.pictures or 'some'}")
    digest = sha256_of(archive)
    about = {
        "name": entry.name,
        "title": entry.title,
        "pictures": pictures,
        "licence": entry.licence,
        "paper": entry.paper,
        "note": entry.note,
        "source": f"{source}, {source.members[0].path}",
        "sha256": digest,
    }
    (made / NOTE_FILE).write_text(json.dumps(about, indent=1, ensure_ascii=False), "utf-8")
    _pin(source, digest)
    publish(made, folder)
    return pictures


def _pins() -> Path:
    return cache_folder() / "data" / "pins.json"


def _read_pins() -> dict[str, str]:
    try:
        found = json.loads(_pins().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _key(source: Source) -> str:
    return f"{source.place}/{source.members[0].path}"


def _pinned(source: Source) -> Source:
    """Return ``source`` with the hash of the archive that it delivered before."""
    (member,) = source.members
    known = member.sha256 or _read_pins().get(_key(source))
    return replace(source, members=(replace(member, sha256=known),))


def _pin(source: Source, digest: str) -> None:
    if source.members[0].sha256 is None:
        with whole(_pins()) as part:
            part.write_text(json.dumps(_read_pins() | {_key(source): digest}, indent=1), "utf-8")
