"""Reads the files of a ZIP, within limits."""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from upscale.errors import InputError

__all__ = ["SIGNATURE", "Member", "members"]

SIGNATURE = b"PK\x03\x04"
"""First bytes of a ZIP that is not empty (APPNOTE.TXT 4.3.7); no picture begins with them."""

END = b"PK\x05\x06"
END_SIZE = 22
LONGEST_COMMENT = 2**16 - 1

LARGEST_DIRECTORY = 4 * 2**20
"""Most bytes of a directory, which is read into memory at once."""

PIECE = 2**20

Member = tuple[str, Iterator[bytes]]
"""A file's name in the archive, and its contents."""


def members(path: Path, file: IO[bytes]) -> Iterator[Member]:
    """Yield the files in an archive one by one; messages call the archive ``path``.

    Folders, hidden files and the extra files of macOS are left out. Nothing is written. Raises
    InputError for an archive that is damaged or needs a password.
    """
    if _directory_size(file) > LARGEST_DIRECTORY:
        raise InputError(f"{path}: holds too many files; split it", code="too-large")
    try:
        with zipfile.ZipFile(file) as archive:
            for each in archive.infolist():
                parts = each.filename.replace("\\", "/").split("/")
                hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
                if not each.is_dir() and not hidden:
                    yield each.filename, _content(path, archive, each)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise _damaged(path, error) from error


def _content(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(member) as file:
            while piece := file.read(PIECE):
                yield piece
    except RuntimeError as error:  # what zipfile raises for a missing password
        raise InputError(
            f"{path}: needs a password; send the pictures without it", code="unsupported-format"
        ) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: the ZIP is damaged ({error}); create it again", code="decode-error")


def _directory_size(file: IO[bytes]) -> int:
    """Return the size of the directory, as the end of an archive states it; 0 if there is no end.

    The 64-bit form, which a small directory does not need, counts as too large.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - END_SIZE - LONGEST_COMMENT - 20))
    tail = file.read()
    at = len(tail) - END_SIZE
    if not (tail[at:].startswith(END) and tail.endswith(b"\0\0")):
        at = tail.rfind(END)
    if at < 0 or len(tail) - at < END_SIZE:
        return 0
    if tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        return LARGEST_DIRECTORY + 1
    found: int = struct.unpack_from("<L", tail, at + 12)[0]
    return found
