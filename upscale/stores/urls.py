"""URLs of objects: ``scheme://bucket/key``, with the key as it is, without escapes."""

import re
from typing import NamedTuple

from upscale.errors import UsageError

__all__ = ["Place", "is_url", "join", "place_of", "relative", "scheme_of"]

SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
"""At least two letters: ``C://`` is a drive."""

SIGNED = re.compile(r"[?&](sig|signature|x-amz-signature|x-goog-signature)=", re.IGNORECASE)


class Place(NamedTuple):
    """The place of an object."""

    bucket: str
    """The bucket; Azure calls it a container."""
    key: str
    """The object's name in it, with slashes; empty for the bucket itself."""


def is_url(word: str) -> bool:
    """Return whether a word of the command line is a URL of any scheme, and not a path."""
    return SCHEME.match(word) is not None


def scheme_of(url: str) -> str:
    """Return the scheme in small letters; empty for a path."""
    found = SCHEME.match(url)
    return found[1].lower() if found else ""


def place_of(url: str) -> Place:
    """Parse a URL. Raises UsageError if it names no bucket or contains a secret."""
    body = url[len(scheme_of(url)) + 3 :]
    bucket, _, key = body.partition("/")
    if ":" in bucket.rpartition("@")[0]:
        raise UsageError(
            f"{scheme_of(url)}://…@{bucket.rpartition('@')[2]}: a password does not belong in an "
            "address; set the usual variables of the storage instead, or its file of credentials"
        )
    if signed := SIGNED.search(url):
        raise UsageError(
            f"{url[: signed.start()]}?…: signed addresses are not supported; give the address "
            "without its signature, and set the usual variables of the storage"
        )
    if not bucket:
        raise UsageError(f"{url}: the bucket is missing; write {scheme_of(url)}://BUCKET/FOLDER")
    return Place(bucket, key)


def join(url: str, relative: str) -> str:
    """Return the URL of ``relative``, a path with slashes, below ``url``."""
    return f"{url if url.endswith('://') else url.rstrip('/') + '/'}{relative}"


def relative(url: str, root: str) -> str:
    """Return the path of ``url`` below ``root``; `join` is the inverse.

    The result is a name in a bucket and may contain ``..``: a caller that makes a path of it has to
    check. Raises UsageError if ``url`` lies elsewhere.
    """
    folder = join(root, "")
    if not url.startswith(folder) or url == folder:
        raise UsageError(f"{url}: is not below {root}")
    return url[len(folder) :]
