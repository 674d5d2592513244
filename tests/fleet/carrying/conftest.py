from collections.abc import Iterator
from pathlib import Path

import pytest
from carried import Kept

from upscale.fleet.carrying.depot import Depot


@pytest.fixture
def depot(spool: Path) -> Iterator[Depot]:
    found = Depot()
    yield found
    found.close()
    assert [*spool.iterdir()] == []


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)
