"""Files that appear complete or not at all, locks between processes, and removal of leftovers."""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from upscale.errors import OutputError
from upscale.system import is_alive, refusal, replace, sync_folder

__all__ = [
    "NO_ROOM",
    "locked",
    "make_ready",
    "part_beside",
    "publish",
    "sweep",
    "sweep_folders_of",
    "unreadable",
    "unwritable",
    "whole",
    "write_all",
]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a full disk, or of the user's full quota."""

PART = re.compile(r"\..*\.(\d{1,10})\.[0-9a-f]{8}\.part", re.DOTALL)


@contextlib.contextmanager
def whole(path: Path, part: Path | None = None) -> Iterator[Path]:
    """Lend the name of a temporary file, which becomes ``path`` when the block ends.

    Missing folders are created. The block writes the file and closes it. An error in the block,
    such as that of a check at its end, removes the temporary file and leaves ``path`` unchanged.
    ``part`` is the temporary name if the caller has chosen one. Raises OutputError in place of an
    OSError.
    """
    part = part or part_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        publish(part, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def publish(part: Path, path: Path) -> None:
    """Rename a file, or a folder of files, so that a power loss takes all of it or nothing."""
    for each in part.rglob("*") if part.is_dir() else [part]:
        if not each.is_dir():
            with each.open("rb+") as file:
                os.fsync(file)
    replace(part, path)
    sync_folder(path.parent)


def unwritable(path: Path, error: OSError) -> OutputError:
    """Put the system's ``error`` in a sentence about ``path``."""
    full = "the disk is full" if error.errno in NO_ROOM else None
    reason = full or refusal(path, error) or error.strerror or error
    return OutputError(f"{path}: cannot be written ({reason})")


def unreadable(path: str | Path, error: OSError) -> str:
    """Put the system's ``error`` in a sentence about ``path``."""
    if isinstance(error, FileNotFoundError):
        return f"{path}: does not exist; check its name and its folder"
    return f"{path}: cannot be read ({error.strerror or error})"


def part_beside(path: Path) -> Path:
    """Return a name that is free, short enough, and says which process it belongs to."""
    stem = path.stem[:40]
    while len(os.fsencode(stem)) > 40:
        stem = stem[:-1]
    return path.parent / f".{stem}.{os.getpid()}.{secrets.token_hex(4)}.part"


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data`` at the descriptor's position."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def make_ready(folder: Path) -> None:
    """Make ``folder`` if it is missing, and sweep it. Raises OutputError if it is not writable."""
    part = part_beside(folder / "ready")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.touch()
        part.unlink()
    except OSError as error:
        raise unwritable(folder, error) from error
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove the temporary files in ``folder`` whose process is gone."""
    for part in _left_in(folder):
        with contextlib.suppress(OSError):
            part.unlink()


def sweep_folders_of(path: Path) -> None:
    """Remove the temporary folders that were to become ``path`` and whose process is gone."""
    stem = part_beside(path).name.rsplit(".", 3)[0]
    for part in _left_in(path.parent):
        if part.is_dir() and not part.is_symlink() and part.name.rsplit(".", 3)[0] == stem:
            shutil.rmtree(part, ignore_errors=True)


def _left_in(folder: Path) -> Iterator[Path]:
    for part in folder.glob(".*.part"):
        found = PART.fullmatch(part.name)
        if found and not is_alive(int(found[1])):
            yield part


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file ``path``; call ``waiting`` once if another process holds it.

    Makes the folder of ``path``. Raises OSError if the folder or the lock cannot be written.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
