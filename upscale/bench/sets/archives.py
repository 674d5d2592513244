"""Pictures from an untrusted ``.zip`` or ``.tar.gz``."""

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from upscale.batch.planning.walk import is_picture
from upscale.models.fetching.sources import SourceError

__all__ = ["unpack"]

LARGEST = 2**28
"""Most bytes of a picture; an archive with a larger one is refused as a decompression bomb."""

CHUNK = 2**20


def _flat(path: PurePosixPath) -> PurePosixPath:
    return PurePosixPath(path.name)


def unpack(
    archive: Path,
    target: Path,
    most: int,
    place: Callable[[PurePosixPath], PurePosixPath | None] = _flat,
) -> int:
    """Write the pictures of an archive into ``target``, and return their number.

    ``place``: returns the path in ``target`` for a picture's path, or None to leave it out; by
    default the archive's folders are dropped. Raises SourceError for a damaged archive, and for
    contents that an honest archive of ``most`` pictures does not have.
    """
    target.mkdir(parents=True)
    members = _of_zip(archive) if zipfile.is_zipfile(archive) else _of_tar(archive)
    count = 0
    try:
        for path, size, file in members:
            there = place(path)
            if there is None:
                continue
            if count == most:
                raise SourceError(f"{archive.name} holds more than {most} pictures")
            if size > LARGEST:
                raise SourceError(f"{archive.name}: {path.name} has {size:,} bytes")
            if (target / there).exists():
                raise SourceError(f"{archive.name} holds two files called {there}")
            (target / there).parent.mkdir(parents=True, exist_ok=True)
            with file, (target / there).open("xb") as picture:
                shutil.copyfileobj(file, picture, CHUNK)
            count += 1
    except (
        *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError),
        *(RuntimeError, NotImplementedError),  # an encrypted zip, or another compression
        ValueError,  # a name that is not text
    ) as error:
        raise SourceError(f"{archive.name} cannot be unpacked ({error})") from error
    return count


def _of_tar(archive: Path) -> Iterator[tuple[PurePosixPath, int, IO[bytes]]]:
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            path = _inside(archive, member.name)
            if member.isfile() and is_picture(path) and (file := tar.extractfile(member)):
                yield path, member.size, file


def _of_zip(archive: Path) -> Iterator[tuple[PurePosixPath, int, IO[bytes]]]:
    with zipfile.ZipFile(archive) as listing:
        for member in listing.infolist():
            name = member.filename
            path = _inside(archive, name)
            kind = stat.S_IFMT(member.external_attr >> 16)
            regular = kind in (0, stat.S_IFREG) and not member.is_dir()
            if regular and is_picture(path) and "__MACOSX" not in path.parts:
                try:
                    file = listing.open(member)
                except OSError as error:  # an offset before the file's beginning
                    raise zipfile.BadZipFile(
                        f"{name} is not at its place in the archive"
                    ) from error
                yield path, member.file_size, file


def _inside(archive: Path, name: str) -> PurePosixPath:
    """Return a member's path; raise SourceError if it leads out of the target folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name:
        raise SourceError(f"{archive.name} holds a path that leads out of it: {name!r}")
    return path
