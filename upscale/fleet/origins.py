"""Finds the pictures at an address on demand: a listing is never in memory."""

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from upscale.batch.planning.walk import is_picture
from upscale.errors import UpscaleError, UsageError
from upscale.pictures.unread import KINDS_UNREAD
from upscale.stores.store import store_of
from upscale.stores.urls import join, place_of, relative

__all__ = ["Origin", "is_folder", "is_wanted", "origins_at"]


@dataclass(frozen=True)
class Origin:
    """An input of a stream, without an output name yet."""

    place: str
    """A path, or an address in a store."""
    relative: str
    """Its path with slashes below the requested folder; its output has the same path."""
    size: int = 0
    """Bytes; 0 if unknown."""
    etag: str = ""
    """ETag of its content; empty if unknown."""
    problem: UpscaleError | None = None
    """The reason why it is not made, if known."""
    skip: bool = False
    """Whether the problem is not a failure."""


def is_folder(url: str) -> bool:
    """Return whether an address stands for everything below it.

    It does if it ends with a slash, or if no such object exists but others exist below it. Raises
    UsageError if there is neither.
    """
    if not place_of(url).key or url.endswith("/"):
        return True
    store = store_of(url)
    if store.head(url) is not None:
        return False
    if next(store.list(url), None) is None:
        raise UsageError(f"{url}: this object or folder does not exist; check the spelling")
    return True


def origins_at(
    url: str,
    *,
    recursive: bool = True,
    exclude: str = "",
    passed_over: Callable[[str], None] = lambda kind: None,
) -> Iterator[Origin]:
    """Yield the object ``url``, or the pictures below it in the store's order.

    Objects that are not named like a picture are left out, and so are hidden ones and all below the
    address ``exclude``; ``passed_over`` gets the kind of each picture that no reader supports.
    Raises InputError and UsageError.
    """
    if not is_folder(url):
        entry = store_of(url).head(url)
        known = (0, "") if entry is None else (entry.size, entry.etag)
        yield Origin(url, posixpath.basename(url), *known)
        return
    out = join(exclude, "") if exclude else None
    for entry in store_of(url).list(url):
        below = relative(entry.url, url)
        if (out and entry.url.startswith(out)) or (not recursive and "/" in below):
            continue
        if is_wanted(below, passed_over):
            yield Origin(entry.url, below, entry.size, entry.etag)


def is_wanted(below: str, passed_over: Callable[[str], None]) -> bool:
    """Return whether an object at ``below`` in a listing is named like a picture and not hidden.

    ``passed_over`` gets the kind of a picture that no reader supports.
    """
    if below.startswith(".") or "/." in below:
        return False
    path = PurePosixPath(below)
    if is_picture(path):
        return True
    if kind := KINDS_UNREAD.get(path.suffix.lower()):
        passed_over(kind)
    return False
