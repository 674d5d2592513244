"""What the tests of codec processes share."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from codecs_seen import Endless, children, noise, wait_until
from PIL import Image as Pillow

from upscale.models.loading import load_model
from upscale.models.model import Model


@pytest.fixture(scope="module")
def model(repeating: str) -> Model:
    return load_model(repeating, device="cpu", precision="fp32")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Pillow.fromarray(noise(9, 14)).save(path)
    return path


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Endless]:
    found = Endless(tmp_path / "endless.png")
    yield found
    found.close()


@pytest.fixture
def nothing_left(tmp_path: Path) -> Iterator[set[int]]:
    """Processes, threads, descriptors and temporary files are as many after a test as before."""
    before, threads = children(), threading.active_count()
    descriptors = len(os.listdir("/proc/self/fd"))
    yield before
    wait_until(lambda: children() <= before)
    wait_until(lambda: threading.active_count() <= threads)
    assert len(os.listdir("/proc/self/fd")) == descriptors
    litter = [path.name for path in tmp_path.iterdir() if path.suffix in (".part", ".scratch")]
    assert litter == []
