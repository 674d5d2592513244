"""Finds the pictures of a SET: a folder, or a benchmark set by name, local or fetched."""

import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from upscale.bench.sets.archives import unpack
from upscale.bench.sets.picture_sets import (
    Notify,
    PictureSet,
    folders_called,
    pixel_digest,
    read_folder,
    read_hr,
)
from upscale.errors import InputError, UsageError, WeightsError, did_you_mean
from upscale.files import locked, publish
from upscale.models.fetching.download import download
from upscale.models.fetching.sources import Member, Progress, Source, SourceError, is_offline
from upscale.models.folder import cache_folder

__all__ = ["Dataset", "find_set", "read_datasets", "sample_hr", "source_of"]


@dataclass(frozen=True)
class Dataset:
    """One stanza of ``datasets.toml``."""

    name: str
    """Its name on the command line."""
    title: str
    """Its name in papers."""
    pictures: int
    """Number of pictures."""
    folders: tuple[str, ...]
    """Possible folders of a copy below ``--data``, the best first."""
    sources: tuple[Source, ...]
    """Sources, in the order in which they are tried."""
    pixels: str | None = None
    """The `pixel_digest` of the set, if it is known."""
    licence: str = ""
    """The licence that its authors state."""
    paper: str = ""
    """Paper that published the set."""
    parts: tuple[str, ...] = ()
    """Further folders with pictures in such a copy."""
    packaged: str = ""
    """Folder beside this file that holds the set; empty if the package does not have it."""


@cache
def read_datasets() -> dict[str, Dataset]:
    """Read ``datasets.toml``: sets by name."""
    stanzas = tomllib.loads((Path(__file__).parent / "datasets.toml").read_text("utf-8"))
    return {
        name: Dataset(
            name=name,
            folders=tuple(stanza.pop("folders", ())),
            parts=tuple(stanza.pop("parts", ())),
            sources=tuple(source_of(source) for source in stanza.pop("source", ())),
            **stanza,
        )
        for name, stanza in stanzas.items()
    }


def source_of(stanza: dict[str, Any]) -> Source:
    """Return the archive that a ``source`` stanza of a manifest describes."""
    values = dict(stanza)
    member = Member(values.pop("file"), values.pop("sha256", None))
    return Source(members=(member,), **values)


def sample_hr(name: str) -> npt.NDArray[np.uint8]:
    """Return a picture of the set in the package: (H, W, 3), uint8, RGB."""
    (pair,) = (pair for pair in find_set("sample", None, 1).pairs if pair.name == name)
    return read_hr(pair.hr)


def find_set(
    word: str,
    data: Path | None,
    scale: int,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
) -> PictureSet:
    """Return the pictures of ``word``: a name of `read_datasets`, or a folder.

    A named set is in the package, or it is searched below ``data``, below the folder in
    ``UPSCALE_DATA`` and in the cache, then fetched. A folder holds HR pictures, or ``HR/`` and
    perhaps LR ones for ``scale``, such as ``LRbicx4/`` or ``LR_bicubic/X4/``. Raises UsageError for
    a word that is neither, InputError for a folder without pictures, WeightsError for a set that
    cannot be fetched or is damaged.
    """
    dataset = read_datasets().get(word.casefold())
    if dataset is None:
        return _named_by_its_pixels(_of_folder(Path(word), scale, notify), notify)
    if dataset.packaged:
        packaged = Path(__file__).parent / dataset.packaged
        return _named(read_folder(packaged, scale, notify), dataset, notify)
    roots = [("--data", data), ("UPSCALE_DATA", os.environ.get("UPSCALE_DATA"))]
    for flag, root in roots:
        if not root:
            continue
        if not Path(root).is_dir():
            raise UsageError(f"{flag} {root}: is not a folder")
        for folder in _below(Path(root), dataset.folders):
            found = read_folder(folder, scale, notify, dataset.parts)
            if found.pairs:
                return _named(found, dataset, notify)
            notify(f"{folder}: holds no pictures and no HR/ with pictures; it is skipped")
    return _named(_cached(dataset, scale, progress, notify), dataset, notify)


def _of_folder(folder: Path, scale: int, notify: Notify) -> PictureSet:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not a folder"
        raise UsageError(
            f"{folder}: {what} and not a known set; give a folder of pictures or one of "
            f"{', '.join(read_datasets())}{did_you_mean(folder.name, read_datasets())}"
        )
    found = read_folder(folder, scale, notify)
    if not found.pairs:
        raise InputError(
            f"{folder}: holds no pictures and no HR/ with pictures; give a folder that has some"
        )
    return found


def _named_by_its_pixels(found: PictureSet, notify: Notify) -> PictureSet:
    """Name a folder by the set in it, so that published figures stand beside it."""
    for dataset in read_datasets().values():
        if len(found.pairs) != dataset.pictures:
            continue
        called = {PurePosixPath(folder).name.casefold() for folder in dataset.folders}
        if dataset.pixels is None:
            is_it = found.name.casefold() in called
        else:
            is_it = pixel_digest(pair.hr for pair in found.pairs) == dataset.pixels
            if not is_it and found.name.casefold() in called:
                notify(_not_the_usual(found, dataset))
        if is_it:
            return replace(found, name=dataset.name)
    return found


def _named(found: PictureSet, dataset: Dataset, notify: Notify) -> PictureSet:
    """Name pictures by the set if they are its own; otherwise tell the user."""
    if len(found.pairs) != dataset.pictures:
        notify(
            f"{found.folder}: holds {len(found.pairs)} pictures, and {dataset.title} has "
            f"{dataset.pictures}; no published figures are shown"
        )
    elif dataset.pixels and pixel_digest(pair.hr for pair in found.pairs) != dataset.pixels:
        notify(_not_the_usual(found, dataset))
    else:
        return replace(found, name=dataset.name)
    return replace(found, name=f"{dataset.name} (other pictures)")


def _not_the_usual(found: PictureSet, dataset: Dataset) -> str:
    return (
        f"{found.folder}: its pixels differ from those of the usual {dataset.title}; no published "
        "figures are shown"
    )


def _below(root: Path, paths: Iterable[str]) -> Iterator[Path]:
    """Yield the folders ``paths`` below ``root``, with names in any case."""
    for path in paths:
        found = [root]
        for part in PurePosixPath(path).parts:
            found = [child for each in found for child in folders_called(each, part)]
        yield from found[:1]


def _cached(dataset: Dataset, scale: int, progress: Progress, notify: Notify) -> PictureSet:
    """Return the set from the cache; fetch it first if necessary. Raises WeightsError."""
    folder = cache_folder() / "datasets"
    final = folder / dataset.name
    waiting = partial(notify, f"{dataset.name}: another process is fetching it; waiting")
    try:
        if not final.is_dir():
            with locked(folder / f".{dataset.name}.lock", waiting):
                for litter in folder.glob(
                    f".{dataset.name}.[0-9]*.part"
                ):  # left by a killed process
                    shutil.rmtree(litter, ignore_errors=True)
                if not final.is_dir():
                    _fetch(dataset, final, progress, notify)
    except OSError as error:
        raise WeightsError(
            f"{folder}: {dataset.title} cannot be kept there ({error.strerror or error}); "
            "set UPSCALE_CACHE to a writable folder",
            code="dataset",
        ) from error
    found = read_folder(final, scale, notify)
    try:
        _check(found, dataset)
    except SourceError as error:
        raise WeightsError(
            f"{final}: is damaged: {error}; remove that folder to fetch it again",
            code="dataset",
        ) from error
    return found


def _fetch(dataset: Dataset, final: Path, progress: Progress, notify: Notify) -> None:
    failures = []
    for source in dataset.sources:
        prefix = f".{dataset.name}.{os.getpid()}."
        with tempfile.TemporaryDirectory(".part", prefix, final.parent, True) as part:
            notify(f"{dataset.name}: fetching from {source}")
            try:
                (archive,) = download(source, Path(part), progress)
                whole = Path(part) / "set"
                unpack(archive, whole / "HR", dataset.pictures)
                _check(read_folder(whole, 1, notify), dataset)
            except (SourceError, InputError) as error:
                failures.append(f"{source}, {source.members[0].path}: {error}")
                continue
            publish(whole, final)
            return
    remedy = "unset HF_HUB_OFFLINE; or" if is_offline() else "check the network; or"
    raise WeightsError(
        f"{dataset.name} is not on this machine and cannot be fetched:\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + f"{remedy} give --data DIR, or set UPSCALE_DATA to DIR, where DIR holds "
        f"{dataset.folders[0]}/; or give a folder of pictures in place of the name; or measure on "
        "`sample`, the set in the package",
        code="dataset",
    )


def _check(found: PictureSet, dataset: Dataset) -> None:
    """Raise SourceError if the number of pictures is not that of ``dataset``."""
    if len(found.pairs) != dataset.pictures:
        raise SourceError(f"it holds {len(found.pairs)} pictures, not {dataset.pictures}")
