"""What Linux, macOS and Windows do each in its own way.

All that asks which system this is stands here, so that mypy sees each branch on its own platform
and tests can imitate another one in one place. It is apart from `files`, since memory, processes
and signals are no files.
"""

import contextlib
import errno
import os
import sys
import threading
from pathlib import Path

__all__ = ["BINARY", "read_at", "sync_folder", "write_at"]

BINARY: int = getattr(os, "O_BINARY", 0)
"""Flag for `os.open`: without it Windows puts a CR before each LF that is written."""

_UNSYNCED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EACCES, errno.EPERM)
"""What network disks, and folders that may be written but not read, answer to a folder's sync."""

_moving = threading.Lock()


def read_at(descriptor: int, size: int, at: int) -> bytes:
    """Return at most ``size`` bytes from the offset ``at``; the descriptor's position stays."""
    if sys.platform != "win32":
        return os.pread(descriptor, size, at)
    with _moving:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, at, os.SEEK_SET)
            return os.read(descriptor, size)
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)


def write_at(descriptor: int, data: bytes, at: int) -> int:
    """Write at the offset ``at``, and return how many bytes; the descriptor's position stays."""
    if sys.platform != "win32":
        return os.pwrite(descriptor, data, at)
    with _moving:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, at, os.SEEK_SET)
            return os.write(descriptor, data)
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)


def sync_folder(folder: Path) -> None:
    """Make what was renamed in ``folder`` outlast a power loss, where the system can."""
    if sys.platform == "win32":  # which opens no folder, and keeps a journal of names itself
        return
    with contextlib.ExitStack() as held:
        try:
            descriptor = os.open(folder, os.O_RDONLY)
            held.callback(os.close, descriptor)
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _UNSYNCED:
                raise
