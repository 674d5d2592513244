"""What the tests of carrying share: a bucket in memory, settings, and results that nobody made."""

import io
import uuid
from pathlib import Path

from codecs_seen import noise
from PIL import Image as Pillow

from upscale.batch.resume import keys_of
from upscale.batch.work import Result
from upscale.fleet.carrying.cargo import Cargo
from upscale.fleet.carrying.depot import Depot
from upscale.fleet.task import Task
from upscale.models.choice import Choice
from upscale.stores.store import store_of
from upscale.stores.urls import join

SETTINGS = {"one": "1" * 64, "two": "2" * 64}


class Silent:
    def say(self, text: str) -> None:
        pass

    def download(self, title: str):
        return lambda done, total: None


def png(height: int = 7, width: int = 9) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(noise(height, width)).save(file, "png")
    return file.getvalue()


class Kept:
    """A bucket in memory, which `store_of` finds."""

    def __init__(self, folder: Path) -> None:
        self.root = f"memory://{uuid.uuid4().hex}"
        self.store = store_of(self.root)
        self._folder = folder

    def url(self, name: str) -> str:
        return join(self.root, name)

    def put(self, name: str, data: bytes, **metadata: str) -> str:
        """Put an object; ``upscale_key`` in ``metadata`` is the object's ``upscale-key``."""
        path = self._folder / "sent"
        path.write_bytes(data)
        named = {key.replace("_", "-"): value for key, value in metadata.items()}
        self.store.replace(self.url(name), path, named)
        return self.url(name)

    def get(self, name: str) -> bytes | None:
        path = self._folder / "got"
        if self.store.head(self.url(name)) is None:
            return None
        self.store.fetch(self.url(name), path)
        return path.read_bytes()

    def task(self, name: str = "in/a.png", output: str = "out/a_x4.png") -> Task:
        return Task(self.url(name), self.url(output))


def made(cargo: Cargo, data: bytes, model: str = "one") -> Result:
    """Write ``data`` in the place of a batch that was to make the picture."""
    cargo.output.write_bytes(data)
    key = keys_of(cargo.input, SETTINGS)[model]
    return Result(cargo, "done", choice=Choice(model), key=key)


def left_in(depot: Depot, folder: Path) -> list[str]:
    """Name the files that lie in a depot below ``folder``."""
    return sorted(path.name for path in folder.rglob("*-*") if path.is_file())
