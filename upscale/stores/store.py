"""The storage of a URL: list it, read from it, write whole objects to it."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from upscale.errors import UsageError, did_you_mean
from upscale.files import unwritable as unwritable_file
from upscale.stores.failures import unreadable, unwritable
from upscale.stores.patience import Patience
from upscale.stores.urls import Place, join, place_of, scheme_of
from upscale.stores.vendor import Described, Entry, Vendor, VendorError
from upscale.stores.vendors.azure import Azure
from upscale.stores.vendors.google import Google
from upscale.stores.vendors.memory import Memory
from upscale.stores.vendors.s3 import S3

__all__ = ["Store", "store_of"]

SETTINGS = ("AWS_", "AZURE_STORAGE_", "GOOGLE_", "STORAGE_EMULATOR_")
"""Prefixes of the variables that choose the storage of a scheme, and the credentials."""

PART = 8 * 2**20
"""Bytes per part of an object that is written in parts; a very large object has larger parts.

Memory holds a whole part. Google requires a multiple of 2¹⁸, S3 at least 5 MiB.
"""

MOST_PARTS = 10_000
"""S3's limit; Azure's is 50,000."""

MAKING = Lock()
"""Threads that ask for a store at the same time share one, since making it takes half a second."""

WRITER = "upscale-writer"
"""Metadata key of the call that wrote an object, which tells its own object after a lost answer."""


class Store:
    """A vendor's storage, with retries. Any thread may use it; a forked process may not."""

    def __init__(self, vendor: Vendor, patience: Patience | None = None, part: int = PART) -> None:
        """Take the vendor. ``part``: bytes; an object of two parts or more is written in parts."""
        self._vendor = vendor
        self._ask = (patience or Patience()).ask
        self._part = part

    def list(self, url: str) -> Iterator[Entry]:
        """Yield the objects in the folder ``url``, at any depth, in the storage's own order.

        One page of the listing is in memory at a time. An entry may lack its metadata; `head`
        returns them. Raises InputError.
        """
        folder = place_of(join(url, ""))
        root = f"{scheme_of(url)}://{folder.bucket}"
        after = ""
        while True:
            try:
                page = self._ask(partial(self._vendor.page, folder, after))
            except VendorError as error:
                raise unreadable(url, error) from None
            for key, found in page.found:
                if not key.endswith("/"):
                    yield Entry(join(root, key), *found)
            after = page.after
            if not after:
                return

    def head(self, url: str) -> Entry | None:
        """Describe an object, with its metadata; None if it does not exist. Raises InputError."""
        try:
            found = self._head(place_of(url))
        except VendorError as error:
            raise unreadable(url, error) from None
        return None if found is None else Entry(url, *found)

    def _head(self, place: Place) -> Described | None:
        try:
            return self._ask(partial(self._vendor.head, place))
        except VendorError as error:
            if error.kind == "absent":
                return None
            raise

    def fetch(self, url: str, path: Path, etag: str = "") -> Entry:
        """Read an object into the file ``path``, completely or not at all; return its description.

        ``etag``: the required ETag of the object. An interrupted read continues as long as the
        object is the same. Raises InputError, and OutputError if ``path`` cannot be written.
        """
        try:
            with path.open("wb") as file:
                arrival = _Arrival(self._vendor, place_of(url), file, etag)
                return Entry(url, *self._ask(arrival.go_on))
        except VendorError as error:
            path.unlink()
            raise unreadable(url, error) from None
        except OSError as error:
            with contextlib.suppress(OSError):
                path.unlink()
            raise unwritable_file(path, error) from error

    def create(self, url: str, path: Path, metadata: Mapping[str, str]) -> bool:
        """Write the file ``path`` as a new object, whole; return False if an object already exists.

        If several callers create the same object, one gets True. ``metadata``: names in small
        letters with hyphens, and values, in ASCII. Raises OutputError, and OSError if ``path``
        cannot be read.
        """
        return self._write(url, path, metadata, new=True)

    def replace(self, url: str, path: Path, metadata: Mapping[str, str]) -> None:
        """Write the file ``path`` as an object like `create`, and replace an existing one."""
        self._write(url, path, metadata, new=False)

    def _write(self, url: str, path: Path, metadata: Mapping[str, str], new: bool) -> bool:
        place = place_of(url)
        mine = {**metadata, WRITER: secrets.token_hex(8)}
        try:
            try:
                self._send(place, path, mine, new)
            except VendorError as error:
                if error.kind == "unconditional" and new:
                    if self._head(place) is not None:
                        return False
                    self._send(place, path, mine, new=False)
                elif error.kind in ("exists", "absent"):
                    # After a lost answer, the object that is there now may be this call's own.
                    found = self._head(place)
                    if found is not None and _is_own(found, mine, path):
                        return True
                    if error.kind == "exists" or (new and found is not None):
                        return False
                    raise VendorError("refused", f"{error.said}: the upload was ended") from None
                else:
                    raise
        except VendorError as error:
            raise unwritable(url, error) from None
        return True

    def _send(self, place: Place, path: Path, metadata: Mapping[str, str], new: bool) -> None:
        size = path.stat().st_size
        with path.open("rb") as file:
            if size < 2 * self._part:
                self._ask(partial(self._vendor.put, place, file.read(), metadata, new))
            else:
                self._send_in_parts(place, file, size, metadata, new)

    def _send_in_parts(
        self, place: Place, file: BinaryIO, size: int, metadata: Mapping[str, str], new: bool
    ) -> None:
        upload = self._ask(partial(self._vendor.upload, place, size, metadata, new))
        length = self._part * -(-size // (self._part * MOST_PARTS))
        try:
            for number, start in enumerate(range(0, size, length)):
                last = start + length >= size
                self._ask(partial(upload.send, number, file.read(length), last))
            self._ask(upload.commit)
        except BaseException:
            with contextlib.suppress(VendorError):
                upload.abort()
            raise


class _Arrival:
    """An object that is being read into ``file``."""

    def __init__(self, vendor: Vendor, place: Place, file: BinaryIO, etag: str) -> None:
        self._vendor = vendor
        self._place = place
        self._file = file
        self._wanted = etag
        self._seen = etag

    def go_on(self) -> Described:
        """Read the missing bytes. Raises VendorError if it breaks off or the object has changed."""
        try:
            of, chunks = self._vendor.read(self._place, self._file.tell(), self._seen)
        except VendorError as error:
            if error.kind == "changed" and not self._wanted:
                raise self._start_again(error.said) from None
            raise
        self._seen = of.etag
        try:
            for chunk in chunks:
                self._file.write(chunk)
        except VendorError as error:
            if self._file.tell() >= of.size:  # a sum over all of it is wrong
                raise self._start_again(error.said) from None
            raise
        arrived = self._file.tell()
        said = f"{arrived} of {of.size} bytes came"
        if arrived > of.size:
            raise self._start_again(said)
        if arrived < of.size:
            raise VendorError("broken", said)
        return of

    def _start_again(self, said: str) -> VendorError:
        self._seen = self._wanted
        self._file.seek(0)
        self._file.truncate()
        return VendorError("broken", said)


def _is_own(found: Described, written: Mapping[str, str], path: Path) -> bool:
    """Return whether one call wrote this object from ``path``."""
    return found.metadata.get(WRITER) == written[WRITER] and found.size == path.stat().st_size


def store_of(url: str) -> Store:
    """Return the store of ``url``; the same one as long as the environment is the same.

    Raises UsageError for an unknown scheme, and if the library of the storage is missing.
    """
    place_of(url)  # it refuses an address with a secret in it
    scheme = scheme_of(url)
    settings = ((name, value) for name, value in os.environ.items() if name.startswith(SETTINGS))
    with MAKING:
        return _store(scheme, os.getpid(), tuple(sorted(settings)))


@cache
def _store(scheme: str, process: int, settings: tuple[tuple[str, str], ...]) -> Store:
    """Return a new store; ``process`` since threads of the library do not survive a fork."""
    make = VENDORS.get(scheme)
    if make is None:
        known = ", ".join(f"{each}://" for each in VENDORS)
        raise UsageError(
            f"{scheme}:// is not a storage that upscale knows{did_you_mean(scheme, VENDORS)}; it "
            f"knows {known}; write a file as its path alone"
        )
    try:
        return Store(make())
    except ImportError as error:
        library = (error.name or "a library").partition(".")[0]
        raise UsageError(
            f"{scheme}:// needs {library}; install it with: pip install 'upscale[cloud]'"
        ) from error


VENDORS: dict[str, Callable[[], Vendor]] = {
    "s3": S3,
    "gs": Google,
    "gcs": Google,
    "az": Azure,
    "abfs": Azure,
    "abfss": Azure,
    "memory": Memory,
}
"""Vendors by scheme."""
