"""Trainings of small networks, on one thread, that keep to the test's folder and fetch nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_training import crops, narrow, one_thread


@pytest.fixture(scope="module")
def alone() -> Iterator[None]:
    """One thread computes."""
    with one_thread():
        yield


@pytest.fixture
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("UPSCALE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with one_thread(), narrow():
        yield


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return crops(tmp_path / "data")
