"""The existing outputs of a folder, in a table on disk for looking up names.

Inputs and their outputs have different orders (``a.png`` is before ``a2.png``, but ``a_x4.png`` is
after ``a2_x4.png``), so the two cannot be walked side by side.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from upscale.batch.planning.walk import is_picture
from upscale.errors import OutputError
from upscale.stores.store import store_of
from upscale.stores.urls import is_url, relative

__all__ = ["Lying", "pictures_in"]

CACHE = 32 * 2**10
"""KiB of the table in memory, whatever its length. A name takes about 100 bytes on disk."""


class Lying:
    """The names of pictures; a context manager that removes its file. For one thread."""

    def __init__(self, names: Iterable[str]) -> None:
        """Read the names one at a time. Raises OutputError if the disk is too small for them."""
        self._table = sqlite3.connect("")  # a file without a name, in the folder of temporary files
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE}"):
            self._table.execute(f"PRAGMA {setting}")
        self._table.execute(
            "CREATE TABLE lying (name BLOB PRIMARY KEY, explained BOOL) WITHOUT ROWID"
        )
        rows = ((os.fsencode(name), False) for name in names)
        try:
            self._table.executemany("INSERT OR IGNORE INTO lying VALUES (?, ?)", rows)
        except sqlite3.OperationalError as error:
            raise OutputError(
                f"the names of outputs do not fit into the folder for temporary files ({error}); "
                "set TMPDIR to another folder"
            ) from error

    def __enter__(self) -> "Lying":
        """Give itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Remove the file."""
        self._table.close()

    def explain(self, name: str) -> bool:
        """Mark ``name`` as that of an output; return whether it exists."""
        marked = self._table.execute(
            "UPDATE lying SET explained = TRUE WHERE name = ?", (os.fsencode(name),)
        )
        return marked.rowcount > 0

    def unexplained(self) -> Iterator[str]:
        """Yield the other names in order."""
        for (name,) in self._table.execute("SELECT name FROM lying WHERE NOT explained ORDER BY 1"):
            yield os.fsdecode(name)


def pictures_in(root: str) -> Iterator[str]:
    """Yield the path of each picture below a folder or an address, at any depth, with slashes.

    Hidden files, and those that are not named like a picture, are left out. Raises InputError.
    """
    for name in _objects_in(root) if is_url(root) else _files_in(root):
        if is_picture(Path(name)):
            yield name


def _objects_in(root: str) -> Iterator[str]:
    return (relative(entry.url, root) for entry in store_of(root).list(root))


def _files_in(root: str) -> Iterator[str]:
    for folder, _, files in os.walk(root):
        below = os.path.relpath(folder, root)
        for name in files:
            yield os.path.normpath(os.path.join(below, name)).replace(os.sep, "/")
