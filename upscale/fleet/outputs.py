"""Names the output of each picture of a stream, without knowing all others."""

import functools
import os
from collections import OrderedDict
from pathlib import Path, PurePosixPath

from upscale.batch.planning.job import Policy
from upscale.batch.planning.naming import Naming, told_apart
from upscale.batch.planning.walk import is_picture
from upscale.errors import InputError, OutputError, UpscaleError, UsageError
from upscale.fleet.origins import Origin
from upscale.fleet.task import Receipt, Task
from upscale.pictures.formats import WRITABLE, suffix_of
from upscale.stores.urls import is_url, join, place_of
from upscale.system import unnameable

__all__ = ["Outputs"]

REMEMBERED = 10_000
"""Earlier outputs that are compared with the next one; in a listing, equal stems are neighbours."""


class Outputs:
    """Names outputs below a folder, or as one file.

    Pictures that would get the same output are told apart as in a folder, if fewer than
    `REMEMBERED` others lie between them.
    """

    def __init__(self, root: str, naming: Naming, policy: Policy, *, many: bool) -> None:
        """Take ``-o``; ``many``: it must be a folder. Raises UsageError if it is a file then.

        For a single picture, a name with a suffix is that of the output.
        """
        self._root, self._naming, self._policy = root, naming, policy
        path = PurePosixPath(place_of(root).key) if is_url(root) else Path(root)
        named = path.suffix != "" and not root.endswith("/") and not Path(root).is_dir()
        self.is_file = named and not many
        """Whether ``-o`` names the output itself."""
        if named and many and is_picture(path):
            raise UsageError(f"{root}: is a picture's name; several pictures need a folder")
        if self.is_file and suffix_of(Path(path)) not in WRITABLE:
            known = ", ".join(WRITABLE)
            raise UsageError(f"{root}: write one of {known}; end a folder's name with a slash")
        self._below = functools.lru_cache(self._place_of)  # pictures of a folder are neighbours
        self._recent: OrderedDict[str, str] = OrderedDict()

    def task(self, origin: Origin) -> Task | Receipt:
        """Return the task of a picture; a receipt if there is nothing to do."""
        folder, _, name = origin.relative.rpartition("/")
        task = self._task(origin, folder, Path(name))
        if origin.problem is not None:
            return Receipt.refused(task, origin.problem, origin.skip)
        first = self._recent.get(task.output)
        if first is not None and first != task.input:
            if self._policy == "rename" and not self.is_file:
                task = self._task(origin, folder, told_apart(Path(name)))
                first = self._recent.get(task.output)
            if first is not None and first != task.input:
                said = f"{first} becomes {task.output}, too; see --on-collision and --name"
                return self._refused(task, said, skip=self._policy == "skip")
        self._recent[task.output] = task.input
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        if not is_url(task.output) and (why := self._unnameable(origin)):
            return self._refused(task, why)
        return task

    def _task(self, origin: Origin, folder: str, named: Path) -> Task:
        output = self._root
        if not self.is_file:
            output = f"{self._below(folder)}{self._naming.name(named)}"
        return Task(origin.place, output, origin.size, origin.etag)

    def _place_of(self, folder: str) -> str:
        """Return the place of a folder's outputs, with a slash at the end."""
        tidy = PurePosixPath(folder).as_posix()
        below = "" if tidy == "." else f"{tidy}/"
        return (
            join(self._root, below) if is_url(self._root) else os.path.join(self._root, below, "")
        )

    def _unnameable(self, origin: Origin) -> str | None:
        """Return the reason why an object's name cannot be that of a file below a folder."""
        parts = PurePosixPath(origin.relative).parts
        if ".." in parts or Path(origin.relative).anchor:
            return f"its name leads out of {self._root}"
        return next((why for part in parts if (why := unnameable(part))), None)

    def _refused(self, task: Task, why: str, skip: bool = False) -> Receipt:
        kind: type[UpscaleError] = InputError if skip else OutputError
        code = "usage" if skip else "outside-output"
        error = kind(f"{task.input}: {'skipped; ' if skip else ''}{why}", code=code)
        return Receipt.refused(task, error, skip)
