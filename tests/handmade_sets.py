"""Pictures of noise, in folders and in archives."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def pixels(index: int, channels: int = 3, height: int = 3, width: int = 5) -> np.ndarray:
    """A picture that no other index has."""
    generator = np.random.default_rng(index)
    return generator.integers(0, 256, (height, width, channels), np.uint8)


def encoded(samples: np.ndarray, kind: str = "png") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples).save(buffer, kind)
    return buffer.getvalue()


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(names):
        (folder / name).write_bytes(encoded(pixels(index), Path(name).suffix[1:]))


def tarred(members: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for info in more:
            tar.addfile(info)
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped(members: dict[str, bytes], *more: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, data in more:
            archive.writestr(info, data)
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


HUNDRED = {f"BSD100_HR/{index}.png": encoded(pixels(index)) for index in range(100)}
