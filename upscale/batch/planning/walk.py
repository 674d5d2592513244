"""A folder → the pictures below it, in natural order; links, loops and odd files are recognised.

`fnmatch` matches the names. The walk is our own: `glob` and `pathlib` (Python 3.11) give no sign of
a folder that cannot be read, and cannot leave one out. `glob` also enters every link, so that it
finds a picture beside a link to its own folder 41 times.
"""

import fnmatch
import os
import re
import stat
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath

from upscale.errors import InputError, UpscaleError
from upscale.files import unreadable
from upscale.pictures.formats import PICTURE_SUFFIXES
from upscale.pictures.unread import KINDS_UNREAD
from upscale.system import is_link

__all__ = [
    "Found",
    "Walk",
    "file_identity",
    "is_pattern",
    "is_picture",
    "natural",
]

KINDS = ((stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"), (lambda mode: True, "a device"))
"""What is neither a file nor a folder; the first kind that fits counts."""

Identity = tuple[int, int]
"""A file's device and inode."""


@dataclass(frozen=True)
class Found:
    """An input that a word of the command line stands for."""

    path: Path
    relative: Path
    """Its place below the folder, below the fixed part of the pattern, or (in a list) below the
    current folder; its output has the same place below the output folder. For a file that was named
    by itself: its name."""
    size: int = 0
    """Bytes."""
    problem: UpscaleError | None = None
    """What is wrong with it, if that is known before it is opened."""
    skip: bool = False
    """Whether the problem is not a failure: a FIFO, a socket, a device, or a link that leads back.
    """
    walked: bool = False
    """Whether it was met in a folder or through a pattern, and not named by itself."""

    @property
    def leaves(self) -> bool:
        """Whether ``relative`` may lie outside the folder that it is joined to.

        On Windows ``C:a.png`` and ``\\a.png`` are not absolute, and yet replace that folder.
        """
        return self.relative.anchor != "" or ".." in self.relative.parts

    @classmethod
    def of(
        cls,
        path: Path,
        relative: Path,
        status: os.stat_result | OSError,
        *,
        walked: bool = False,
    ) -> "Found":
        """Return what a path is that is not a folder, by its ``status`` or the error of asking."""
        if isinstance(status, OSError):
            # pathlib's own test raises for a path that is too long
            astray = f"{path}: is a link that leads nowhere ({status.strerror}); mend or remove it"
            problem = InputError(astray if os.path.islink(path) else unreadable(path, status))
            return cls(path, relative, problem=problem, walked=walked)
        if stat.S_ISREG(status.st_mode):
            return cls(path, relative, status.st_size, walked=walked)
        kind = next(name for is_kind, name in KINDS if is_kind(status.st_mode))
        problem = InputError(f"{path}: is {kind}, not a regular file; skipped")
        return cls(path, relative, problem=problem, skip=True, walked=walked)


@dataclass(frozen=True)
class _Folder:
    """A folder to enter."""

    path: Path
    relative: Path
    matched: frozenset[int]
    """How much of the pattern it has matched: positions in it."""
    above: tuple[Identity, ...] = ()
    """The folders on the way to it."""


@dataclass(frozen=True)
class Walk:
    """A search for the pictures that match a pattern.

    How much of the pattern a path has matched is a set of positions in it. So each folder is
    entered once, and a folder that cannot hold a match is not entered. Hidden files are left out
    unless the pattern has a dot for them. So are files that have neither a picture's suffix nor the
    last one of the pattern.
    """

    pattern: tuple[str, ...]
    """A part for each level below the root; ``**`` stands for any number of levels."""
    follow_links: bool = False
    """Whether folders behind links are entered, too."""
    exclude: Identity | None = None
    """A folder below the root that is not entered."""
    passed_over: Callable[[str], None] = lambda kind: None
    """Told the kind of each file that looks like a picture, but that no reader takes."""

    def below(self, root: Path, relative: Path) -> list[Found]:
        """Return what matches below ``root``, whose own place is ``relative``, in natural order.

        Folders behind links are entered last, so that a picture that can be reached without a link
        gets its place without one. A link to a folder above it is reported, and not entered.
        """
        found: list[Found] = []
        seen: set[tuple[Identity, frozenset[int]]] = set()
        waiting = deque([_Folder(root, relative, self._settle({0}))])
        while waiting:
            folder = waiting.popleft()
            try:
                identity = file_identity(folder.path)
                if identity in folder.above:
                    problem = InputError(f"{folder.path}: leads back to a folder above; skipped")
                    found.append(
                        Found(folder.path, folder.relative, 0, problem, skip=True, walked=True)
                    )
                    continue
                known = (identity, folder.matched)
                if known in seen or (folder.above and identity == self.exclude):
                    continue
                seen.add(known)
                with os.scandir(folder.path) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                if folder.above and isinstance(error, FileNotFoundError):
                    continue
                found.append(Found.of(folder.path, folder.relative, error, walked=True))
                continue
            for entry in entries:
                match self._entry(folder, entry, identity):
                    case _Folder() as child if is_link(entry):
                        waiting.append(child)
                    case _Folder() as child:
                        waiting.appendleft(child)
                    case Found() as file:
                        found.append(file)
        return sorted(found, key=lambda each: natural(each.relative))

    def _entry(
        self, folder: _Folder, entry: os.DirEntry[str], identity: Identity
    ) -> _Folder | Found | None:
        """Return a folder to enter, an input, or None for what the pattern does not ask for."""
        name, link = entry.name, is_link(entry)
        matched = self._step(folder.matched, name)
        deeper = matched - {len(self.pattern)} if self.follow_links or not link else frozenset()
        reached = len(self.pattern) in matched
        wanted = reached and self._is_picture(name)
        unread = KINDS_UNREAD.get(os.path.splitext(name)[1].lower()) if reached else None
        if not wanted and not deeper and unread is None:
            return None
        path, relative = Path(entry.path), folder.relative / name
        told = wanted or (link and "." not in name)  # which may have been a folder
        status: os.stat_result | OSError
        try:
            if entry.is_dir():
                above = (*folder.above, identity)
                return _Folder(path, relative, deeper, above) if deeper else None
            if unread is not None and not wanted and entry.is_file():
                self.passed_over(unread)
            if not told:
                return None
            status = entry.stat()
        except OSError as error:
            if not told or (isinstance(error, FileNotFoundError) and not link):
                return None
            status = error
        if not wanted and not isinstance(status, OSError):
            return None
        return Found.of(path, relative, status, walked=True)

    def _is_picture(self, name: str) -> bool:
        """Tell whether ``name`` has a picture's suffix, or the last suffix of the pattern."""
        suffix = os.path.splitext(name)[1]
        asked = next((Path(part).suffix for part in self.pattern[::-1] if part != "**"), "")
        return (
            suffix.lower() in PICTURE_SUFFIXES
            or os.path.normcase(suffix) == os.path.normcase(asked) != ""
        )

    def _step(self, matched: frozenset[int], name: str) -> frozenset[int]:
        """Return how much of the pattern is matched one level deeper, at ``name``."""
        reached = set()
        for at in matched - {len(self.pattern)}:
            part = self.pattern[at]
            if name.startswith(".") and not part.startswith("."):
                continue
            if part == "**":
                reached.add(at)
            elif fnmatch.fnmatch(name, part):
                reached.add(at + 1)
        return self._settle(reached)

    def _settle(self, positions: set[int]) -> frozenset[int]:
        """Add the position behind each ``**``, which may stand for no level at all."""
        for at, part in enumerate(self.pattern):
            if at in positions and part == "**":
                positions.add(at + 1)
        return frozenset(positions)


def is_pattern(text: str) -> bool:
    """Tell whether ``text`` has a wildcard."""
    return any(letter in text for letter in "*?[")


def is_picture(path: PurePath) -> bool:
    """Tell whether a path has a picture's suffix and is not hidden."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def natural(path: Path) -> list[tuple[list[str | int], str]]:
    """Return a key that sorts paths by folder, and numbers in names by value: ``a2``, ``a10``."""
    return [
        ([int(run) if run.isdecimal() else run for run in _runs(part)], part) for part in path.parts
    ]


def _runs(part: str) -> list[str]:
    """Cut a name around each number. Every second run is a number, so any two can be compared."""
    return re.split(r"([0-9]+)", part.casefold())


def file_identity(path: Path) -> Identity:
    """Return the device and inode of what ``path`` leads to. Raises OSError."""
    status = os.stat(path)
    return status.st_dev, status.st_ino
