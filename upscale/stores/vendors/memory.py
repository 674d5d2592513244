"""fsspec's files in memory, shared by the whole process: for tests, and to try commands."""

import hashlib
from collections.abc import Mapping
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from upscale.stores.urls import Place
from upscale.stores.vendor import Described, Page, Reading, VendorError

__all__ = ["Memory"]

WRITING = Lock()

WRITTEN_WITH: WeakKeyDictionary[Any, Mapping[str, str]] = WeakKeyDictionary()
"""The metadata of each file, which fsspec does not keep; replacing a file removes them."""


class Memory:
    """``memory://bucket/key``; every bucket exists."""

    def __init__(self) -> None:
        """Use the files in memory. Raises ImportError."""
        from fsspec.implementations.memory import MemoryFileSystem

        self._files = MemoryFileSystem()

    def page(self, folder: Place, after: str) -> Page:
        """See `Vendor`; there is one page."""
        start = f"/{folder.bucket}/{folder.key}"
        names = sorted(name for name in list(self._files.store) if name.startswith(start))
        found = [(name[len(f"/{folder.bucket}/") :], self._head(name)) for name in names]
        return Page([(key, described) for key, described in found if described is not None], "")

    def head(self, place: Place) -> Described:
        """See `Vendor`."""
        found = self._head(_name(place))
        if found is None:
            raise VendorError("absent", "not in memory")
        return found

    def read(self, place: Place, start: int, etag: str) -> Reading:
        """See `Vendor`."""
        found = self.head(place)
        if etag and found.etag != etag:
            raise VendorError("changed", f"its tag is {found.etag}")
        return Reading(found, iter([self._files.store[_name(place)].getvalue()[start:]]))

    def put(self, place: Place, data: bytes, metadata: Mapping[str, str], new: bool) -> None:
        """See `Vendor`."""
        name = _name(place)
        with WRITING:
            if new and name in self._files.store:
                raise VendorError("exists", "in memory")
            self._files.pipe_file(name, data)
            WRITTEN_WITH[self._files.store[name]] = dict(metadata)

    def upload(self, place: Place, size: int, metadata: Mapping[str, str], new: bool) -> "_Upload":
        """See `Vendor`."""
        return _Upload(self, place, metadata, new)

    def _head(self, name: str) -> Described | None:
        file = self._files.store.get(name)
        if file is None:
            return None
        data = file.getvalue()
        return Described(len(data), hashlib.md5(data).hexdigest(), WRITTEN_WITH.get(file, {}))


def _name(place: Place) -> str:
    return f"/{place.bucket}/{place.key}".rstrip("/")


class _Upload:
    def __init__(
        self, memory: Memory, place: Place, metadata: Mapping[str, str], new: bool
    ) -> None:
        self._memory = memory
        self._whole = (place, metadata, new)
        self._parts: dict[int, bytes] = {}

    def send(self, number: int, data: bytes, last: bool) -> None:
        self._parts[number] = data

    def commit(self) -> None:
        place, metadata, new = self._whole
        self._memory.put(place, b"".join(self._parts.values()), metadata, new)

    def abort(self) -> None:
        self._parts.clear()
