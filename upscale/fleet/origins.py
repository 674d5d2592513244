"""An address → the pictures there, each as it is asked for: a listing is never in memory."""

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
    """An input of a stream, whose output nobody has named yet."""

    place: str
    """A path, or an address in a store."""
    relative: str
    """Its path with slashes below the folder that was asked for; its output has the same there."""
    size: int = 0
    """Bytes; 0: not known."""
    etag: str = ""
    """What the store says of its content; empty where it is not known."""
    problem: UpscaleError | None = None
    """Why it is not made, where that is known."""
    skip: bool = False
    """The problem is not a failure."""


def is_folder(url: str) -> bool:
    """Say whether an address stands for all that lies below it.

    It does where it ends with a slash, and where there is no such object but some below it. Raises
    UsageError where there is neither.
    """
    if not place_of(url).key or url.endswith("/"):
        return True
    store = store_of(url)
    if store.head(url) is not None:
        return False
    if next(store.list(url), None) is None:
        raise UsageError(f"{url}: there is no such object or folder; look at the spelling")
    return True


def origins_at(
    url: str,
    *,
    recursive: bool = True,
    exclude: str = "",
    passed_over: Callable[[str], None] = lambda kind: None,
) -> Iterator[Origin]:
    """Yield what ``url`` stands for: an object, or the pictures below it in the store's order.

    Objects that are not named like a picture are left out, and so are hidden ones, and all below
    the address ``exclude``; ``passed_over`` is told the kind of each that looks like a picture and
    that no reader takes. Raises InputError and UsageError.
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
    """Say whether an object at ``below`` in a listing is named like a picture, and not hidden.

    ``passed_over`` is told the kind of one that looks like a picture and that no reader takes.
    """
    if below.startswith(".") or "/." in below:
        return False
    path = PurePosixPath(below)
    if is_picture(path):
        return True
    if kind := KINDS_UNREAD.get(path.suffix.lower()):
        passed_over(kind)
    return False
