"""Pictures from a ``.zip`` or ``.tar.gz`` that is not trusted."""

import gzip
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from upscale.batch.planning.walk import is_picture
from upscale.models.fetching.sources import SourceError

__all__ = ["unpack"]

LARGEST = 2**28
"""Bytes of one picture; an archive with a larger one is refused as a bomb."""

CHUNK = 2**20


def unpack(archive: Path, target: Path, most: int) -> None:
    """Write the pictures of an archive into ``target``, without its folders and other files.

    Raises SourceError for a damaged archive, and for anything that an honest one of ``most``
    pictures does not hold.
    """
    target.mkdir(parents=True)
    members = _of_zip(archive) if zipfile.is_zipfile(archive) else _of_tar(archive)
    try:
        for count, (path, size, file) in enumerate(members):
            if count == most:
                raise SourceError(f"{archive.name} holds more than {most} pictures")
            if size > LARGEST:
                raise SourceError(f"{archive.name}: {path.name} has {size:,} bytes")
            if (target / path.name).exists():
                raise SourceError(f"{archive.name} holds two files called {path.name}")
            with file, (target / path.name).open("xb") as picture:
                shutil.copyfileobj(file, picture, CHUNK)
    except (
        *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError),
        *(RuntimeError, NotImplementedError),  # of a zip that is encrypted, or packed otherwise
        ValueError,  # of a name that is not text
    ) as error:
        raise SourceError(f"{archive.name} cannot be unpacked ({error})") from error


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
                except OSError as error:  # of a place before the file's beginning
                    raise zipfile.BadZipFile(f"{name} is not where it should be") from error
                yield path, member.file_size, file


def _inside(archive: Path, name: str) -> PurePosixPath:
    """Return a member's path; SourceError where it leads out of the target folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name:
        raise SourceError(f"{archive.name} holds a path that leads out of it: {name!r}")
    return path
