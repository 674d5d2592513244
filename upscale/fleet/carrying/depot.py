"""A folder of limited size for the files of pictures in transfer."""

import contextlib
import re
import shutil
import tempfile
import threading
from dataclasses import replace
from itertools import count
from pathlib import Path, PurePosixPath

from upscale.errors import OutputError
from upscale.files import part_beside, sweep_folders_of, unwritable
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.task import Task

__all__ = ["Depot"]

MOST = 512 * 2**20
"""Most bytes of pictures that wait to be read."""

PATIENCE = 1.0
"""Seconds between checks of the free space on the disk."""

SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,12}")


class Depot:
    """Provides the files of a picture. Any thread may use it.

    The folder is in that for temporary files (``TMPDIR``) and belongs to this process; folders of
    killed processes are removed first. It is created for the first picture.
    """

    def __init__(self, most: int = MOST) -> None:
        """Take the most bytes that may wait at a time; a single picture may have more."""
        self._most = most
        self._numbers = count()
        self._folder: Path | None = None
        self._waiting: dict[int, int] = {}
        self._changed = threading.Condition()
        self._over = False

    def cargo(self, task: Task) -> Cargo:
        """Return the cargo for ``task``. Raises OutputError if there is no folder."""
        number = next(self._numbers)
        cargo = Cargo(Path(task.input), Path(task.output), task.size, task=task, number=number)
        if cargo.arrives:
            cargo = replace(cargo, input=self._place(number, "in", task.input), etag=task.etag)
        if cargo.departs:
            cargo = replace(cargo, output=self._place(number, "out", task.output))
        return cargo

    def _place(self, number: int, name: str, url: str) -> Path:
        """Return a path with the suffix of ``url`` that occurs in no message by chance."""
        suffix = PurePosixPath(url).suffix
        return self.folder / f"{number}-{name}{suffix if SUFFIX.fullmatch(suffix) else ''}"

    @property
    def folder(self) -> Path:
        """The folder. Raises OutputError if it cannot be created."""
        if self._folder is None:
            name = Path(tempfile.gettempdir()) / "upscale"
            sweep_folders_of(name)
            folder = part_beside(name)
            try:
                folder.mkdir(0o700)
            except OSError as error:
                raise unwritable(folder, error) from error
            self._folder = folder
        return self._folder

    def reserve(self, cargo: Cargo, size: int) -> None:
        """Wait until ``size`` bytes fit beside the waiting pictures; reserve them.

        Raises OutputError if the disk has less space even without the others.
        """
        with self._changed:
            while not self._over and self._waiting and not self._has_room(size):
                self._changed.wait(PATIENCE)
            folder = self.folder
            if self._over or shutil.disk_usage(folder).free < size:
                raise OutputError(
                    f"{cargo.task.input}: needs {size / 1e9:.2f} GB in {folder.parent}, which has "
                    "less space; set TMPDIR to a folder on a larger disk",
                    code="no-room",
                )
            self._waiting[cargo.number] = size

    def _has_room(self, size: int) -> bool:
        fits = sum(self._waiting.values()) + size <= self._most
        return fits and shutil.disk_usage(self.folder).free >= size

    def drop(self, cargo: Cargo) -> None:
        """Remove a picture's local files, and free their space for others."""
        self.drop_input(cargo)
        if cargo.departs:
            with contextlib.suppress(OSError):
                cargo.output.unlink()

    def drop_input(self, cargo: Cargo) -> None:
        """Remove the input in the same way."""
        if cargo.arrives:
            with contextlib.suppress(OSError):
                cargo.input.unlink()
        with self._changed:
            self._waiting.pop(cargo.number, None)
            self._changed.notify_all()

    def close(self) -> None:
        """Remove the folder; nothing waits for space in it any more."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
