"""Saves uploads as files in a job's folder, under names that cannot leave it."""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from upscale.batch.planning.walk import Found
from upscale.errors import InputError
from upscale.files import unwritable
from upscale.serving.requests.archive import SIGNATURE, members
from upscale.serving.requests.limits import Limits

__all__ = ["Arrivals", "safe_name"]

PIECE = 2**20

LONGEST = 120
"""Most bytes of a name; that of an output is longer."""

DEEPEST = 8
"""Most nested folders within an archive."""

_ODD = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')


def safe_name(name: str) -> str:
    """Return a name for a file or a folder: one part of a path, valid on every system."""
    kept = _ODD.sub("_", unicodedata.normalize("NFC", name)).strip(" .")
    stem, suffix = os.path.splitext(kept)
    if len(suffix.encode()) > 10:
        stem, suffix = kept, ""
    while len((stem + suffix).encode()) > LONGEST:
        stem = stem[:-1]
    return (stem + suffix) or "picture"


class Arrivals:
    """The uploaded pictures of one job."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Use ``folder``, which exists."""
        self._folder, self._limits = folder, limits
        self._bytes = 0
        self._taken: set[str] = set()
        self.found: list[Found] = []
        """Each picture and its place."""

    def add(self, name: str, file: IO[bytes]) -> None:
        """Save a file or a ZIP's contents. Raises OutputError, and InputError beyond the limits."""
        shown = Path(safe_name(re.split(r"[/\\]", name)[-1]))
        file.seek(0)
        if file.read(len(SIGNATURE)) == SIGNATURE:
            before = len(self.found)
            for inner, content in members(shown, file):
                parts = [part for part in re.split(r"[/\\]", inner) if part not in ("", ".", "..")]
                *folders, last = map(safe_name, parts or ["picture"])
                self._keep(Path(*folders[:DEEPEST], last), content)
            if len(self.found) == before:
                raise InputError(f"{shown}: the ZIP holds no file", code="not-an-image")
            return
        file.seek(0)
        self._keep(shown, iter(lambda: file.read(PIECE), b""))

    def _keep(self, place: Path, content: Iterable[bytes]) -> None:
        if len(self.found) == self._limits.pictures:
            raise InputError(
                f"{place}: is one too many; send at most {self._limits.pictures} pictures at once",
                code="too-large",
            )
        place = self._free(place)
        path = self._folder / place
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as target:
                for piece in self._counted(place, content):
                    target.write(piece)
        except OSError as error:
            raise unwritable(place, error) from error
        self.found.append(Found(path, place, path.stat().st_size))

    def _counted(self, place: Path, content: Iterable[bytes]) -> Iterator[bytes]:
        for piece in content:
            self._bytes += len(piece)
            if self._bytes > self._limits.most_bytes:
                raise InputError(
                    f"{place}: with it there are more than {self._limits.most_bytes / 1e6:.0f} MB; "
                    "send less at once",
                    code="too-large",
                )
            yield piece

    def _free(self, place: Path) -> Path:
        """Return a place that no other picture has, ignoring case."""
        if any((self._folder / folder).is_file() for folder in place.parents):
            place = Path(place.name)
        number, free = 1, place
        while str(free).casefold() in self._taken:
            number += 1
            free = place.with_name(f"{place.stem} ({number}){place.suffix}")
        self._taken.update(str(each).casefold() for each in (free, *free.parents))
        return free
