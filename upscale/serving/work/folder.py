"""The folder of a running server, and the remains of killed servers.

A server holds a lock beside its folder, and the system releases the lock however the process ends.
So a folder with a free lock belongs to no server.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from upscale.files import unwritable
from upscale.models.folder import cache_folder

__all__ = ["own_folder"]


@contextlib.contextmanager
def own_folder(root: Path | None = None) -> Iterator[Path]:
    """Lend a new private folder below ``root``, and remove it at the end.

    ``root``: by default ``ui`` in the cache. Folders of dead servers there are removed first.
    Raises OutputError.
    """
    root = cache_folder() / "ui" if root is None else root
    folder = root / f"{os.getpid()}-{secrets.token_hex(4)}"
    lock = FileLock(f"{folder}.lock")
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(root)
        lock.acquire(timeout=0)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise unwritable(root, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        with contextlib.suppress(OSError):
            os.unlink(lock.lock_file)


def _sweep(root: Path) -> None:
    for path in root.glob("*.lock"):
        lock = FileLock(path)
        with contextlib.suppress(Timeout, OSError):
            lock.acquire(timeout=0)
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            lock.release()
            path.unlink(missing_ok=True)
