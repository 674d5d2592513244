"""Turns the cells of a line into a picture, by the names of the columns."""

import math
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote_plus

from upscale.errors import InputError, UsageError

__all__ = ["BLANK", "NAMES", "Columns", "Line", "Row", "damaged"]


class Row(NamedTuple):
    """A picture in a manifest."""

    place: str
    """A path, a key, or an address."""
    size: int = 0
    """Bytes; 0 if the manifest does not state them."""
    etag: str = ""
    """ETag of the content, without quotation marks; empty if the manifest does not state it."""
    bucket: str = ""
    """Bucket of the key in ``place``; empty if the manifest does not state it."""


Line = Row | InputError
"""A picture, or what is wrong with a line."""

BLANK = " \t\n\r\v\f"
"""Characters that cannot make up a whole name."""

NAMES = {
    "place": ("key", "path", "url", "uri"),
    "size": ("size", "bytes"),
    "etag": ("etag",),
    "bucket": ("bucket",),
    "latest": ("islatest",),
    "deleted": ("isdeletemarker",),
}
"""Names of a column; Amazon S3 writes ``ETag`` and ``e_tag``. The first existing one counts."""


class Columns:
    """Positions of the columns. Raises UsageError if no column names pictures."""

    def __init__(self, header: Sequence[str], name: str, *, escaped: bool = False) -> None:
        """Take the names of the columns of the manifest ``name``.

        ``escaped``: keys are escaped as in an HTML form, as Amazon S3 does in CSV.
        """
        folded = [_folded(each) for each in header]
        self.at = {
            thing: folded.index(found)
            for thing, names in NAMES.items()
            if (found := next((each for each in names if each in folded), None))
        }
        """The position of each column."""
        self._escaped = escaped
        if "place" not in self.at:
            known = ", ".join(NAMES["place"])
            raise UsageError(
                f"{name}: no column names the pictures; the first line must name the columns, and "
                f"one of them must be {known}"
            )

    @property
    def is_listing(self) -> bool:
        """Whether this lists a whole bucket, and not selected pictures."""
        return "bucket" in self.at

    def line(self, cells: Sequence[object], where: str) -> Line | None:
        """Return the picture of a line; None for a folder, or for a deleted or replaced object.

        ``where``: the manifest and the line, for messages.
        """
        at = self.at
        cell = cells[at["place"]]
        place = cell if isinstance(cell, str) else _text(cell)
        if self._escaped:
            place = unquote_plus(place)
        if not place.strip(BLANK):
            return damaged(where, "names no picture")
        if "\0" in place:
            return damaged(where, "the name contains a NUL character")
        if ("latest" in at and _is(cells[at["latest"]], "false")) or (
            "deleted" in at and _is(cells[at["deleted"]], "true")
        ):
            return None
        if place.endswith("/"):
            return None
        size = _size(cells[at["size"]]) if "size" in at else 0
        if size is None:
            return damaged(where, f"{_text(cells[at['size']])!r} is not a number of bytes")
        etag = _text(cells[at["etag"]]).strip() if "etag" in at else ""
        if etag.startswith('"') and etag.endswith('"'):
            etag = etag[1:-1]
        bucket = _text(cells[at["bucket"]]).strip() if "bucket" in at else ""
        return Row(place, size, etag, bucket)


def damaged(where: str, what: str) -> InputError:
    """Return the error for ``where`` in a manifest."""
    return InputError(f"{where}: {what}; left out", code="manifest")


def _folded(name: str) -> str:
    return name.strip().casefold().replace("_", "").replace("-", "").replace(" ", "")


def _text(cell: object) -> str:
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "surrogateescape")
    return "" if cell is None else str(cell)


def _is(cell: object, word: str) -> bool:
    return _text(cell).strip().casefold() == word


def _size(cell: object) -> int | None:
    """Return a number of bytes, 0 if empty; None if it is not a number."""
    if isinstance(cell, float):  # from a table with gaps
        if math.isnan(cell):
            return 0
        return int(cell) if cell >= 0 and cell.is_integer() else None
    word = _text(cell).strip()
    if not word:
        return 0
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 20 else None
