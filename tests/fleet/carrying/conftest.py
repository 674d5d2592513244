import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from carried import Kept

from upscale.fleet.carrying.depot import Depot


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def depot(spool: Path) -> Iterator[Depot]:
    found = Depot()
    yield found
    found.close()
    assert [*spool.iterdir()] == []


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)
