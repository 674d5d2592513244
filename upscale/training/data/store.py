"""A folder of HR pictures, decoded once into one file of raw samples, from which patches are cut.

Decoding a picture takes a hundred times as long as cutting a patch out of it. LR is made here from
whole pictures, so a patch of LR equals that part of the whole picture's LR.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from upscale.errors import InputError, OutputError, UsageError
from upscale.files import locked, publish
from upscale.models.fetching.sources import Notify, Progress
from upscale.models.folder import cache_folder
from upscale.pictures.limits import MAX_PIXELS
from upscale.pictures.reading import reader
from upscale.pixels.baselines import Levels
from upscale.pixels.degrade import blur_and_subsample, degrade
from upscale.pixels.image import Header
from upscale.training.data.decoding import Reduce, decoded
from upscale.training.data.pairs import PathPair, find_pairs

__all__ = ["Item", "Store", "open_store"]

SPARE = 256 * 2**20
"""Bytes of disk that stay free."""

VERSION = 2
"""Version of the layout of a store's files."""


@dataclass(frozen=True)
class Item:
    """One picture of a store."""

    name: str
    """Its path below the training set's folder."""
    height: int
    """HR pixels, a multiple of the scale."""
    width: int
    """HR pixels, a multiple of the scale."""
    offset: int
    """Its first byte in the file of HR samples."""


@dataclass(frozen=True)
class Store:
    """Decoded pictures."""

    folder: Path
    """Folder of the samples."""
    scale: int
    """Factor from LR to HR."""
    items: tuple[Item, ...]
    """The pictures, in their order."""
    digest: str
    """SHA-256 over the samples of all pictures, HR and LR, in their order."""

    def hr(self, index: int) -> Levels:
        """Return picture ``index``: (H, W, 3), RGB, uint8, a view of the file."""
        item = self.items[index]
        return self._map("hr", item.offset, (item.height, item.width, 3))

    def lr(self, index: int) -> Levels:
        """Return the LR of picture ``index``: (H / scale, W / scale, 3), likewise."""
        item = self.items[index]
        shape = (item.height // self.scale, item.width // self.scale, 3)
        return self._map("lr", item.offset // self.scale**2, shape)

    def _map(self, name: str, offset: int, shape: tuple[int, int, int]) -> Levels:
        return np.memmap(self.folder / name, np.uint8, "r", offset, shape)


def open_store(
    data: Path,
    lr_data: Path | None,
    scale: int,
    patch: int,
    progress: Progress = lambda done, total: None,
    notify: Notify = lambda text: None,
    sigma: float | None = None,
) -> Store:
    """Return the decoded pictures under ``data``; decode them unless an earlier run did.

    LR is read from ``lr_data`` (see `find_pairs`), made by a Gaussian blur of ``sigma`` HR pixels
    (`upscale.pixels.degrade.blur_and_subsample`), or made by MATLAB's bicubic. Gray becomes three
    equal channels, 16 bits become 8, opacity is dropped, and only the first frame is taken. Files
    that cannot be read, and pictures smaller than ``patch`` HR pixels, are left out; ``notify``
    gets a message. Raises UsageError if nothing is left, OutputError if the disk is too small.
    """
    pairs = find_pairs(data, lr_data, scale, notify)
    kept, pixels = _large_enough(data, pairs, scale, patch, notify)
    if not kept:
        raise UsageError(
            f"{data}: no picture of the {len(pairs)} there can be read and has {patch} × {patch} "
            "pixels; give larger ones, or a smaller --hr-patch"
        )
    folder = cache_folder() / "training" / _key(data, kept, scale, sigma)
    reduce = degrade if sigma is None else partial(blur_and_subsample, sigma=sigma)
    if not folder.is_dir():
        _make(folder, data, kept, scale, reduce, pixels, progress, notify)
    index = json.loads((folder / "index.json").read_text("utf-8"))
    for text in index["left_out"]:
        notify(text)
    return Store(folder, scale, tuple(Item(**item) for item in index["items"]), index["digest"])


def _large_enough(
    data: Path, pairs: Sequence[PathPair], scale: int, patch: int, notify: Notify
) -> tuple[list[PathPair], int]:
    """Return the pictures whose headers state enough pixels, and the sum of their pixels."""
    kept, headers, small = [], [], 0
    for path, partner in pairs:
        try:
            header = reader.read_header(path, MAX_PIXELS)
        except InputError as error:
            notify(f"{error}; left out")
            continue
        if min(header.width, header.height) // scale * scale < patch:
            small += 1
            continue
        kept.append((path, partner))
        headers.append(header)
    if small and kept:
        notify(f"{data}: {small} pictures are smaller than {patch} × {patch} pixels; left out")
    for told in _changes(headers):
        notify(f"{data}: {told}")
    return kept, sum(header.width * header.height for header in headers)


def _changes(headers: Sequence[Header]) -> Iterator[str]:
    """List how training changes pictures."""
    gray, clear, moving = (
        sum(test(header) for header in headers)
        for test in (
            lambda header: header.channels in (1, 2),
            lambda header: header.channels in (2, 4),
            lambda header: header.frames > 1,
        )
    )
    if gray:
        number = "all pictures are" if gray == len(headers) else f"{gray} of {len(headers)} are"
        yield f"{number} gray; they become three equal channels"
    if clear:
        yield (
            f"the opacity of {clear} picture{'' if clear == 1 else 's'} is dropped, so hidden "
            "colours of transparent pixels count, too; flatten such pictures first"
        )
    if moving:
        yield f"{moving} of {len(headers)} have several frames; only the first of each is used"


def _key(data: Path, pairs: Sequence[PathPair], scale: int, sigma: float | None) -> str:
    """Name a store by the paths, sizes and times of the files, and by the way LR is made."""
    about: list[Any] = [VERSION, str(data.resolve()), scale]
    about += [] if sigma is None else [sigma]
    for pair in pairs:
        for path in filter(None, pair):
            known = path.stat()
            about.append((str(path.resolve()), known.st_size, known.st_mtime_ns))
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]


def _make(
    folder: Path,
    data: Path,
    pairs: Sequence[PathPair],
    scale: int,
    reduce: Reduce,
    pixels: int,
    progress: Progress,
    notify: Notify,
) -> None:
    """Fill ``folder``, or wait for the process that fills it."""
    stores = folder.parent
    waiting = partial(notify, f"{stores}: another process decodes pictures; waiting")
    try:
        with locked(stores / ".lock", waiting):
            for litter in stores.glob(".*.part"):  # left by a process that was killed
                shutil.rmtree(litter, ignore_errors=True)
            if not folder.is_dir():
                _check_disk(stores, int(3 * pixels * (1 + 1 / scale**2)) + SPARE)
                _fill(folder, data, pairs, scale, reduce, progress)
    except OSError as error:
        raise OutputError(
            f"{stores}: decoded pictures cannot be written there ({error.strerror or error}); "
            "set UPSCALE_CACHE to another folder"
        ) from error


def _check_disk(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OutputError(
            f"{folder}: the decoded pictures need {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB "
            "are free; free some disk space, or set UPSCALE_CACHE to a folder on another disk"
        )


def _fill(
    folder: Path,
    data: Path,
    pairs: Sequence[PathPair],
    scale: int,
    reduce: Reduce,
    progress: Progress,
) -> None:
    part = folder.with_name(f".{folder.name}.part")
    items, left_out, digest = [], list[str](), hashlib.sha256()
    offset = 0
    try:
        part.mkdir()
        with (part / "hr").open("wb") as hr_file, (part / "lr").open("wb") as lr_file:
            for path, hr, lr in decoded(pairs, scale, reduce, progress, left_out.append):
                name = path.name if path == data else path.relative_to(data).as_posix()
                items.append(Item(name, hr.shape[0], hr.shape[1], offset))
                for file, samples in ((hr_file, hr.tobytes()), (lr_file, lr.tobytes())):
                    file.write(samples)
                    digest.update(samples)
                offset += hr.size
        if not items:
            raise UsageError(
                f"{data}: none of the pictures can be decoded; the first: {left_out[0]}"
            )
        index = {
            "digest": digest.hexdigest(),
            "items": [asdict(item) for item in items],
            "left_out": left_out,
        }
        (part / "index.json").write_text(json.dumps(index), "utf-8")
        publish(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
