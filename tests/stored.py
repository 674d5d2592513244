"""Stores of each kind that runs here, none of which waits between tries."""

from dataclasses import dataclass
from pathlib import Path

from upscale.stores.patience import Patience
from upscale.stores.store import Store
from upscale.stores.urls import join

PART = 2**18
"""Bytes of a part; the S3 interface of the tests takes such small ones, Google none smaller."""

LARGE = bytes(range(256)) * (PART // 100)
"""What comes in three parts."""

QUICK = Patience(tries=4, first=0)


@dataclass(frozen=True)
class Kept:
    store: Store
    root: str
    folder: Path
    """A folder for files."""

    def url(self, name: str) -> str:
        return join(self.root, name)

    def file(self, data: bytes) -> Path:
        path = self.folder / "file"
        path.write_bytes(data)
        return path

    def create(self, name: str, data: bytes, **metadata: str) -> bool:
        return self.store.create(self.url(name), self.file(data), metadata)

    def read(self, name: str, etag: str = "") -> bytes:
        path = self.folder / "arrived"
        self.store.fetch(self.url(name), path, etag)
        return path.read_bytes()

    def names(self, folder: str = "") -> list[str]:
        url = self.url(folder) if folder else self.root
        return [entry.url.removeprefix(self.root + "/") for entry in self.store.list(url)]
