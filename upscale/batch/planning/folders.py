"""What is known of the folders that outputs go into, before any of them is made."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

from upscale.batch.planning.walk import Identity, file_identity
from upscale.errors import InputError, OutputError, UpscaleError

__all__ = ["Folders", "Standing", "existing", "folded", "is_writable"]

Standing = tuple[Identity, tuple[str, ...]]
"""The deepest existing folder of a path, and the folded names of those to be made in it."""

Obstacle = tuple[type[UpscaleError], str, str]
"""Kind of error, its sentence without the input, and its code."""


class Folders:
    """The folders of a plan; the disk is asked once for each."""

    def __init__(self, root: Path | None) -> None:
        """Take the folder below which outputs lie; None: each lies beside its input."""
        self.root = root
        """The folder that outputs must not leave; None: there is none."""
        self._top = None if root is None else os.path.realpath(root)
        self._standings: dict[Path, Standing] = {}
        self._obstacles: dict[Path, Obstacle | None] = {}

    def place(self, path: Path) -> tuple[Standing, str]:
        """Return a value that is the same for two paths to one file in one folder."""
        return self.standing(path.parent), path.name

    def standing(self, folder: Path) -> Standing:
        """Return a value that is the same for two paths to one folder, existing or not."""
        if folder not in self._standings:
            there = existing(folder)
            missing = folder.parts[len(there.parts) :]
            self._standings[folder] = (file_identity(there), tuple(map(folded, missing)))
        return self._standings[folder]

    def obstacle(self, folder: Path) -> Obstacle | None:
        """Return why nothing can be written into ``folder``; None: it can."""
        if folder not in self._obstacles:
            self._obstacles[folder] = self._look(folder)
        return self._obstacles[folder]

    def _look(self, folder: Path) -> Obstacle | None:
        real = Path(os.path.realpath(folder))
        if self._top is not None and not real.is_relative_to(self._top):
            return (
                InputError,
                f"a link on the way to {folder} leads out of {self.root}",
                "outside-output",
            )
        there = existing(folder, os.path.lexists)
        if not os.path.isdir(there):
            return OutputError, f"{there} is not a folder", "output-exists"
        if not is_writable(there):
            return OutputError, f"{there} cannot be written to", OutputError.code
        return None


def existing(folder: Path, exists: Callable[[Path], bool] = os.path.exists) -> Path:
    """Return the deepest part of a path that exists; the current folder if none does."""
    return next((each for each in (folder, *folder.parents) if exists(each)), Path())


def is_writable(folder: Path) -> bool:
    """Return whether files can be made in a folder."""
    return os.access(folder, os.W_OK | os.X_OK)


def folded(name: str) -> str:
    """Return text that is equal for names that differ only in case or in Unicode's composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
