"""A folder of HR pictures, decoded once into one file of raw samples, from which patches are cut.

Decoding a picture takes a hundred times as long as cutting a patch out of it. The LR of whole
pictures is made here too, so that a patch of LR is exactly what the whole picture's LR holds there.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from upscale.pixels.degrade import crop_to_multiple, degrade
from upscale.training.data.pairs import PathPair, find_pairs

__all__ = ["Item", "Store", "open_store"]

SPARE = 256 * 2**20
"""Bytes of disk that stay free."""

VERSION = 2
"""Of the layout of a store's files."""


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
    """Where the samples lie."""
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
) -> Store:
    """Return the decoded pictures under ``data``, which are decoded unless an earlier run did.

    LR is made by MATLAB's bicubic, or read from ``lr_data`` (see `find_pairs`). Gray becomes three
    equal channels, 16 bits become 8, opacity is dropped, and only the first frame is taken. Files
    that cannot be read, and pictures smaller than ``patch`` HR pixels, are left out; ``notify`` is
    told. Raises UsageError where nothing is left, OutputError where the disk is too small.
    """
    pairs = find_pairs(data, lr_data, scale, notify)
    kept, pixels = _large_enough(data, pairs, scale, patch, notify)
    if not kept:
        raise UsageError(
            f"{data}: all {len(pairs)} pictures are smaller than {patch} × {patch} pixels; "
            "give larger ones, or a smaller --hr-patch"
        )
    folder = cache_folder() / "training" / _key(data, kept, scale)
    if not folder.is_dir():
        _make(folder, data, kept, scale, pixels, progress, notify)
    index = json.loads((folder / "index.json").read_text("utf-8"))
    for text in index["left_out"]:
        notify(text)
    return Store(folder, scale, tuple(Item(**item) for item in index["items"]), index["digest"])


def _large_enough(
    data: Path, pairs: Sequence[PathPair], scale: int, patch: int, notify: Notify
) -> tuple[list[PathPair], int]:
    """Return the pictures that are large enough by their headers, and the sum of their pixels."""
    kept, pixels, small, clear = [], 0, 0, 0
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
        clear += header.channels in (2, 4)
        pixels += header.width * header.height
    if small and kept:
        notify(f"{data}: {small} pictures are smaller than {patch} × {patch} pixels; left out")
    if clear:
        notify(
            f"{data}: the opacity of {clear} picture{'' if clear == 1 else 's'} is dropped, so the "
            "colours of transparent pixels are trained on too; flatten them first"
        )
    return kept, pixels


def _key(data: Path, pairs: Sequence[PathPair], scale: int) -> str:
    """Name a store by the paths, sizes and times of the files that it is made of."""
    about: list[Any] = [VERSION, str(data.resolve()), scale]
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
                _fill(folder, data, pairs, scale, progress)
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
    folder: Path, data: Path, pairs: Sequence[PathPair], scale: int, progress: Progress
) -> None:
    part = folder.with_name(f".{folder.name}.part")
    items, left_out, digest = [], list[str](), hashlib.sha256()
    offset = 0
    try:
        part.mkdir()
        with (part / "hr").open("wb") as hr_file, (part / "lr").open("wb") as lr_file:
            for path, hr, lr in _decoded(pairs, scale, progress, left_out.append):
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


def _decoded(
    pairs: Sequence[PathPair], scale: int, progress: Progress, notify: Notify
) -> Iterator[tuple[Path, Levels, Levels]]:
    """Yield path, HR and LR of the readable pictures in order, decoded by several threads."""

    def decode(pair: PathPair) -> tuple[Levels, Levels] | InputError:
        try:
            hr = crop_to_multiple(_rgb(pair[0]), scale)
            lr = degrade(hr, scale) if pair[1] is None else _rgb(pair[1])
        except InputError as error:
            return error
        if (lr.shape[0] * scale, lr.shape[1] * scale) != hr.shape[:2]:
            return InputError(f"{pair[1]}: is not {pair[0].name} reduced by {scale}")
        return hr, lr

    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers, "decoder") as pool:
        for first in range(0, len(pairs), 2 * workers):  # so that few decoded pictures wait
            some = pairs[first : first + 2 * workers]
            results = zip(some, pool.map(decode, some), strict=True)
            for done, ((path, _), result) in enumerate(results, first + 1):
                progress(done, len(pairs))
                if isinstance(result, InputError):
                    notify(f"{result}; left out")
                else:
                    yield path, *result


def _rgb(path: Path) -> Levels:
    image = reader.read(path)
    height = image.pixels.shape[0] // image.frames
    pixels = np.asarray(image.pixels[0:height])
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    colour = pixels[..., :1] if pixels.shape[2] < 3 else pixels[..., :3]
    return np.ascontiguousarray(np.broadcast_to(colour, (*colour.shape[:2], 3)))
